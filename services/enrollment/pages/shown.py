"""The calendar, read once for everybody who looks within the same two seconds."""

import asyncio
from datetime import datetime, timedelta

from aiohttp import hdrs, web

from services.enrollment import calendars
from services.enrollment.calendars import Calendar
from shared.auth import PRINCIPAL
from shared.db import POOL, Pool, transaction
from shared.observe import ARRIVED_AT

# Old enough that a crowd costs the database nothing, young enough for a figure of places left.
FRESH_FOR = timedelta(seconds=2)
# For whoever keeps copies on the way: a page is then at most this much older.
KEPT_FOR = timedelta(seconds=3)


class Shown:
    """What everybody is shown."""

    def __init__(self) -> None:
        self._calendar: Calendar | None = None
        self._reading = asyncio.Lock()

    async def look(self, pool: Pool, *, now: datetime) -> Calendar:
        # Whoever comes while it is being read waits for that, and does not read again.
        async with self._reading:
            if self._calendar is None or not _is_fresh(self._calendar, now):
                async with transaction(pool) as tx:
                    self._calendar = await calendars.read(tx, now=now)
            return self._calendar


SHOWN = web.AppKey("shown", Shown)


async def look(request: web.Request) -> Calendar:
    shown = request.app[SHOWN]
    return await shown.look(request.app[POOL], now=request[ARRIVED_AT])


def _is_fresh(calendar: Calendar, now: datetime) -> bool:
    return now - calendar.read_at < FRESH_FOR


def let_keep(request: web.Request, page: web.Response, calendar: Calendar) -> web.Response:
    """Let others keep a page that is nobody's own, but not past the next opening or closing."""
    if PRINCIPAL in request:
        return page
    now = request[ARRIVED_AT]
    turn = calendar.next_turn(now)
    left = KEPT_FOR if turn is None else min(KEPT_FOR, turn - now)
    if seconds := int(left.total_seconds()):
        page.headers[hdrs.CACHE_CONTROL] = f"public, max-age={seconds}"
    return page
