"""The first page for staff: is the service well, and where the work is."""

from aiohttp import web

from shared import staff_page


async def first_page(request: web.Request) -> web.Response:
    return await staff_page.show(request, "staff/overview.html")


ROUTES = [
    web.get("/", first_page),
]
