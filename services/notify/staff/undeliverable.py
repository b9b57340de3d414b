"""Addresses that take no letters, for staff: look, and clear a mark that is wrong."""

from aiohttp import hdrs, web

from services.notify import bounces
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

MARKS_SHOWN = 100


async def list_marks(request: web.Request) -> web.Response:
    return await _show_list(request, address="", after=None)


async def search_marks(request: web.Request) -> web.Response:
    posted = await request.post()
    after = str(posted.get("after", "")) or None
    return await _show_list(request, address=str(posted.get("address", "")), after=after)


async def _show_list(request: web.Request, *, address: str, after: str | None) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        marks = await bounces.list_marks(tx, address=address, limit=MARKS_SHOWN + 1, after=after)
    return render(
        request,
        "staff/list_marks.html",
        marks=marks[:MARKS_SHOWN],
        has_more=len(marks) > MARKS_SHOWN,
        address=address,
        zone=request.app[SETTINGS].time_zone,
    )


async def clear_mark(request: web.Request) -> web.Response:
    posted = await request.post()
    async with transaction(request.app[POOL]) as tx:
        await bounces.clear(
            tx,
            address=str(posted.get("address", "")),
            now=request[ARRIVED_AT],
            actor=str(request[PRINCIPAL].id),
        )
    return web.Response(status=303, headers={hdrs.LOCATION: "/notify/staff/undeliverable"})


ROUTES = [
    web.get("/undeliverable", list_marks),
    web.post("/undeliverable", search_marks),
    web.post("/undeliverable/clearings", clear_mark),
]
