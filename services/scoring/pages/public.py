"""Pages for everyone."""

from aiohttp import web

from shared.templates import render


async def first_page(request: web.Request) -> web.Response:
    return render(request, "public/first_page.html")


ROUTES = [
    web.get("/", first_page),
]
