"""Confirmations of Entry, printed by the centre: one, or all of a sitting in one file."""

from collections.abc import Sequence
from functools import partial

from aiohttp import hdrs, web

from services.enrollment import confirmations, entry_lists, timetables
from services.enrollment.confirmations import CONFIRMATIONS, STACKS, Stack
from services.enrollment.entries import Entry, EntryCancelled
from services.enrollment.staff import own_centres
from services.enrollment.staff.entries import MOST_IN_ONE_FILE
from services.enrollment.staff.own_centres import Held
from shared import audit
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of
from shared.pdf import Pdf
from shared.settings import SETTINGS
from shared.templates import translate
from shared.vault import VAULT


async def print_one(request: web.Request) -> web.Response:
    async with transaction(request.config_dict[POOL]) as tx:
        held, entry = await own_centres.load_entry(tx, request)
        if entry.is_cancelled:
            raise EntryCancelled
        stack = await _gather(tx, request, held, [entry], subject=f"entry {entry.id}")
    return await _answer(request, CONFIRMATIONS, stack, name=entry.id_number)


async def print_all(request: web.Request) -> web.Response:
    """All of a sitting; a centre with very many gets them in several files."""
    part = _read_part(request)
    first = (part - 1) * MOST_IN_ONE_FILE
    async with transaction(request.config_dict[POOL]) as tx:
        held = await own_centres.load(tx, request)
        known = await entry_lists.list_(tx, centre=held.centre.number, sitting=held.sitting.code)
        found = [one for one in known if not one.is_cancelled][first : first + MOST_IN_ONE_FILE]
        if not found:
            raise NoSuchPage
        stack = await _gather(tx, request, held, found, subject=f"sitting {held.sitting.code}")
    name = f"{held.centre.number}-{held.sitting.code}-{part}"
    return await _answer(request, STACKS, stack, name=name)


def _read_part(request: web.Request) -> int:
    asked = request.query.get("part", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1


async def _gather(
    tx: Tx, request: web.Request, held: Held, found: Sequence[Entry], *, subject: str
) -> Stack:
    """Gather what is printed, and remember who did: secret numbers stand on it."""
    timetable = await timetables.load(
        tx, centre=held.centre, sitting=held.sitting, level=held.level
    )
    facts = {"centre": held.centre.number, "count": len(found)}
    await audit.record(
        tx, [Line(str(request[PRINCIPAL].id), "confirmations_printed", subject, facts)]
    )
    return Stack(
        sitting=held.sitting,
        centre=held.centre,
        timetable=timetable,
        entries=found,
        secret_numbers=await entry_lists.reveal(
            tx, entries=found, vault=request.config_dict[VAULT]
        ),
    )


async def _answer(
    request: web.Request, printer: web.AppKey[Pdf], stack: Stack, *, name: str
) -> web.Response:
    content = await confirmations.render(
        request.config_dict[printer],
        stack,
        site=str(request.config_dict[SETTINGS].public_url),
        language=language_of(request),
        say=partial(translate, request),
    )
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={hdrs.CONTENT_DISPOSITION: f'inline; filename="{name}.pdf"'},
    )


ROUTES = [
    web.get("/{centre}/{sitting}/confirmations.pdf", print_all),
    web.get("/{centre}/{sitting}/entries/{entry_id}/confirmation.pdf", print_one),
]
