"""Finance decides about money that nobody owed: it goes back, is kept, or finds its order."""

from aiohttp import web

from services.payments import order_lists, refunds, settlement
from services.payments.staff import asked, money
from services.payments.staff.money import Judgement, Owner
from shared import audit
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT

NO_SUCH_ORDER = mark("No order has this number")


async def judge(request: web.Request) -> web.Response:
    """Propose what becomes of it. A colleague approves, before anything moves."""
    capture_id, actor = asked.named(request, "capture_id"), request[PRINCIPAL].id
    form = Form.read(Judgement, await request.post())
    if form.value is None:
        return await money.show(request, capture_id, judgement=form)
    facts = {"choice": form.value.choice, "note": form.value.note}
    async with transaction(request.app[POOL]) as tx:
        refund_id = await refunds.take_surplus(
            tx,
            capture_id=capture_id,
            keep=form.value.choice == "keep",
            actor=actor,
            now=request[ARRIVED_AT],
        )
        line = audit.Line(str(actor), "money_judged", f"capture {capture_id}", facts)
        await audit.record(tx, [line])
    raise web.HTTPSeeOther(f"/payments/staff/refunds/{refund_id}?done=proposed")


async def match(request: web.Request) -> web.Response:
    """Say to which order an orphan belongs."""
    capture_id = asked.named(request, "capture_id")
    form = Form.read(Owner, await request.post())
    if form.value is None:
        return await money.show(request, capture_id, owner=form)
    async with transaction(request.app[POOL]) as tx:
        number = asked.number(form.value.reference)
        order = await order_lists.find_by_number(tx, number=number)
        if order is not None:
            await settlement.match(
                tx,
                capture_id=capture_id,
                order_id=order.id,
                note=form.value.why,
                actor=request[PRINCIPAL].id,
                now=request[ARRIVED_AT],
            )
    if order is None:
        form.add_error("reference", NO_SUCH_ORDER)
        return await money.show(request, capture_id, owner=form)
    raise web.HTTPSeeOther(f"/payments/staff/money/{capture_id}?done=matched")


ROUTES = [
    web.post("/money/{capture_id}/judgement", judge),
    web.post("/money/{capture_id}/owner", match),
]
