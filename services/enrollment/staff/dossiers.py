"""One registration, for registrars: its data beside its documents, and who has it before them."""

from uuid import UUID

from aiohttp import web

from services.enrollment import (
    documents,
    dossiers,
    names,
    registration_lists,
    registrations,
    return_reasons,
    reviews,
)
from services.enrollment.document_store import DOCUMENT_STORE
from services.enrollment.dossiers import Dossier
from services.enrollment.form_steps import FOLLOWING, STEPS
from services.enrollment.registration_lists import STATES
from services.enrollment.registrations import NoSuchRegistration
from services.enrollment.staff.return_forms import ReturnForm
from shared import audit
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT

NUMBER = "identity_number"


def registration_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["registration_id"])
    except ValueError:
        raise NoSuchRegistration from None


async def load(tx: Tx, request: web.Request) -> Dossier:
    return await dossiers.load(
        tx,
        registration=await registrations.load(tx, registration_id=registration_id(request)),
        vault=request.app[VAULT],
        now=request[ARRIVED_AT],
    )


async def show_registration(request: web.Request) -> web.Response:
    return await show(request)


async def show(
    request: web.Request, *, form: ReturnForm | None = None, number: str | None = None
) -> web.Response:
    """Show a registration, its number in part unless somebody asked for all of it."""
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        dossier = await load(tx, request)
        related = await registration_lists.list_related(tx, registration=dossier.registration)
        review = await reviews.find(tx, registration_id=dossier.registration.id, now=now)
        known = await names.load(tx)
    return render(
        request,
        "staff/show_registration.html",
        status=422 if form is not None else 200,
        dossier=dossier,
        registration=dossier.registration,
        steps=[
            (step, [name for name in STEPS[step].model_fields if _is_shown(name, dossier)])
            for step in dossier.steps
        ],
        number=number,
        related=related,
        review=review,
        is_mine=review is not None and review.reviewer == request[PRINCIPAL].id,
        form=form or ReturnForm.blank(dossier.documents),
        prepared=return_reasons.REASONS,
        names=known,
        states=STATES,
        now=now,
        zone=dossier.sitting.zone,
    )


def _is_shown(name: str, dossier: Dossier) -> bool:
    """Show what was asked; what is asked because of another answer only where it was."""
    is_asked = dossier.questions.asks(name)
    return is_asked and (name not in FOLLOWING or name in dossier.answers)


async def show_number(request: web.Request) -> web.Response:
    """Show the whole ID number, and remember who looked at it."""
    async with transaction(request.app[POOL]) as tx:
        dossier = await load(tx, request)
        subject = f"registration {dossier.registration.id}"
        line = Line(str(request[PRINCIPAL].id), "identity_number_shown", subject, {})
        await audit.record(tx, [line])
    return await show(request, number=dossier.answers.get(NUMBER))


async def show_picture(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        registration = await registrations.load(tx, registration_id=registration_id(request))
        kept = await documents.load(
            tx, registration_id=registration.id, document=request.match_info["document"]
        )
    store = request.app[DOCUMENT_STORE]
    return await store.answer(kept.id, name=f"{registration.reference}-{kept.document}")


ROUTES = [
    web.get("/registrations/{registration_id}", show_registration),
    web.post("/registrations/{registration_id}/number", show_number),
    web.get("/registrations/{registration_id}/documents/{document}", show_picture),
]
