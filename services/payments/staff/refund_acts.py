"""Finance moves refunds on: proposed by one, approved by another, paid, looked up."""

from aiohttp import web
from multidict import MultiMapping

from services.payments import refund_lists, refund_sends, refunds
from services.payments.staff import asked
from services.payments.staff.refunds import Finding, PaidByHand, SendingBack, show
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS

IN_THE_FUTURE = mark("This day is still to come")
BEFORE_APPROVAL = mark("On this day the refund had not been approved")
# What finance may propose; what is kept is proposed where the money is judged.
PROPOSED_WAYS = {"provider", "payee"}


async def propose(request: web.Request) -> web.Response:
    way = str((await request.post()).get("way", ""))
    if way not in PROPOSED_WAYS:
        raise NoSuchPage
    async with transaction(request.app[POOL]) as tx:
        await refunds.propose(
            tx,
            refund_id=asked.named(request, "refund_id"),
            route=way,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _done(request, "proposed")


async def approve(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        await refunds.approve(
            tx,
            refund_id=asked.named(request, "refund_id"),
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _done(request, "approved")


async def send_back(request: web.Request) -> web.Response:
    """Do not follow a proposal. If nobody was promised anything, the money is undecided again."""
    refund_id = asked.named(request, "refund_id")
    form = Form.read(SendingBack, await request.post())
    if form.value is None:
        return await show(request, refund_id, sending_back=form)
    async with transaction(request.app[POOL]) as tx:
        listed = await refund_lists.load(tx, refund_id=refund_id)
        await refunds.send_back(
            tx, refund_id=refund_id, actor=request[PRINCIPAL].id, words=form.value.words
        )
    if listed.refund.is_told:
        return _done(request, "sent_back")
    raise web.HTTPSeeOther(f"/payments/staff/money/{listed.refund.capture_id}?done=sent_back")


async def mark_paid(request: web.Request) -> web.Response:
    """Write down the money order with which it was paid."""
    refund_id = asked.named(request, "refund_id")
    form = await _read_payment(request, await request.post())
    if form.value is None:
        return await show(request, refund_id, paid_by_hand=form)
    async with transaction(request.app[POOL]) as tx:
        await refunds.mark_paid(
            tx,
            refund_id=refund_id,
            number=form.value.number,
            paid_on=form.value.paid_on,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _done(request, "paid")


async def _read_payment(request: web.Request, posted: MultiMapping[object]) -> Form[PaidByHand]:
    form = Form.read(PaidByHand, posted)
    if form.value is None:
        return form
    zone = request.app[SETTINGS].time_zone
    async with transaction(request.app[POOL]) as tx:
        refund = (await refund_lists.load(tx, refund_id=asked.named(request, "refund_id"))).refund
    if form.value.paid_on > request[ARRIVED_AT].astimezone(zone).date():
        form.add_error("paid_on", IN_THE_FUTURE)
    elif refund.approved_at and form.value.paid_on < refund.approved_at.astimezone(zone).date():
        form.add_error("paid_on", BEFORE_APPROVAL)
    return form


async def settle_stuck(request: web.Request) -> web.Response:
    """Say what became of a refund, after a look at the provider's own pages."""
    refund_id = asked.named(request, "refund_id")
    form = Form.read(Finding, await request.post())
    if form.value is None:
        return await show(request, refund_id, finding=form)
    async with transaction(request.app[POOL]) as tx:
        await refund_sends.settle_stuck(
            tx,
            refund_id=refund_id,
            happened=form.value.happened == "yes",
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _done(request, "found_out")


def _done(request: web.Request, what: str) -> web.Response:
    refund_id = asked.named(request, "refund_id")
    raise web.HTTPSeeOther(f"/payments/staff/refunds/{refund_id}?done={what}")


ROUTES = [
    web.post("/refunds/{refund_id}/proposal", propose),
    web.post("/refunds/{refund_id}/approval", approve),
    web.post("/refunds/{refund_id}/return", send_back),
    web.post("/refunds/{refund_id}/payment", mark_paid),
    web.post("/refunds/{refund_id}/finding", settle_stuck),
]
