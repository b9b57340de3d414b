"""When a request arrived, by the clock of the database: the one clock that all processes share."""

import time
from datetime import datetime, timedelta

from aiohttp import web

from shared.db import Tx
from shared.observe import STARTED


async def arrived_at(tx: Tx, request: web.Request) -> datetime:
    """Tell when it arrived: what was in time is in time, however long we took to look at it."""
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    return before(now, request[STARTED])


def before(now: datetime, started: float) -> datetime:
    """Go back from the database's time, just read, to a reading of this process's stop-watch.

    The way from the database counts as waiting too, so this is never later than it was.
    """
    return now - timedelta(seconds=time.perf_counter() - started)
