"""Ending a registration that stands in somebody's way, and finding it by the ID number it names."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, StringConstraints

from services.enrollment import answers, registration_lists
from services.enrollment.form_fields import PersonalId
from services.enrollment.registrations import deciding
from services.enrollment.staff import dossiers
from shared import audit
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT

LIST = "/enrollment/staff/registrations"
LONGEST_REASON = 300


class Ending(BaseModel):
    """Why it ends."""

    reason: Annotated[
        str,
        StringConstraints(max_length=LONGEST_REASON),
        Says(mark("Write why it ends"), mark("Write at most 300 characters")),
    ]


class Number(BaseModel):
    """An ID number."""

    identity_number: PersonalId


async def show_ending(request: web.Request) -> web.Response:
    return await _show(request, Form.blank(Ending))


async def _show(request: web.Request, form: Form[Ending]) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        dossier = await dossiers.load(tx, request)
    return render(
        request,
        "staff/show_ending.html",
        status=422 if form.errors else 200,
        dossier=dossier,
        registration=dossier.registration,
        form=form,
    )


async def end(request: web.Request) -> web.Response:
    """End it: the place is free at once, and the holder reads why."""
    form = Form.read(Ending, await request.post())
    if form.value is None:
        return await _show(request, form)
    registration_id = dossiers.registration_id(request)
    async with transaction(request.app[POOL]) as tx:
        await deciding.end(
            tx,
            registration_id=registration_id,
            reason=form.value.reason,
            actor=str(request[PRINCIPAL].id),
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"{LIST}/{registration_id}")


async def find_person(request: web.Request) -> web.Response:
    """Find what a person holds; the number is posted, so that it stands in no address."""
    form = Form.read(Number, await request.post())
    found = None
    if form.value is not None:
        person = answers.digest_person(request.app[VAULT], form.value.identity_number)
        async with transaction(request.app[POOL]) as tx:
            found = await registration_lists.find_of_person(tx, person=person)
            subject = f"registration {found.id}" if found else "registrations"
            line = Line(str(request[PRINCIPAL].id), "person_looked_for", subject, {})
            await audit.record(tx, [line])
    raise web.HTTPSeeOther(f"{LIST}/{found.id}" if found else f"{LIST}?nobody")


ROUTES = [
    web.post("/registrations/persons", find_person),
    web.get("/registrations/{registration_id}/ending", show_ending),
    web.post("/registrations/{registration_id}/ending", end),
]
