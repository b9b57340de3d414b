"""Recognising organisations, for administrators: who applied, and whether they may check."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.scoring import looks, organisations
from services.scoring.organisations import STATES
from services.scoring.staff import asked
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

SHOWN = 200
PAGE = "/scoring/staff/organisations/"
WORDS = {
    "applied": mark("Waits for a decision"),
    "approved": mark("Approved to check statements"),
    "refused": mark("Refused"),
}
CHOOSE = mark("Choose whether they may check statements")


class Decision(BaseModel):
    """What is decided, why, and on what state of things."""

    decision: Annotated[Literal["approve", "refuse"], Says(CHOOSE)]
    reason: Annotated[str, AfterValidator(asked.read_reason), Says(asked.WRITE_REASON)]
    seen: Annotated[str, Says(CHOOSE)]


async def list_organisations(request: web.Request) -> web.Response:
    state = request.query.get("state", STATES[0])
    async with transaction(request.app[POOL]) as tx:
        found = await organisations.list_(tx, state=state, limit=SHOWN)
    return render(
        request,
        "staff/list_organisations.html",
        organisations=found,
        state=state,
        words=WORDS,
        zone=request.app[SETTINGS].time_zone,
    )


async def show_organisation(request: web.Request) -> web.Response:
    return await _show(request, None)


async def _show(request: web.Request, form: Form[Decision] | None) -> web.Response:
    organisation_id = asked.named(request, "organisation_id")
    async with transaction(request.app[POOL]) as tx:
        organisation = await organisations.load(tx, organisation_id=organisation_id)
        checked = await looks.list_of_organisation(tx, organisation_id=organisation_id)
    return render(
        request,
        "staff/show_organisation.html",
        status=422 if form and form.errors else 200,
        organisation=organisation,
        form=form or Form.blank(Decision, seen=organisation.state),
        count=len(checked),
        words=WORDS,
        zone=request.app[SETTINGS].time_zone,
    )


async def decide(request: web.Request) -> web.Response:
    form = Form.read(Decision, await request.post())
    if form.value is None:
        return await _show(request, form)
    organisation_id = asked.named(request, "organisation_id")
    async with transaction(request.app[POOL]) as tx:
        await organisations.decide(
            tx,
            organisation_id=organisation_id,
            is_approved=form.value.decision == "approve",
            reason=form.value.reason,
            seen=form.value.seen,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"{PAGE}{organisation_id}")


ROUTES = [
    web.get("/", list_organisations),
    web.get("/{organisation_id}", show_organisation),
    web.post("/{organisation_id}/decision", decide),
]
