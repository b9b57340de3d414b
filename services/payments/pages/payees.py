"""To whom a refund is sent that no provider can make: a postal money order needs an address."""

from aiohttp import web

from services.payments import payees, refund_book
from services.payments.order_book import NoSuchOrder
from services.payments.pages import own
from services.payments.payee_form import PayeeForm
from services.payments.refunds import AlreadyDone
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT


async def show_payee(request: web.Request) -> web.Response:
    return await _ask(request, Form.blank(PayeeForm))


async def _ask(request: web.Request, form: Form[PayeeForm]) -> web.Response:
    refund_id = own.named(request, "refund_id")
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
        refunds = await refund_book.list_of_order(tx, order_id=order.id)
    refund = next((refund for refund in refunds if refund.id == refund_id), None)
    if refund is None or refund.is_undecided:
        raise NoSuchOrder
    if refund.state == "completed":
        raise web.HTTPSeeOther(own.address(order))
    return render(
        request,
        "candidate/show_payee.html",
        status=422 if form.errors else 200,
        order=order,
        refund=refund,
        form=form,
    )


async def give_payee(request: web.Request) -> web.Response:
    form = Form.read(PayeeForm, await request.post())
    if form.value is None:
        return await _ask(request, form)
    async with transaction(request.app[POOL]) as tx:
        order = await own.load(tx, request)
        try:
            await payees.give(
                tx,
                refund_id=own.named(request, "refund_id"),
                account_id=request[PRINCIPAL].id,
                payee=form.value.given,
                vault=request.app[VAULT],
                now=request[ARRIVED_AT],
            )
        except AlreadyDone:
            notice = ""  # paid meanwhile: the order's page says so
        else:
            notice = "?payee"
    raise web.HTTPSeeOther(own.address(order, notice))


ROUTES = [
    web.get("/{order_id}/refunds/{refund_id}/payee", show_payee),
    web.post("/{order_id}/refunds/{refund_id}/payee", give_payee),
]
