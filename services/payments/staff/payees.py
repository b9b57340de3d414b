"""Payees, for finance alone: who gets a postal money order, one by one and as a list."""

from zoneinfo import ZoneInfo

from aiohttp import web

from services.payments import payees, refund_lists
from services.payments.payee_form import PayeeForm
from services.payments.refund_lists import REASONS, Listed
from services.payments.staff import asked
from shared import exports
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.i18n import last_minute, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate
from shared.vault import VAULT

COLUMNS = (
    mark("Reference number"),
    mark("Name"),
    mark("Postal code"),
    mark("Address"),
    mark("Telephone"),
    mark("Amount"),
    mark("Reason"),
    mark("Pay out by"),
    mark("Refund"),
)


async def show_payee(request: web.Request) -> web.Response:
    """Show to whom a refund goes. That somebody looked is on record."""
    refund_id = asked.named(request, "refund_id")
    async with transaction(request.app[POOL]) as tx:
        listed = await refund_lists.load(tx, refund_id=refund_id)
        payee = await payees.open_(
            tx,
            refund_id=refund_id,
            vault=request.app[VAULT],
            actor=request[PRINCIPAL].id,
        )
    known = (
        {
            "payee": payee.name,
            "postal_code": payee.postal_code,
            "address": payee.address,
            "phone": payee.phone,
        }
        if payee
        else {}
    )
    return render(
        request,
        "staff/show_payee.html",
        listed=listed,
        payee=payee,
        form=Form.blank(PayeeForm, **known),
    )


async def enter_payee(request: web.Request) -> web.Response:
    refund_id = asked.named(request, "refund_id")
    form = Form.read(PayeeForm, await request.post())
    async with transaction(request.app[POOL]) as tx:
        listed = await refund_lists.load(tx, refund_id=refund_id)
        if form.value is not None:
            await payees.enter(
                tx,
                refund_id=refund_id,
                payee=form.value.given,
                vault=request.app[VAULT],
                actor=request[PRINCIPAL].id,
                now=request[ARRIVED_AT],
            )
    if form.value is None:
        return render(
            request, "staff/show_payee.html", status=422, listed=listed, payee=None, form=form
        )
    raise web.HTTPSeeOther(f"/payments/staff/refunds/{refund_id}?done=payee")


async def export_payees(request: web.Request) -> web.Response:
    """Write the list for the post office: every refund that is approved and goes by money order."""
    zone = request.app[SETTINGS].time_zone
    async with transaction(request.app[POOL]) as tx:
        opened = await refund_lists.open_payees(
            tx, vault=request.app[VAULT], actor=request[PRINCIPAL].id
        )
    rows = [
        (
            listed.reference,
            payee.name if payee else None,
            payee.postal_code if payee else None,
            payee.address if payee else None,
            payee.phone if payee else None,
            listed.refund.amount_twd,
            translate(request, REASONS.get(listed.refund.reason, listed.refund.reason)),
            _last_day(listed, zone),
            str(listed.refund.id),
        )
        for listed, payee in opened
    ]
    return await exports.answer(request, name="payees", header=COLUMNS, rows=rows)


def _last_day(listed: Listed, zone: ZoneInfo) -> str | None:
    by = listed.pay_out_by(zone)
    return last_minute(by).astimezone(zone).date().isoformat() if by else None


ROUTES = [
    web.get("/refunds/{refund_id}/payee", show_payee),
    web.post("/refunds/{refund_id}/payee", enter_payee),
    web.post("/payees/exports", export_payees),
]
