"""One's registrations: the list of them, and each with what is done, to do, and not yet."""

from collections.abc import Mapping
from datetime import datetime

from aiohttp import hdrs, web

from services.enrollment import registrations, sittings
from services.enrollment.dossiers import Dossier
from services.enrollment.pages import own
from services.enrollment.registrations import Registration, drafts
from shared.arrival import arrived_at
from shared.auth import PRINCIPAL
from shared.calendar_file import deadline_file
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate

NOTICES = {
    "claimed": mark("The place is yours. Now fill in the form and send it before the deadline."),
    "saved": mark("Your answers were saved."),
    "uploaded": mark("Your picture was stored."),
    "resubmitted": mark("Your new documents were handed in. We look at them again."),
    "withdrawn": mark("You gave the place back."),
}
# What has to be done by a deadline, for people's own calendars.
TITLES = {
    "drafting": mark("Send the registration form: {sitting}"),
    "awaiting_payment": mark("Pay the registration fee: {sitting}"),
    "returned": mark("Replace documents of the registration: {sitting}"),
}


def find_deadline(registration: Registration) -> datetime | None:
    """Find until when the candidate has to do something next."""
    deadlines: Mapping[str, datetime | None] = {
        "drafting": registration.submit_by,
        "awaiting_payment": registration.pay_by,
        "returned": registration.fix_by,
    }
    return deadlines.get(registration.state)


def find_phase(dossier: Dossier, now: datetime) -> str:
    """Name where it stands: its state, unless its time ran out and no job has seen it yet."""
    registration = dossier.registration
    if registration.state == "drafting" and now >= registration.submit_by:
        return "lapsed"
    if registration.state == "returned" and registration.fix_by and now >= registration.fix_by:
        return "void" if dossier.returned_documents else "in_review"
    return registration.state


async def list_registrations(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        found = await registrations.list_own(tx, account_id=request[PRINCIPAL].id)
        known = {sitting.code: sitting for sitting in await sittings.list_(tx)}
    return render(
        request,
        "candidate/list_registrations.html",
        registrations=[(one, known[one.sitting], find_deadline(one)) for one in found],
    )


async def show_registration(request: web.Request) -> web.Response:
    dossier, now = await own.look(request)
    phase = find_phase(dossier, now)
    return render(
        request,
        "candidate/show_registration.html",
        dossier=dossier,
        registration=dossier.registration,
        phase=phase,
        deadline=find_deadline(dossier.registration)
        if phase == dossier.registration.state
        else None,
        now=request[ARRIVED_AT],
        notice=next((NOTICES[name] for name in request.query if name in NOTICES), None),
    )


async def download_deadline(request: web.Request) -> web.Response:
    dossier, _ = await own.look(request)
    registration = dossier.registration
    deadline = find_deadline(registration)
    if deadline is None:
        raise NoSuchPage
    site = str(request.app[SETTINGS].public_url)
    url = f"{site.rstrip('/')}{own.address(registration)}"
    titled = translate(request, TITLES[registration.state])
    reference = translate(request, mark("Reference number: {reference}"))
    content = deadline_file(
        uid=f"{registration.state}-{registration.id}@{request.app[SETTINGS].public_url.host}",
        title=titled.format(sitting=dossier.sitting.titles[language_of(request)]),
        text=reference.format(reference=registration.reference),
        deadline=deadline,
        url=url,
        now=request[ARRIVED_AT],
    )
    return web.Response(
        body=content,
        content_type="text/calendar",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{registration.reference}.ics"'},
    )


async def show_withdrawal(request: web.Request) -> web.Response:
    dossier, now = await own.look(request)
    if find_phase(dossier, now) != "drafting":
        raise web.HTTPSeeOther(own.address(dossier.registration))
    return render(
        request,
        "candidate/show_withdrawal.html",
        dossier=dossier,
        registration=dossier.registration,
    )


async def withdraw(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        registration = await own.find(tx, request)
        if registration.state != "withdrawn":  # a second click finds it given back
            now = await arrived_at(tx, request)
            draft = await drafts.lock(
                tx,
                registration_id=registration.id,
                account_id=registration.account_id,
                arrived_at=now,
            )
            await drafts.withdraw(tx, draft=draft, arrived_at=now)
    raise web.HTTPSeeOther(own.address(registration, "?withdrawn"))


ROUTES = [
    web.get("/", list_registrations),
    web.get("/{registration_id}", show_registration),
    web.get("/{registration_id}/deadline.ics", download_deadline),
    web.get("/{registration_id}/withdrawal", show_withdrawal),
    web.post("/{registration_id}/withdrawal", withdraw),
]
