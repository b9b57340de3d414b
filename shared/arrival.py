"""When a request arrived, by the clock of the database: the one clock that all processes share."""

import math
import time
from datetime import UTC, datetime

from aiohttp import web

from shared.db import Tx
from shared.observe import STARTED


class DatabaseClock:
    """The database's clock, by the stop-watch of this process, as exactly as it was heard so far.

    A busy process hears the time late. Whoever counted from one late answer alone would take
    requests of the first moment after an opening for earlier than they were.
    """

    def __init__(self) -> None:
        # What the clock is ahead of the stop-watch, in seconds: at least, and at most.
        self._least, self._most = -math.inf, math.inf

    def hear(self, now: datetime, *, asked: float, heard: float) -> None:
        """Learn that it showed `now` at some moment between two readings of the stop-watch."""
        least, most = now.timestamp() - heard, now.timestamp() - asked
        if least > self._most or most < self._least:  # somebody has set a clock
            self._least, self._most = least, most
        self._least, self._most = max(self._least, least), min(self._most, most)

    def at(self, reading: float) -> datetime:
        """Tell what it showed at a reading of the stop-watch; never later than it was."""
        return datetime.fromtimestamp(reading + self._least, UTC)


async def arrived_at(tx: Tx, request: web.Request) -> datetime:
    """Tell when it arrived: what was in time is in time, however long we took to look at it."""
    clock, asked = DatabaseClock(), time.perf_counter()
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    clock.hear(now, asked=asked, heard=time.perf_counter())
    return clock.at(request[STARTED])
