"""LINE Pay's page, on which the payer approves, cancels, cannot pay, or walks away."""

from sqlite3 import Connection

from aiohttp import web
from yarl import URL

from deploy.sandbox.bank import BANK
from deploy.sandbox.line_pay import payments
from deploy.sandbox.line_pay.payments import Payment
from deploy.sandbox.pages import page, read_form, refuse_other_sites, see_other

CHOICES = {"approve", "approve_only", "cancel", "fail"}


async def show(request: web.Request) -> web.Response:
    return _show(request, await _load(request))


async def choose(request: web.Request) -> web.Response:
    """Somebody pressed a button."""
    bank = request.app[BANK]
    refuse_other_sites(request, bank.url)
    payment = await _load(request)
    choice = (await read_form(request)).get("choice", "")
    if choice not in CHOICES:
        return _show(request, payment, status=422)
    now = bank.clock.now()

    def work(db: Connection) -> bool:
        again = payments.load(db, payment.transaction_id)
        state = again.state(lasts_seconds=bank.rules.line_pay_expires_seconds, now=now)
        if state != payments.NOT_APPROVED:
            return False
        change = {"cancel": payments.cancel, "fail": payments.fail}.get(choice, payments.approve)
        change(db, again, now=now)
        return True

    if not await bank.do(work):
        return _show(request, await _load(request), status=409)
    if choice == "approve":
        return see_other(_back(payment, payment.confirm_url))
    if choice == "cancel":
        return see_other(_back(payment, payment.cancel_url))
    return see_other(str(request.rel_url))


async def _load(request: web.Request) -> Payment:
    name = request.match_info["page"]
    payment = await request.app[BANK].do(lambda db: payments.find_by_page(db, name))
    if payment is None:
        raise web.HTTPNotFound
    return payment


def _show(request: web.Request, payment: Payment, *, status: int = 200) -> web.Response:
    bank = request.app[BANK]
    lasts = bank.rules.line_pay_expires_seconds
    return page(
        "line_pay/pay.html",
        status=status,
        leads_to=[payment.confirm_url, payment.cancel_url],
        payment=payment,
        state=payment.state(lasts_seconds=lasts, now=bank.clock.now()),
        until=payment.requested_at + lasts,
        confirm_url=_back(payment, payment.confirm_url),
        cancel_url=_back(payment, payment.cancel_url),
    )


def _back(payment: Payment, address: str) -> str:
    """Where the browser returns to; this proves nothing to the shop."""
    numbers = {"transactionId": payment.transaction_id, "orderId": payment.order_id}
    return str(URL(address).update_query(numbers))


ROUTES = [
    web.get("/line-pay/pay/{page}", show),
    web.post("/line-pay/pay/{page}", choose),
]
