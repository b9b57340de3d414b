"""Pages for staff."""

from aiohttp import web

from shared import staff_page

ROUTES = [
    web.get("/", staff_page.first_page),
]
