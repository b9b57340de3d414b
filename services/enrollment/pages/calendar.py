"""The calendar, for everyone: which sittings there are, and which can be entered now."""

from aiohttp import web

from services.enrollment.pages import shown
from shared.observe import ARRIVED_AT
from shared.templates import render


async def first_page(request: web.Request) -> web.Response:
    calendar = await shown.look(request)
    page = render(request, "public/first_page.html", calendar=calendar, now=request[ARRIVED_AT])
    return shown.let_keep(request, page, calendar)


ROUTES = [
    web.get("/", first_page),
]
