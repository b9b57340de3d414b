"""Confirmations of Entry, printed by the centre: one, or all of a sitting in one file."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from aiohttp import hdrs, web

from services.enrollment import confirmations, entry_lists, timetables
from services.enrollment.confirmations import CONFIRMATIONS, STACKS, Stack
from services.enrollment.entries import Entry, EntryCancelled
from services.enrollment.staff import own_centres
from services.enrollment.staff.own_centres import Held
from shared import audit
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of
from shared.settings import SETTINGS
from shared.templates import translate
from shared.vault import VAULT


async def print_one(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        held, entry = await own_centres.load_entry(tx, request)
        if entry.is_cancelled:
            raise EntryCancelled
        stack = await _gather(tx, request, held, [entry], subject=f"entry {entry.id}")
    content = await confirmations.render(
        request.app[CONFIRMATIONS],
        stack,
        site=str(request.app[SETTINGS].public_url),
        language=language_of(request),
        say=partial(translate, request),
    )
    return web.Response(body=content, headers=_headers(entry.id_number))


async def print_all(request: web.Request) -> web.StreamResponse:
    """All of a sitting, sent while it is written: thousands take a while."""
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        known = await entry_lists.list_(tx, centre=held.centre.number, sitting=held.sitting.code)
        found = [one for one in known if not one.is_cancelled]
        if not found:
            raise NoSuchPage
        stack = await _gather(tx, request, held, found, subject=f"sitting {held.sitting.code}")
    pieces = confirmations.render_all(
        request.app[STACKS],
        stack,
        site=str(request.app[SETTINGS].public_url),
        language=language_of(request),
        say=partial(translate, request),
    )
    return await _send(request, pieces, name=f"{held.centre.number}-{held.sitting.code}")


async def _send(
    request: web.Request, pieces: AsyncIterator[bytes], *, name: str
) -> web.StreamResponse:
    first = await anext(pieces)  # what cannot even begin is answered with a page
    answer = web.StreamResponse(headers=_headers(name))
    await answer.prepare(request)
    try:
        await answer.write(first)
        async for piece in pieces:
            await answer.write(piece)
    except ConnectionResetError:
        return answer  # whoever asked does not wait any longer
    except BaseException:
        # Half a file must not look like a whole one, and a page of ours does not belong into it.
        if request.transport is not None:
            request.transport.abort()
        raise
    await answer.write_eof()
    return answer


def _headers(name: str) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: "application/pdf",
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{name}.pdf"',
    }


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
        secret_numbers=await entry_lists.reveal(tx, entries=found, vault=request.app[VAULT]),
    )


ROUTES = [
    web.get("/{centre}/{sitting}/confirmations.pdf", print_all),
    web.get("/{centre}/{sitting}/entries/{entry_id}/confirmation.pdf", print_one),
]
