"""Lanes: a crowd that need not wait for the other one's transaction."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.db import Pool
from shared.errors import Busy
from shared.group_commit import LONGEST_QUEUE
from shared.lanes import LANES, Lanes
from tests.eventually import eventually
from tests.shared.group_commit.conftest import Ledger


@pytest.fixture
async def lanes(database_url: str, ledger: Ledger) -> AsyncIterator[Lanes[int, int]]:
    lanes: Lanes[int, int] = Lanes("test", ledger.look, database_url=database_url)
    running = asyncio.create_task(lanes.run())
    yield lanes
    ledger.gate.set()
    lanes.stop()
    await running


async def test_each_lane_has_a_transaction_of_its_own(
    lanes: Lanes[int, int], ledger: Ledger, pool: Pool
) -> None:
    ledger.gate.clear()
    asked = [asyncio.create_task(lanes.ask(n, about=bytes([n]))) for n in range(100, 120)]
    await eventually(lambda: ledger.begun == LANES)
    assert sum(len(lane._queue) for lane in lanes._lanes) + sum(map(len, ledger.looked)) == 20
    ledger.gate.set()
    assert await asyncio.gather(*asked) == [n * 2 for n in range(100, 120)]
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM numbers") >= LANES


async def test_what_is_about_the_same_waits_in_the_same_lane(
    lanes: Lanes[int, int], ledger: Ledger
) -> None:
    ledger.gate.clear()
    first = asyncio.create_task(lanes.ask(100, about=b"one"))
    await eventually(lambda: ledger.begun == 1)
    others = [asyncio.create_task(lanes.ask(n, about=b"one")) for n in range(101, 120)]
    await eventually(lambda: sum(len(lane._queue) for lane in lanes._lanes) == 19)
    assert ledger.begun == 1
    ledger.gate.set()
    assert await asyncio.gather(first, *others) == [n * 2 for n in range(100, 120)]
    assert ledger.batches == [[100], [*range(101, 120)]]


async def test_the_bound_is_that_of_all_lanes_together(lanes: Lanes[int, int]) -> None:
    assert sum(lane._longest_queue for lane in lanes._lanes) == LONGEST_QUEUE


async def test_whoever_comes_when_it_stops_is_told_to_come_back(lanes: Lanes[int, int]) -> None:
    lanes.stop()
    for about in (b"a", b"b", b"c", b"d"):
        with pytest.raises(Busy):
            await lanes.ask(1, about=about)
