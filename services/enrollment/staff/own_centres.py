"""What pages for centres begin with: your centre, and one of the sittings that centres enter."""

from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from services.enrollment import centres, entry_lists, levels, programmes, sittings
from services.enrollment.centres import Centre
from services.enrollment.entries import Entry
from services.enrollment.entry_lists import NoSuchEntry
from services.enrollment.levels import LevelGroup
from services.enrollment.sittings import Sitting
from shared.auth import PRINCIPAL, Role
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.observe import ARRIVED_AT
from shared.templates import render

HOME = "/enrollment/staff/centre"


@dataclass(frozen=True, slots=True)
class Held:
    """A sitting at a centre."""

    centre: Centre
    sitting: Sitting
    level: LevelGroup

    def address(self, page: str = "") -> str:
        return f"{HOME}/{self.centre.number}/{self.sitting.code}/{page}"


async def load_centre(tx: Tx, request: web.Request) -> Centre:
    """Load the centre that the address names, if the asking person enters its candidates."""
    number, principal = request.match_info["centre"], request[PRINCIPAL]
    if Role.ADMINISTRATOR in principal.roles:
        return await centres.load(tx, number=number)
    return await centres.load_own(tx, number=number, account_id=principal.id)


async def load(tx: Tx, request: web.Request) -> Held:
    """Load the sitting that the address names, at the centre that it names."""
    centre = await load_centre(tx, request)
    sitting = await sittings.load(tx, code=request.match_info["sitting"])
    programme = await programmes.load(tx, code=sitting.programme)
    if programme.entry != "centre":
        raise NoSuchPage
    level = await levels.load(tx, programme=programme.code, code=sitting.level_group)
    return Held(centre, sitting, level)


async def load_entry(tx: Tx, request: web.Request) -> tuple[Held, Entry]:
    held = await load(tx, request)
    try:
        entry_id = UUID(request.match_info["entry_id"])
    except ValueError:
        raise NoSuchEntry from None
    entry = await entry_lists.load(
        tx, entry_id=entry_id, centre=held.centre.number, sitting=held.sitting.code
    )
    return held, entry


async def list_centres(request: web.Request) -> web.Response:
    principal = request[PRINCIPAL]
    async with transaction(request.app[POOL]) as tx:
        if Role.ADMINISTRATOR in principal.roles:
            own = await centres.list_(tx)
        else:
            own = await centres.list_own(tx, account_id=principal.id)
    return render(request, "staff/list_own_centres.html", centres=own, home=HOME)


async def show_centre(request: web.Request) -> web.Response:
    """The sittings that can be entered, the next exams first, then those that are over."""
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        centre = await load_centre(tx, request)
        entered = {one.code for one in await programmes.list_(tx) if one.entry == "centre"}
        counts = await entry_lists.count(tx, centre=centre.number)
        offered = [one for one in await sittings.list_(tx) if one.programme in entered]
    return render(
        request,
        "staff/show_own_centre.html",
        centre=centre,
        sittings=sorted(offered, key=lambda one: one.window(now) == "closed"),
        counts=counts,
        now=now,
        home=HOME,
    )


ROUTES = [
    web.get("/", list_centres),
    web.get("/{centre}/", show_centre),
]
