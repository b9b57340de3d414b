"""Applications for money back, for finance alone: read beside their proofs, and decided by two."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import hdrs, web
from pydantic import BaseModel

from services.payments import application_book, applications, order_book
from services.payments.application_book import STATES
from services.payments.staff import asked
from services.payments.staff.asked import SHOWN, Note
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render
from shared.vault import VAULT

REASONS = {
    "postponed": mark("exam postponed"),
    "disaster": mark("natural disaster"),
    "transport": mark("transport was cut off"),
    "military": mark("called up for military service"),
    "health": mark("illness, injury or childbirth"),
    "family": mark("wedding of one's own, or a funeral in the family"),
    "other": mark("another reason beyond one's control"),
}


class Recommendation(BaseModel):
    """What somebody of finance recommends, and what the candidate is told."""

    verdict: Annotated[Literal["grant", "refuse"], Says(mark("Choose what you recommend"))]
    words: Note


async def list_applications(request: web.Request) -> web.Response:
    state = asked.choice(request.query.get("state", ""), STATES, otherwise="sent")
    async with transaction(request.app[POOL]) as tx:
        found = await application_book.list_(
            tx, state=state, limit=SHOWN + 1, after=asked.after(request)
        )
        counts = await application_book.count_states(tx)
    return render(
        request,
        "staff/list_applications.html",
        state=state,
        states=STATES,
        reasons=REASONS,
        counts=counts,
        applications=found[:SHOWN],
        has_more=len(found) > SHOWN,
        zone=request.app[SETTINGS].time_zone,
    )


async def show_application(request: web.Request) -> web.Response:
    return await _show(request, asked.named(request, "application_id"))


async def _show(
    request: web.Request, application_id: UUID, *, form: Form[Any] | None = None
) -> web.Response:
    """Show what a candidate wrote beside the proofs. That somebody read it is on record."""
    async with transaction(request.app[POOL]) as tx:
        opened = await application_book.open_(
            tx,
            application_id=application_id,
            vault=request.app[VAULT],
            actor=request[PRINCIPAL].id,
        )
        order = await order_book.load_any(tx, order_id=opened.application.order_id)
        items = await order_book.list_items(tx, order_id=order.id)
    return render(
        request,
        "staff/show_application.html",
        status=422 if form else 200,
        opened=opened,
        application=opened.application,
        order=order,
        item=next(
            each for each in items if each.registration_id == opened.application.registration_id
        ),
        form=form or Form.blank(Recommendation),
        me=request[PRINCIPAL].id,
        states=STATES,
        reasons=REASONS,
        done=request.query.get("done", ""),
        zone=request.app[SETTINGS].time_zone,
    )


async def show_proof(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        proof = await application_book.open_proof(
            tx,
            proof_id=asked.named(request, "proof_id"),
            vault=request.app[VAULT],
            actor=request[PRINCIPAL].id,
        )
    ending = proof.media_type.rpartition("/")[2]
    # As a file, not as a page: a picture shows inside ours all the same.
    return web.Response(
        body=proof.content,
        content_type=proof.media_type,
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="proof.{ending}"'},
    )


async def recommend(request: web.Request) -> web.Response:
    application_id = asked.named(request, "application_id")
    form = Form.read(Recommendation, await request.post())
    if form.value is None:
        return await _show(request, application_id, form=form)
    async with transaction(request.app[POOL]) as tx:
        await applications.recommend(
            tx,
            application_id=application_id,
            verdict=form.value.verdict,
            words=form.value.words,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _done(request, "recommended")


async def decide(request: web.Request) -> web.Response:
    """Follow a colleague's recommendation: what is granted goes back by rule."""
    async with transaction(request.app[POOL]) as tx:
        await applications.decide(
            tx,
            application_id=asked.named(request, "application_id"),
            actor=request[PRINCIPAL].id,
            vault=request.app[VAULT],
            now=request[ARRIVED_AT],
        )
    return _done(request, "decided")


async def send_back(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        await applications.send_back(
            tx,
            application_id=asked.named(request, "application_id"),
            actor=request[PRINCIPAL].id,
        )
    return _done(request, "sent_back")


def _done(request: web.Request, what: str) -> web.Response:
    application_id = asked.named(request, "application_id")
    raise web.HTTPSeeOther(f"/payments/staff/desk/applications/{application_id}?done={what}")


ROUTES = [
    web.get("/applications", list_applications),
    web.get("/applications/{application_id}", show_application),
    web.post("/applications/{application_id}/recommendation", recommend),
    web.post("/applications/{application_id}/decision", decide),
    web.post("/applications/{application_id}/return", send_back),
    web.get("/proofs/{proof_id}", show_proof),
]
