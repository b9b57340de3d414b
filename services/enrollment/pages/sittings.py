"""One sitting, for everyone: when, where, for how much, and the way in while it is open."""

from aiohttp import hdrs, web

from services.enrollment.calendars import Calendar, Listed
from services.enrollment.names import METHOD_NAMES
from services.enrollment.pages import shown
from shared.calendar_file import opening_file
from shared.errors import NoSuchPage
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render, translate

OPENING = mark("Registration opens: {sitting}")


async def show_sitting(request: web.Request) -> web.Response:
    calendar = await shown.look(request)
    listed, now = _find(request, calendar), request[ARRIVED_AT]
    page = render(
        request,
        "public/show_sitting.html",
        listed=listed,
        sitting=listed.sitting,
        programme=listed.programme,
        method_names=METHOD_NAMES,
        window=listed.sitting.window(now),
        now=now,
    )
    return shown.let_keep(request, page, calendar)


async def download_opening(request: web.Request) -> web.Response:
    sitting = _find(request, await shown.look(request)).sitting
    site = str(request.app[SETTINGS].public_url).rstrip("/")
    url = f"{site}/enrollment/sittings/{sitting.code}"
    title = translate(request, OPENING).format(sitting=sitting.titles[language_of(request)])
    body = opening_file(
        uid=f"opening-{sitting.code}@{request.app[SETTINGS].public_url.host}",
        title=title,
        text=url,
        opens_at=sitting.opens_at,
        url=url,
        now=request[ARRIVED_AT],
    )
    return web.Response(
        body=body,
        content_type="text/calendar",
        charset="utf-8",
        headers={
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{sitting.code}-opening.ics"',
            hdrs.VARY: "Accept-Language, Cookie",
        },
    )


def _find(request: web.Request, calendar: Calendar) -> Listed:
    listed = calendar.listed.get(request.match_info["sitting"])
    if listed is None or listed.programme.entry == "centre":
        raise NoSuchPage
    return listed


ROUTES = [
    web.get("/sittings/{sitting}", show_sitting),
    web.get("/sittings/{sitting}/opening.ics", download_opening),
]
