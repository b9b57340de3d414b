"""For programs: one's registrations, sending them, and giving a place up."""

from typing import ClassVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from services.enrollment import answers, documents, dossiers, registrations
from services.enrollment.api import calls, shapes
from services.enrollment.api.calls import CALLER
from services.enrollment.documents import NotReplaced
from services.enrollment.dossiers import Dossier
from services.enrollment.registrations import (
    NoSuchRegistration,
    Registration,
    deciding,
    drafts,
    fixing,
)
from services.enrollment.registrations.deciding import NotWaiting
from services.enrollment.registrations.drafts import AlreadySent, PersonAlreadyThere, TooLate
from shared import api
from shared.api import Operation
from shared.arrival import arrived_at
from shared.db import POOL, Tx, transaction
from shared.errors import WrongFields
from shared.observe import ARRIVED_AT
from shared.vault import VAULT


class NotComplete(WrongFields):
    """Something is missing: texts to be agreed to, answers of the form, or documents."""

    status: ClassVar[int] = 409


def registration_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["registration_id"])
    except ValueError:
        raise NoSuchRegistration from None


async def find(tx: Tx, request: web.Request) -> Registration:
    """Find the registration that the address names, if it is the token's account's."""
    return await registrations.load_own(
        tx, registration_id=registration_id(request), account_id=request[CALLER].account_id
    )


async def lock(tx: Tx, request: web.Request) -> Registration:
    """Hold one's own draft still; what arrived in time is in time."""
    return await drafts.lock(
        tx,
        registration_id=registration_id(request),
        account_id=request[CALLER].account_id,
        arrived_at=await arrived_at(tx, request),
    )


async def load(tx: Tx, request: web.Request, registration: Registration) -> Dossier:
    return await dossiers.load(
        tx,
        registration=registration,
        vault=request.app[VAULT],
        now=request[ARRIVED_AT],
    )


async def look(tx: Tx, request: web.Request) -> shapes.Whole:
    """Tell all of a registration as it now stands."""
    return shapes.Whole.of_dossier(await load(tx, request, await find(tx, request)))


async def list_registrations(request: web.Request) -> web.Response:
    """All your registrations, the newest first."""
    async with transaction(request.app[POOL]) as tx:
        found = await registrations.list_own(tx, account_id=request[CALLER].account_id)
    return api.answer(
        shapes.Summaries(registrations=[shapes.Summary.of(registration) for registration in found])
    )


async def show_registration(request: web.Request) -> web.Response:
    """One registration: where it stands, what it holds and what is missing."""
    async with transaction(request.app[POOL]) as tx:
        whole = await look(tx, request)
    return api.answer(whole)


async def send(request: web.Request) -> web.Response:
    """Send a registration. Sitting, area, dialect and data cannot be changed afterwards.

    The fee is computed now; where one is owed, it has to be paid before `pay_by`.
    """
    await api.read(request, shapes.Certainty)

    async def act(tx: Tx) -> BaseModel:
        draft = await lock(tx, request)
        dossier = await load(tx, request, draft)
        if not dossier.is_complete or dossier.form.value is None:
            raise NotComplete(_find_missing(dossier))
        await documents.drop_unwanted(tx, registration_id=draft.id, wanted=dossier.wanted)
        await drafts.submit(
            tx,
            draft=draft,
            sent=answers.freeze(dossier.form.value, request.app[VAULT]),
            arrived_at=await arrived_at(tx, request),
        )
        return await look(tx, request)

    return await calls.once(request, act)


def _find_missing(dossier: Dossier) -> dict[str, str]:
    missing = dict(dossier.form.errors)
    if not dossier.has_agreed:
        missing["texts"] = "Agree to the texts first"
    for wanted in dossier.missing_documents:
        missing[f"documents.{wanted.code}"] = "Upload this document"
    return missing


async def withdraw(request: web.Request) -> web.Response:
    """Give up a place whose form was not sent yet. It is free for others at once."""

    async def act(tx: Tx) -> BaseModel:
        draft = await lock(tx, request)
        await drafts.withdraw(tx, draft=draft, arrived_at=await arrived_at(tx, request))
        return await look(tx, request)

    return await calls.once(request, act)


async def resubmit(request: web.Request) -> web.Response:
    """Hand in the documents that replace those that were returned."""

    async def act(tx: Tx) -> BaseModel:
        now = await arrived_at(tx, request)
        owned = {
            "registration_id": registration_id(request),
            "account_id": request[CALLER].account_id,
        }
        registration = await find(tx, request)
        if registration.state != "returned":
            raise NotWaiting
        await fixing.lock(tx, **owned, arrived_at=now)
        if (await load(tx, request, registration)).returned_documents:
            raise NotReplaced
        await deciding.resubmit(tx, **owned, arrived_at=now)
        return await look(tx, request)

    return await calls.once(request, act)


CHANGES = (*calls.WRITES, NoSuchRegistration, AlreadySent, TooLate)

OPERATIONS: api.Operations = {
    list_registrations: Operation(response=shapes.Summaries, refusals=calls.READS),
    show_registration: Operation(
        response=shapes.Whole, refusals=(*calls.READS, NoSuchRegistration)
    ),
    send: Operation(
        request=shapes.Certainty,
        response=shapes.Whole,
        headers=(calls.KEY,),
        refusals=(*CHANGES, WrongFields, NotComplete, PersonAlreadyThere),
    ),
    withdraw: Operation(response=shapes.Whole, headers=(calls.KEY,), refusals=CHANGES),
    resubmit: Operation(
        response=shapes.Whole, headers=(calls.KEY,), refusals=(*CHANGES, NotReplaced, NotWaiting)
    ),
}

ROUTES = [
    web.get("/registrations", list_registrations),
    web.get("/registrations/{registration_id}", show_registration),
    web.post("/registrations/{registration_id}/submission", send),
    web.post("/registrations/{registration_id}/withdrawal", withdraw),
    web.post("/registrations/{registration_id}/resubmission", resubmit),
]
