"""A centre's entries of a sitting: listed, searched, taken away; each shown and changed."""

from aiohttp import web

from services.enrollment import entries, entry_lists, timetables
from services.enrollment.confirmations import HOURS
from services.enrollment.staff import own_centres
from shared import audit, exports
from shared.audit import Line
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render, translate
from shared.vault import VAULT

SHOWN = 50
LONGEST_WORDS = 100

NOTICES = {
    "secret": mark(
        "There is a new secret number, and the old one works no more. Print the Confirmation of"
        " Entry again, and hand it out."
    ),
    "cancelled": mark("The entry was cancelled."),
    "restored": mark("The entry counts again."),
}
VERDICTS = ("new", "changed", "unchanged", "refused")
EXPORTED = (
    mark("Candidate number"),
    mark("Name"),
    mark("Name in Latin letters"),
    mark("Date of birth"),
    mark("Internal ID"),
    mark("ID Number"),
    mark("Cancelled"),
)


async def list_entries(request: web.Request) -> web.Response:
    return await show(request)


async def show(request: web.Request, *, problem: str | None = None) -> web.Response:
    """Show a sitting at a centre, with what is wrong with a list that was handed in."""
    asked = request.query
    words, after = asked.get("words", "").strip()[:LONGEST_WORDS], asked.get("after", "")
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        timetable = await timetables.load(
            tx, centre=held.centre, sitting=held.sitting, level=held.level
        )
        counts = await entry_lists.count(tx, centre=held.centre.number)
        found = await entry_lists.search(
            tx,
            centre=held.centre.number,
            sitting=held.sitting.code,
            words=words,
            after=after,
            limit=SHOWN + 1,
        )
    return render(
        request,
        "staff/list_entries.html",
        status=422 if problem else 200,
        held=held,
        timetable=timetable,
        count=counts.get(held.sitting.code),
        found=found[:SHOWN],
        has_more=len(found) > SHOWN,
        words=words,
        is_first_page=not after,
        imported={name: int(asked[name]) for name in VERDICTS if _is_number(asked.get(name, ""))},
        problem=problem,
        window=held.sitting.window(request[ARRIVED_AT]),
        hours=HOURS.get(held.sitting.zone.key, held.sitting.zone.key),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


async def export_entries(request: web.Request) -> web.Response:
    """Everything but the secret numbers, which stand on the Confirmations alone."""
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        found = await entry_lists.list_(tx, centre=held.centre.number, sitting=held.sitting.code)
        facts = {"centre": held.centre.number, "count": len(found)}
        actor = str(request[PRINCIPAL].id)
        subject = f"sitting {held.sitting.code}"
        await audit.record(tx, [Line(actor, "entries_exported", subject, facts)])
    yes = translate(request, mark("yes"))
    rows = [
        (
            one.candidate_number,
            one.person_name,
            one.latin_name,
            one.birth_date,
            one.internal_id,
            one.id_number,
            yes if one.is_cancelled else None,
        )
        for one in found
    ]
    name = f"{held.centre.number}-{held.sitting.code}"
    return await exports.answer(request, name=name, header=EXPORTED, rows=rows)


async def show_entry(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        held, entry = await own_centres.load_entry(tx, request)
    notice = next((NOTICES[name] for name in request.query if name in NOTICES), None)
    return render(request, "staff/show_entry.html", held=held, entry=entry, notice=notice)


async def renew_secret(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        held, entry = await own_centres.load_entry(tx, request)
        await entries.renew_secret(
            tx,
            entry=entry,
            vault=request.app[VAULT],
            actor=str(request[PRINCIPAL].id),
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(held.address(f"entries/{entry.id}?secret"))


async def cancel(request: web.Request) -> web.Response:
    return await _set_cancelled(request, is_cancelled=True)


async def restore(request: web.Request) -> web.Response:
    return await _set_cancelled(request, is_cancelled=False)


async def _set_cancelled(request: web.Request, *, is_cancelled: bool) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        held, entry = await own_centres.load_entry(tx, request)
        await entries.set_cancelled(
            tx,
            entry=entry,
            is_cancelled=is_cancelled,
            actor=str(request[PRINCIPAL].id),
            now=request[ARRIVED_AT],
        )
    done = "cancelled" if is_cancelled else "restored"
    raise web.HTTPSeeOther(held.address(f"entries/{entry.id}?{done}"))


ROUTES = [
    web.get("/{centre}/{sitting}/", list_entries),
    web.post("/{centre}/{sitting}/exports", export_entries),
    web.get("/{centre}/{sitting}/entries/{entry_id}", show_entry),
    web.post("/{centre}/{sitting}/entries/{entry_id}/secret", renew_secret),
    web.post("/{centre}/{sitting}/entries/{entry_id}/cancellation", cancel),
    web.post("/{centre}/{sitting}/entries/{entry_id}/restoration", restore),
]
