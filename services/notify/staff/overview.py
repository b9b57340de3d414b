"""The first page for staff: is the service well, and what became of the letters."""

from aiohttp import web

from services.notify import bounces, letter_lists, unaddressed
from shared import staff_page
from shared.db import POOL, transaction


async def first_page(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        counts = await letter_lists.count_states(tx)
        marks = await bounces.count_marks(tx)
        strangers = await unaddressed.count(tx)
    return await staff_page.show(
        request, "staff/overview.html", counts=counts, marks=marks, strangers=strangers
    )


ROUTES = [
    web.get("/", first_page),
]
