"""Checking one's answers and sending them, once; and handing in documents that were returned."""

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel

from services.enrollment import answers, documents, rules
from services.enrollment.documents import NotReplaced
from services.enrollment.dossiers import Dossier
from services.enrollment.pages import own
from services.enrollment.registrations import deciding, drafts, fixing
from services.enrollment.registrations.drafts import AlreadySent
from shared.arrival import arrived_at
from shared.auth import PRINCIPAL
from shared.days import end_of_day
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT


class Confirmation(BaseModel):
    """The second time that somebody says that everything is right."""

    certain: Annotated[
        Literal["yes"],
        Says(mark("Confirm that everything is right and that you know it cannot be changed")),
    ]


async def check_answers(request: web.Request) -> web.Response:
    dossier, now = await own.look(request)
    registration = dossier.registration
    if registration.submitted_at is None and now >= registration.submit_by:
        raise web.HTTPSeeOther(own.address(registration))
    return render(
        request,
        "candidate/check_answers.html",
        dossier=dossier,
        registration=registration,
        now=now,
    )


async def show_sending(request: web.Request) -> web.Response:
    return await _ask(request, Form.blank(Confirmation))


async def _ask(request: web.Request, form: Form[Confirmation]) -> web.Response:
    dossier, now = await own.look(request)
    registration = dossier.registration
    if registration.submitted_at is not None:
        raise web.HTTPSeeOther(own.address(registration, "/sent"))
    if registration.has_ended or now >= registration.submit_by:
        raise web.HTTPSeeOther(own.address(registration))
    if not dossier.is_complete:
        raise web.HTTPSeeOther(own.address(registration, "/check"))
    return render(
        request,
        "candidate/show_sending.html",
        status=422 if form.errors else 200,
        dossier=dossier,
        registration=registration,
        pay_by=_pay_by(dossier, now),
        form=form,
    )


def _pay_by(dossier: Dossier, now: datetime) -> datetime:
    zone = dossier.sitting.zone
    return end_of_day(rules.pay_by(submitted_on=now.astimezone(zone).date()), zone)


async def send(request: web.Request) -> web.Response:
    """Freeze the registration. Whoever sends it twice finds it sent."""
    form = Form.read(Confirmation, await request.post())
    if form.value is None:
        return await _ask(request, form)
    registration_id = own.registration_id(request)
    vault = request.app[VAULT]
    try:
        async with transaction(request.app[POOL]) as tx:
            now = await arrived_at(tx, request)
            draft = await drafts.lock(
                tx,
                registration_id=registration_id,
                account_id=request[PRINCIPAL].id,
                arrived_at=now,
            )
            dossier = await own.load(tx, request, draft, now)
            if dossier.is_complete and dossier.form.value is not None:
                await documents.drop_unwanted(tx, registration_id=draft.id, wanted=dossier.wanted)
                await drafts.submit(
                    tx,
                    draft=draft,
                    sent=answers.freeze(dossier.form.value, vault),
                    arrived_at=now,
                )
    except AlreadySent:
        pass
    else:
        if not dossier.is_complete:
            raise web.HTTPSeeOther(own.address(draft, "/check"))
    raise web.HTTPSeeOther(f"/enrollment/registrations/{registration_id}/sent")


async def show_sent(request: web.Request) -> web.Response:
    dossier, _ = await own.look(request)
    registration = dossier.registration
    if registration.submitted_at is None:
        raise web.HTTPSeeOther(own.address(registration))
    return render(
        request,
        "candidate/show_sent.html",
        dossier=dossier,
        registration=registration,
        now=request[ARRIVED_AT],
    )


async def resubmit(request: web.Request) -> web.Response:
    """Hand in the documents that replace those that were returned."""
    async with transaction(request.app[POOL]) as tx:
        registration = await own.find(tx, request)
        if registration.state != "in_review":  # a second click finds it handed in
            now = await arrived_at(tx, request)
            returned = await fixing.lock(
                tx,
                registration_id=registration.id,
                account_id=registration.account_id,
                arrived_at=now,
            )
            kept = await documents.list_(tx, registration_id=returned.id)
            if any(one.returned_why is not None for one in kept.values()):
                raise NotReplaced
            await deciding.resubmit(
                tx,
                registration_id=returned.id,
                account_id=returned.account_id,
                arrived_at=now,
            )
    raise web.HTTPSeeOther(own.address(registration, "?resubmitted"))


ROUTES = [
    web.get("/{registration_id}/check", check_answers),
    web.get("/{registration_id}/sending", show_sending),
    web.post("/{registration_id}/sending", send),
    web.get("/{registration_id}/sent", show_sent),
    web.post("/{registration_id}/resubmission", resubmit),
]
