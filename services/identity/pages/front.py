"""The front door: what this is, and the terms one agrees to."""

from aiohttp import web

from shared.templates import render


async def home(request: web.Request) -> web.Response:
    return render(request, "public/home.html")


async def show_terms(request: web.Request) -> web.Response:
    return render(request, "public/terms.html")


async def show_mailbox(request: web.Request) -> web.Response:
    """On one machine letters do not leave: they are shown by notify."""
    raise web.HTTPFound("/notify/mailbox/")


ROUTES = [
    web.get("/", home),
    web.get("/mailbox", show_mailbox),
]
