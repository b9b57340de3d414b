"""Deciding about a registration: taken first, then approved, returned or refused."""

from aiohttp import web

from services.enrollment import documents, reviews
from services.enrollment.registrations import deciding
from services.enrollment.reviews import Reviewer
from services.enrollment.staff import dossiers
from services.enrollment.staff.return_forms import ReturnForm
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.events.enrollment import ReturnedDocument
from shared.observe import ARRIVED_AT
from shared.templates import TEMPLATES
from shared.vault import VAULT

QUEUE = "/enrollment/staff/review"


def _reviewer(request: web.Request) -> Reviewer:
    return Reviewer(request[PRINCIPAL].id, request[PRINCIPAL].name)


async def take(request: web.Request) -> web.Response:
    """Take a registration, or keep it for longer."""
    registration_id = dossiers.registration_id(request)
    async with transaction(request.app[POOL]) as tx:
        await reviews.take(
            tx,
            registration_id=registration_id,
            reviewer=_reviewer(request),
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"/enrollment/staff/registrations/{registration_id}")


async def release(request: web.Request) -> web.Response:
    registration_id = dossiers.registration_id(request)
    async with transaction(request.app[POOL]) as tx:
        await reviews.release(tx, registration_id=registration_id, reviewer=_reviewer(request))
    raise web.HTTPSeeOther(f"{QUEUE}?done=released")


async def approve(request: web.Request) -> web.Response:
    reviewer, registration_id = _reviewer(request), dossiers.registration_id(request)
    async with transaction(request.app[POOL]) as tx:
        await reviews.finish(tx, registration_id=registration_id, reviewer=reviewer.id)
        await deciding.approve(
            tx,
            registration_id=registration_id,
            vault=request.app[VAULT],
            actor=str(reviewer.id),
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"{QUEUE}?done=approved")


async def return_documents(request: web.Request) -> web.Response:
    reviewer, posted = _reviewer(request), await request.post()
    async with transaction(request.app[POOL]) as tx:
        dossier = await dossiers.load(tx, request)
        form = ReturnForm.read(
            dossier.documents, posted, catalogues=request.app[TEMPLATES].catalogues
        )
        if not form.errors:
            registration_id = dossier.registration.id
            await reviews.finish(tx, registration_id=registration_id, reviewer=reviewer.id)
            await documents.return_(tx, registration_id=registration_id, reasons=form.reasons)
            await deciding.return_documents(
                tx,
                registration_id=registration_id,
                documents=[
                    ReturnedDocument(document=code, reason=reason)
                    for code, reason in form.reasons.items()
                ],
                actor=str(reviewer.id),
                now=request[ARRIVED_AT],
            )
    if form.errors:
        return await dossiers.show(request, form=form)
    raise web.HTTPSeeOther(f"{QUEUE}?done=returned")


async def refuse(request: web.Request) -> web.Response:
    reviewer, registration_id = _reviewer(request), dossiers.registration_id(request)
    async with transaction(request.app[POOL]) as tx:
        await reviews.finish(tx, registration_id=registration_id, reviewer=reviewer.id)
        await deciding.refuse(
            tx, registration_id=registration_id, actor=str(reviewer.id), now=request[ARRIVED_AT]
        )
    raise web.HTTPSeeOther(f"{QUEUE}?done=refused")


ROUTES = [
    web.post("/registrations/{registration_id}/review", take),
    web.post("/registrations/{registration_id}/release", release),
    web.post("/registrations/{registration_id}/approval", approve),
    web.post("/registrations/{registration_id}/return", return_documents),
    web.post("/registrations/{registration_id}/refusal", refuse),
]
