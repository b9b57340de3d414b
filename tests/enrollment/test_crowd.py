"""The crowd at the instant of an opening: nobody who came after it is told that it is to come."""

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.enrollment import crowd
from services.enrollment.crowd import Wish
from services.enrollment.registrations.claims import Claimed, NotYetOpen
from shared.arrival import DatabaseClock
from shared.db import Pool, transaction
from tests.enrollment.world import add_sitting


class BusyFor:
    """A stop-watch of a process that hears every second answer so many seconds late."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._readings = seconds, 0

    def perf_counter(self) -> float:
        self._readings += 1
        return time.perf_counter() + (self._seconds if self._readings % 2 == 0 else 0)


async def _settle(pool: Pool, *, started: float) -> object:
    async with transaction(pool) as tx:
        [outcome] = await crowd.settle(tx, [Wish(uuid4(), "m1", "taoyuan", started)])
    return outcome


@pytest.mark.parametrize(("after", "outcome"), [(5, Claimed), (-5, NotYetOpen)])
async def test_a_busy_process_knows_who_came_after_the_opening(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, after: int, outcome: type[Any]
) -> None:
    monkeypatch.setattr(crowd, "CLOCK", DatabaseClock())
    before, now = time.perf_counter(), await pool.fetchval("SELECT clock_timestamp()")
    opened: datetime = now - timedelta(minutes=1)
    await add_sitting(pool, "m1", {"taoyuan": None}, opens_at=opened)
    await _settle(pool, started=time.perf_counter())
    monkeypatch.setattr(crowd, "time", BusyFor(seconds=30))
    assert isinstance(await _settle(pool, started=before - 60 + after), outcome)
