"""What servers ask ECPay: how a trade stands, its code once more, and what to do with a card."""

import re
from sqlite3 import Connection
from urllib.parse import urlencode

from aiohttp import web

from deploy.sandbox import calls
from deploy.sandbox.bank import BANK
from deploy.sandbox.ecpay import cards, messages, trades
from deploy.sandbox.ecpay.gate import Gate
from deploy.sandbox.ecpay.mac import NAME, Merchant
from deploy.sandbox.ecpay.orders import DIGITS, TRADE_NUMBER
from deploy.sandbox.ecpay.trades import NotPossible
from deploy.sandbox.faults import Moment
from deploy.sandbox.pages import read_form

GATE = web.AppKey("gate", Gate)
STAMP = re.compile(r"\d{10}")
STAMP_LASTS_SECONDS = 180
QUERY = {"MerchantID", "MerchantTradeNo", "TimeStamp", NAME}
ACTION = {"MerchantID", "MerchantTradeNo", "TradeNo", "Action", "TotalAmount", NAME}
OPTIONAL = {"PlatformID"}
DONE = "1"
NOT_DONE = "0"


class Unreadable(Exception):
    """The question is not in order; ECPay answers in words, and signs nothing."""


async def query(request: web.Request) -> web.Response:
    """QueryTradeInfo: is it paid?"""
    bank = request.app[BANK]
    try:
        merchant, form = await _read(request, QUERY)
    except Unreadable as unreadable:
        return _refuse(unreadable)

    async def work() -> web.Response:
        now = bank.clock.now()
        number = form["MerchantTradeNo"]
        trade = await bank.do(lambda db: trades.find_by_number(db, merchant.id, number))
        told = messages.status(trade, now=now) if trade else messages.not_found(merchant.id, number)
        return _pairs(merchant.sign(told))

    def say(code: str) -> web.Response:
        told = messages.not_found(merchant.id, form["MerchantTradeNo"])
        return _pairs(merchant.sign(told | {"TradeStatus": code}))

    number = form["MerchantTradeNo"]
    return await calls.answer(request, Moment.QUERY, number=number, work=work, say=say)


async def query_code(request: web.Request) -> web.Response:
    """QueryPaymentInfo: what was it to be paid with?"""
    bank = request.app[BANK]
    try:
        merchant, form = await _read(request, QUERY)
    except Unreadable as unreadable:
        return _refuse(unreadable)

    async def work() -> web.Response:
        number = form["MerchantTradeNo"]
        trade = await bank.do(lambda db: trades.find_by_number(db, merchant.id, number))
        if trade is not None and trade.code is not None:
            return _pairs(merchant.sign(messages.issued(trade)))
        return say(messages.NOT_FOUND if trade is None else messages.NEVER_ESTABLISHED)

    def say(code: str) -> web.Response:
        told = {"MerchantID": merchant.id, "MerchantTradeNo": form["MerchantTradeNo"]}
        return _pairs(merchant.sign(told | {"RtnCode": code, "RtnMsg": "Error."}))

    number = form["MerchantTradeNo"]
    return await calls.answer(request, Moment.QUERY_CODE, number=number, work=work, say=say)


async def act(request: web.Request) -> web.Response:
    """DoAction: capture, refund, cancel the capture or abandon the authorisation of a card."""
    bank = request.app[BANK]
    try:
        merchant, form = await _read(request, ACTION)
    except Unreadable as unreadable:
        return _refuse(unreadable)

    def say(code: str, message: str = "") -> web.Response:
        names = ("MerchantID", "MerchantTradeNo", "TradeNo")
        told = {name: form[name] for name in names}
        return _pairs(told | {"RtnCode": code, "RtnMsg": message})

    async def work() -> web.Response:
        now = bank.clock.now()

        def act(db: Connection) -> None:
            trade = trades.find_by_number(db, merchant.id, form["MerchantTradeNo"])
            if trade is None or trade.trade_no != form["TradeNo"]:
                raise NotPossible("Trade not found.")
            if not DIGITS.fullmatch(form["TotalAmount"]):
                raise NotPossible("TotalAmount Error.")
            amount = int(form["TotalAmount"])
            cards.act(db, trade, form["Action"], amount_twd=amount, rules=bank.rules, now=now)

        try:
            await bank.do(act)
        except NotPossible as refused:
            return say(NOT_DONE, str(refused))
        return say(DONE, "Succeeded")

    number = form["MerchantTradeNo"]
    return await calls.answer(request, Moment.ACTION, number=number, work=work, say=say)


async def _read(request: web.Request, names: set[str]) -> tuple[Merchant, dict[str, str]]:
    """Read a question that is in order."""
    bank = request.app[BANK]
    posted = await read_form(request)
    form = dict(posted)
    merchant = bank.rules.merchants.get(form.get("MerchantID", ""))
    if merchant is None:
        raise Unreadable("MerchantID Error.")
    now = bank.clock.now()
    if names is QUERY and not request.app[GATE].lets_in(merchant.id, now=now):
        raise web.HTTPForbidden
    if len(form) < len(posted):
        raise Unreadable("A field is given more than once.")
    if not merchant.has_signed(form):
        raise Unreadable("CheckMacValue Error.")
    if missing := sorted(name for name in names if not form.get(name)):
        raise Unreadable(f"{', '.join(missing)} Error.")
    if strange := sorted(set(form) - names - OPTIONAL):
        raise Unreadable(f"{', '.join(strange)} Error.")
    if not TRADE_NUMBER.fullmatch(form["MerchantTradeNo"]):
        raise Unreadable("MerchantTradeNo Error.")
    stamp = form.get("TimeStamp", f"{now:.0f}")
    if not STAMP.fullmatch(stamp) or abs(int(stamp) - now) > STAMP_LASTS_SECONDS:
        raise Unreadable("TimeStamp Error.")
    return merchant, form


def _refuse(unreadable: Unreadable) -> web.Response:
    return web.Response(text=f"0|{unreadable}", content_type="text/html")


def _pairs(told: dict[str, str]) -> web.Response:
    return web.Response(text=urlencode(told), content_type="text/html")


ROUTES = [
    web.post("/ecpay/Cashier/QueryTradeInfo/V5", query),
    web.post("/ecpay/Cashier/QueryPaymentInfo", query_code),
    web.post("/ecpay/CreditDetail/DoAction", act),
]
