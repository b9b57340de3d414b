"""What servers ask LINE Pay: every call signed, every answer a returnCode."""

import hmac
import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from aiohttp import web

from deploy.sandbox import calls, money
from deploy.sandbox.bank import BANK
from deploy.sandbox.faults import Moment
from deploy.sandbox.line_pay import payments, requests
from deploy.sandbox.line_pay.payments import Payment
from deploy.sandbox.line_pay.requests import Refused
from deploy.sandbox.line_pay.signature import signature

PREFIX = "/line-pay"
Work = Callable[[], Awaitable[dict[str, object]]]


async def request_payment(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    body = await request.read()

    async def work() -> dict[str, object]:
        asked = requests.read_payment(body)
        now = bank.clock.now()
        payment = await bank.do(lambda db: payments.open_(db, asked, now=now))
        address = f"{bank.url}{PREFIX}/pay/{payment.page}"
        provider = {"paymentProvider": "TW_LINE_PAY"} if _version(request) == "v4" else {}
        return {
            "info": {
                "paymentUrl": {"web": address, "app": f"line://pay/payment/{payment.page}"},
                "transactionId": int(payment.transaction_id),
                "paymentAccessToken": payment.transaction_id[-12:],
                **provider,
            }
        }

    return await _answer(request, Moment.REQUEST, _order_id(body), work)


async def confirm(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    body, transaction_id = await request.read(), request.match_info["transaction_id"]

    async def work() -> dict[str, object]:
        confirmation = requests.read_confirmation(body)
        now = bank.clock.now()
        payment = await bank.do(
            lambda db: payments.confirm(
                db,
                transaction_id,
                confirmation,
                lasts_seconds=bank.rules.line_pay_expires_seconds,
                now=now,
            )
        )
        return {
            "info": {
                "orderId": payment.order_id,
                "transactionId": int(transaction_id),
                "payInfo": [{"method": "BALANCE", "amount": payment.amount_twd}],
                "packages": payment.request["packages"],
            }
        }

    return await _answer_about(request, Moment.CONFIRM, work)


async def check(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    transaction_id = request.match_info["transaction_id"]

    async def work() -> dict[str, object]:
        payment = await bank.do(lambda db: payments.load(db, transaction_id))
        lasts = bank.rules.line_pay_expires_seconds
        state = payment.state(lasts_seconds=lasts, now=bank.clock.now())
        return {"returnCode": state, "returnMessage": "Success."}

    return await _answer_about(request, Moment.CHECK, work)


async def refund(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    body, transaction_id = await request.read(), request.match_info["transaction_id"]

    async def work() -> dict[str, object]:
        amount = requests.read_refund(body).refundAmount
        now = bank.clock.now()
        number, at = await bank.do(
            lambda db: payments.refund(db, transaction_id, amount_twd=amount, now=now)
        )
        info = {"refundTransactionId": int(number), "refundTransactionDate": payments.iso(at)}
        return {"info": info}

    return await _answer_about(request, Moment.REFUND, work)


async def show_details(request: web.Request) -> web.Response:
    bank = request.app[BANK]
    asked = [*request.query.getall("transactionId", []), *request.query.getall("orderId", [])]

    async def work() -> dict[str, object]:
        if not asked:
            raise Refused("2101", "Parameter error: transactionId or orderId")
        found = await bank.do(lambda db: payments.list_completed(db, numbers=asked))
        if not found:
            raise Refused("1150", "There is no such transaction.")
        refunds = await bank.do(
            lambda db: {
                one.transaction_id: money.list_refunds(db, provider_number=one.transaction_id)
                for one in found
            }
        )
        return {"info": [_details(one, refunds[one.transaction_id]) for one in found]}

    return await _answer(request, Moment.DETAILS, asked[0] if asked else "", work)


async def _answer_about(request: web.Request, moment: Moment, work: Work) -> web.Response:
    """Answer a call about a payment; a second one like it must wait for the first to end."""
    bank, transaction_id = request.app[BANK], request.match_info["transaction_id"]
    if not await _is_signed(request):
        return _say("1106", "Header information error.")
    with bank.calling(moment, transaction_id) as is_only_one:
        if not is_only_one and moment is not Moment.CHECK:
            return _say("1198", "The same call is in progress.")
        try:
            payment = await bank.do(lambda db: payments.load(db, transaction_id))
            number = payment.order_id
        except Refused:
            number = ""
        return await _answer(request, moment, number, work)


async def _answer(request: web.Request, moment: Moment, number: str, work: Work) -> web.Response:
    """Answer whoever signed; refusals are answers, too."""

    async def reply() -> web.Response:
        try:
            told = await work()
        except Refused as refused:
            return _say(refused.code, refused.message)
        return web.json_response({"returnCode": "0000", "returnMessage": "Success."} | told)

    if not await _is_signed(request):
        return _say("1106", "Header information error.")
    return await calls.answer(request, moment, number=number, work=reply, say=_say)


async def _is_signed(request: web.Request) -> bool:
    rules, headers = request.app[BANK].rules, request.headers
    nonce = headers.get("X-LINE-Authorization-Nonce", "")
    try:
        is_uuid = str(UUID(nonce)) == nonce.lower()
    except ValueError:
        is_uuid = False
    if not is_uuid:
        return False
    if request.method == "POST":
        payload = await request.read()
        if request.content_type != "application/json" or request.query_string:
            return False
    else:
        payload = request.url.raw_query_string.encode()
    # What stands before the version is where the sandbox plays LINE Pay, no part of its paths.
    path = request.url.raw_path.removeprefix(PREFIX)
    right = signature(secret=rules.channel_secret, path=path, payload=payload, nonce=nonce)
    given = headers.get("X-LINE-Authorization", "")
    is_right = hmac.compare_digest(right.encode(), given.encode(errors="surrogateescape"))
    return is_right and headers.get("X-LINE-ChannelId") == rules.channel_id


def _say(code: str, message: str = "sandbox: this was asked for") -> web.Response:
    return web.json_response({"returnCode": code, "returnMessage": message})


def _details(payment: Payment, refunds: list[money.Refund]) -> dict[str, object]:
    assert payment.completed_at is not None
    back = [
        {
            "refundTransactionId": int(one.number),
            "transactionType": (
                "PAYMENT_REFUND" if one.amount_twd == payment.amount_twd else "PARTIAL_REFUND"
            ),
            "refundAmount": one.amount_twd,
            "refundTransactionDate": payments.iso(one.at),
        }
        for one in refunds
    ]
    product = payment.request["packages"][0]["products"][0]["name"]
    return {
        "transactionId": int(payment.transaction_id),
        "transactionDate": payments.iso(payment.completed_at),
        "transactionType": "PAYMENT",
        "payStatus": "CAPTURE",
        "productName": product,
        "merchantName": "Examhall",
        "currency": requests.CURRENCY,
        "payInfo": [{"method": "BALANCE", "amount": payment.amount_twd}],
        "orderId": payment.order_id,
        **({"refundList": back} if back else {}),
    }


def _order_id(body: bytes) -> str:
    """Which order a request is for, as far as it can be read."""
    try:
        return str(json.loads(body).get("orderId", ""))
    except (ValueError, AttributeError):
        return ""


def _version(request: web.Request) -> str:
    return request.match_info["version"]


VERSION = r"{version:v3|v4}"
TRANSACTION = r"{transaction_id:\d{19}}"
ROUTES = [
    web.post(f"{PREFIX}/{VERSION}/payments/request", request_payment),
    web.post(f"{PREFIX}/{VERSION}/payments/{TRANSACTION}/confirm", confirm),
    web.get(f"{PREFIX}/{VERSION}/payments/requests/{TRANSACTION}/check", check),
    web.post(f"{PREFIX}/{VERSION}/payments/{TRANSACTION}/refund", refund),
    web.get(f"{PREFIX}/{VERSION}/payments", show_details),
]
