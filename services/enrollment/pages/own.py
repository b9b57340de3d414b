"""What all pages about one's own registration begin with: it is yours, and here is all of it."""

from datetime import datetime
from uuid import UUID

from aiohttp import web

from services.enrollment import dossiers, registrations
from services.enrollment.dossiers import Dossier
from services.enrollment.registrations import NoSuchRegistration, Registration
from shared.arrival import arrived_at
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.vault import VAULT


def registration_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["registration_id"])
    except ValueError:
        raise NoSuchRegistration from None


def address(registration: Registration, page: str = "") -> str:
    return f"/enrollment/registrations/{registration.id}{page}"


async def find(tx: Tx, request: web.Request) -> Registration:
    """Find the registration that the address names, if it is the asking person's."""
    return await registrations.load_own(
        tx, registration_id=registration_id(request), account_id=request[PRINCIPAL].id
    )


async def look(request: web.Request) -> tuple[Dossier, datetime]:
    """Look at one's own registration, as of the moment when one asked."""
    async with transaction(request.app[POOL]) as tx:
        now = await arrived_at(tx, request)
        return await load(tx, request, await find(tx, request), now), now


async def load(tx: Tx, request: web.Request, registration: Registration, now: datetime) -> Dossier:
    return await dossiers.load(tx, registration=registration, vault=request.app[VAULT], now=now)
