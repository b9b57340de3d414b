"""Registrations, for staff: search, one with its data and documents, take away as a file."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from services.enrollment import names, registration_lists
from services.enrollment.names import Names
from services.enrollment.registration_lists import LONGEST_EXPORT, STATES, Wanted
from services.enrollment.registrations import Registration
from shared import audit, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import language_of, mark
from shared.settings import SETTINGS
from shared.templates import render, translate

SHOWN = 50
COLUMNS = (
    mark("Reference number"),
    mark("State"),
    mark("Sitting"),
    mark("Area"),
    mark("Dialect"),
    mark("Name"),
    mark("Name in English"),
    mark("Date of birth"),
    mark("Fee"),
    mark("Place taken"),
    mark("Sent"),
    mark("Paid"),
    mark("Confirmed"),
    mark("Ended"),
)


async def list_registrations(request: web.Request) -> web.Response:
    asked = request.query
    reference, after = asked.get("reference", "").strip(), asked.get("after", "")
    async with transaction(request.app[POOL]) as tx:
        known = await names.load(tx)
        wanted = _read_wanted(asked, known)
        one = await registration_lists.find(tx, reference=reference) if reference else None
        found = await registration_lists.search(
            tx, wanted=wanted, limit=SHOWN + 1, after=_read_number(after)
        )
    if one is not None:
        raise web.HTTPSeeOther(f"/enrollment/staff/registrations/{one.id}")
    return render(
        request,
        "staff/list_registrations.html",
        names=known,
        wanted=wanted,
        states=STATES,
        reference=reference,
        found=found[:SHOWN],
        has_more=len(found) > SHOWN,
        is_first_page=not after,
        is_nobody="nobody" in asked,
        zone=request.app[SETTINGS].time_zone,
    )


def _read_wanted(asked: "Mapping[str, object]", known: Names) -> Wanted:
    """Read what is searched for; what is not in the catalogue is not searched for."""
    sitting, area, state = (str(asked.get(name, "")) for name in ("sitting", "area", "state"))
    return Wanted(
        sitting=sitting if sitting in known.sittings else "",
        area=area if area in known.areas() else "",
        state=state if state in STATES else "",
    )


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


async def export_registrations(request: web.Request) -> web.Response:
    posted = await request.post()
    async with transaction(request.app[POOL]) as tx:
        known = await names.load(tx)
        wanted = _read_wanted(posted, known)
        found = await registration_lists.search(tx, wanted=wanted, limit=LONGEST_EXPORT)
        asked = {"sitting": wanted.sitting, "area": wanted.area, "state": wanted.state}
        line = Line(
            str(request[PRINCIPAL].id),
            "registrations_exported",
            "registrations",
            {**asked, "count": len(found)},
        )
        await audit.record(tx, [line])
    language = language_of(request)
    state_names = {state: translate(request, name) for state, name in STATES.items()}
    rows = [_write_row(one, known, state_names, language) for one in found]
    return await exports.answer(request, name="registrations", header=COLUMNS, rows=rows)


def _write_row(
    one: Registration, known: Names, state_names: Mapping[str, str], language: str
) -> Sequence[object]:
    return (
        one.reference,
        state_names[one.state],
        known.sitting(one.sitting)[language],
        known.area(one.sitting, one.area)[language],
        known.dialect(one.sitting, one.dialect)[language] if one.dialect else None,
        one.person_name,
        one.latin_name,
        one.birth_date,
        one.fee_twd,
        one.claimed_at,
        one.submitted_at,
        one.paid_at,
        one.confirmed_at,
        one.ended_at,
    )


ROUTES = [
    web.get("/registrations", list_registrations),
    web.post("/registrations/exports", export_registrations),
]
