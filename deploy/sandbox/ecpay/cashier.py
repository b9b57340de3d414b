"""ECPay's cashier, as browsers see it: opened by a signed form, then pages to click through."""

from collections.abc import Mapping
from sqlite3 import Connection

from aiohttp import web

from deploy.sandbox import calls
from deploy.sandbox.bank import BANK
from deploy.sandbox.ecpay import desk, messages, orders, trades
from deploy.sandbox.ecpay.orders import Refused
from deploy.sandbox.ecpay.trades import BANKS, NotPossible, Trade
from deploy.sandbox.faults import Moment
from deploy.sandbox.pages import page, read_form, refuse_other_sites, see_other

BANK_NAMES = {
    "ATM_BOT": "臺灣銀行 Bank of Taiwan (004)",
    "ATM_TAISHIN": "台新銀行 Taishin (812)",
    "ATM_ESUN": "玉山銀行 E.SUN (808)",
    "ATM_CHINATRUST": "中國信託 CTBC (822)",
}


async def check_out(request: web.Request) -> web.Response:
    """The browser brings the shop's form."""
    posted = await read_form(request)

    async def work() -> web.Response:
        bank = request.app[BANK]
        try:
            order = orders.read(posted, bank.rules.merchants)
            now = bank.clock.now()
            trade = await bank.do(lambda db: trades.open_(db, order, now=now))
        except Refused as refused:
            return page("ecpay/refused.html", status=400, refused=refused)
        return see_other(f"/ecpay/cashier/{trade.trade_no}")

    def say(code: str) -> web.Response:
        return page("ecpay/refused.html", status=400, refused=Refused(code, "Error."))

    number = posted.get("MerchantTradeNo", "")
    return await calls.answer(request, Moment.CHECKOUT, number=number, work=work, say=say)


async def show(request: web.Request) -> web.Response:
    """The page of the trade's state: pay here, take the code along, or go back to the shop."""
    return _show(request, await _load(request))


async def choose(request: web.Request) -> web.Response:
    """Somebody pressed a button: pay, decline, or get the code."""
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    trade_no, form = request.match_info["trade_no"], await read_form(request)
    await _load(request)
    now = bank.clock.now()

    def work(db: Connection) -> Trade:
        trade = trades.find(db, trade_no)
        assert trade is not None
        match form.get("choice"):
            case "pay" if trade.method == "Credit":
                return desk.pay(db, trade, bank.rules, now=now)
            case "decline":
                return desk.decline(db, trade, bank.rules, now=now)
            case "issue":
                chosen = form.get("bank") or "ATM_BOT"
                return desk.issue(db, trade, bank.rules, bank=chosen, now=now)
        raise NotPossible("請選擇。 Choose what to do.")

    try:
        await bank.do(work)
    except NotPossible as refused:
        return _show(request, await _load(request), fault=str(refused), status=409)
    return see_other(f"/ecpay/cashier/{trade_no}")


async def _load(request: web.Request) -> Trade:
    trade_no = request.match_info["trade_no"]
    trade = await request.app[BANK].do(lambda db: trades.find(db, trade_no))
    if trade is None:
        raise web.HTTPNotFound
    return trade


def _show(
    request: web.Request, trade: Trade, *, fault: str = "", status: int = 200
) -> web.Response:
    bank = request.app[BANK]
    now = bank.clock.now()
    result_url = trade.form.get("OrderResultURL", "")
    is_over = bool(trade.paid_at or trade.declined_at)
    result: Mapping[str, str] = {}
    if result_url and is_over:
        merchant = bank.rules.merchants[trade.merchant]
        result = merchant.sign(messages.paid(trade, message="Succeeded", now=now))
    return page(
        "ecpay/cashier.html",
        status=status,
        leads_to=[result_url],
        trade=trade,
        items=trade.form["ItemName"].split("#"),
        is_open=trade.is_open(now),
        is_payable=trade.is_payable(now),
        banks={name: BANK_NAMES[name] for name in BANKS},
        bank_name=BANK_NAMES.get(trade.bank, ""),
        back_url=trade.form.get("ClientBackURL", ""),
        result_url=result_url,
        result=result,
        fault=fault,
    )


ROUTES = [
    web.post("/ecpay/Cashier/AioCheckOut/V5", check_out),
    web.get(r"/ecpay/cashier/{trade_no:\d{20}}", show),
    web.post(r"/ecpay/cashier/{trade_no:\d{20}}", choose),
]
