"""Letters, for staff: search, see, send again, take away as a file."""

from uuid import UUID

from aiohttp import hdrs, web

from services.notify import bounces, letter_lists, letters
from services.notify.letter_frames import frame, show_safely
from services.notify.letter_lists import STATES, Letter, Wanted
from services.notify.mail import Writer, Written
from services.notify.owed import LETTERS
from shared import audit, csv_file
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import mark
from shared.settings import SETTINGS
from shared.templates import render, translate

WRITER = web.AppKey("writer", Writer)
LETTERS_SHOWN = 50
TEMPLATES = sorted(letter.template for letter in LETTERS.values())
COLUMNS = (
    mark("Written"),
    mark("Letter"),
    mark("Recipient"),
    mark("Language"),
    mark("State"),
    mark("Attempts"),
    mark("Settled"),
    mark("Last answer"),
)


async def list_letters(request: web.Request) -> web.Response:
    """List letters; a link may name a state or a template, but never a person."""
    asked = request.query
    wanted = Wanted(state=asked.get("state", ""), template=asked.get("template", ""))
    return await _show_list(request, wanted, after=None)


async def search_letters(request: web.Request) -> web.Response:
    """Search by what was typed. Sent as a form: addresses do not belong into addresses of pages."""
    posted = await request.post()
    after = str(posted.get("after", ""))
    return await _show_list(request, await _wanted(request), after=_id(after) if after else None)


async def _wanted(request: web.Request) -> Wanted:
    posted = await request.post()
    return Wanted(*(str(posted.get(name, "")) for name in ("address", "state", "template")))


async def _show_list(request: web.Request, wanted: Wanted, *, after: UUID | None) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        found = await letter_lists.search(tx, wanted=wanted, limit=LETTERS_SHOWN + 1, after=after)
        counts = await letter_lists.count_states(tx)
    return render(
        request,
        "staff/list_letters.html",
        wanted=wanted,
        letters=found[:LETTERS_SHOWN],
        has_more=len(found) > LETTERS_SHOWN,
        is_first_page=after is None,
        counts=counts,
        states=STATES,
        templates=TEMPLATES,
        zone=request.app[SETTINGS].time_zone,
    )


async def export_letters(request: web.Request) -> web.Response:
    wanted = await _wanted(request)
    async with transaction(request.app[POOL]) as tx:
        found = await letter_lists.search(tx, wanted=wanted, limit=letter_lists.LONGEST_EXPORT)
        actor, count = str(request[PRINCIPAL].id), {"count": len(found)}
        await audit.record(tx, [audit.Line(actor, "letters_exported", "letters", count)])
    rows = (
        (
            letter.written_at,
            letter.template,
            letter.recipient,
            letter.language,
            letter.state,
            letter.attempts,
            letter.settled_at,
            letter.last_reply,
        )
        for letter in found
    )
    header = [translate(request, column) for column in COLUMNS]
    return csv_file.answer(csv_file.write(header, rows), name="letters")


async def show_letter(request: web.Request) -> web.Response:
    letter_id = _id(request.match_info["id"])
    async with transaction(request.app[POOL]) as tx:
        letter = await letter_lists.load(tx, letter_id=letter_id)
        attempts = await letter_lists.list_attempts(tx, letter_id=letter_id)
        came_back = await bounces.list_of_letter(tx, letter_id=letter_id)
        marks = await bounces.find_marks(tx, address_keys=[letter.recipient_key])
    page = render(
        request,
        "staff/show_letter.html",
        letter=letter,
        written=_write(request, letter),
        attempts=attempts,
        bounces=came_back,
        is_undeliverable=bool(marks),
        zone=request.app[SETTINGS].time_zone,
    )
    return frame(page)


async def show_html(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        letter = await letter_lists.load(tx, letter_id=_id(request.match_info["id"]))
    written = _write(request, letter)
    if written is None:
        raise NoSuchPage
    return show_safely(written.html)


def _write(request: web.Request, letter: Letter) -> Written | None:
    """Write the letter as it was sent, but for the link: that is for its recipient alone."""
    if letter.context is None:
        return None
    context = dict(letter.context)
    if "link" in context:
        context["link"] = None
    return request.app[WRITER].write(
        letter.template, language=letter.language, person=letter.person, context=context
    )


async def send_again(request: web.Request) -> web.Response:
    letter_id = _id(request.match_info["id"])
    posted = await request.post()
    round_ = str(posted.get("round", ""))
    if not (round_.isascii() and round_.isdigit() and len(round_) < 9):
        raise NoSuchPage
    async with transaction(request.app[POOL]) as tx:
        await letters.send_again(
            tx, letter_id=letter_id, round_=int(round_), actor=str(request[PRINCIPAL].id)
        )
    return web.Response(status=303, headers={hdrs.LOCATION: f"/notify/staff/letters/{letter_id}"})


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NoSuchPage from None


ROUTES = [
    web.get("/letters", list_letters),
    web.post("/letters", search_letters),
    web.post("/letters/exports", export_letters),
    web.get("/letters/{id}", show_letter),
    web.get("/letters/{id}/html", show_html),
    web.post("/letters/{id}/rounds", send_again),
]
