"""The instant of a release finds the worker away: results are seen, and told once it is back."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.chaos.plan import Blow
from tests.chaos.results_house import WORKER, Night, ResultsHouse
from tests.chaos.targets import opened
from tests.eventually import eventually
from tests.scoring import crowd

pytestmark = pytest.mark.chaos

CANDIDATES, REGISTERED = 60, 50
AHEAD = timedelta(seconds=1)
# So shortly before the instant a worker is told to end that it does so over it.
A_MOMENT = 0.02


@pytest.fixture
async def night() -> AsyncIterator[Night]:
    """Approved results, and everything that runs on a results night."""
    async with opened(ResultsHouse) as house, Night(house, candidates=CANDIDATES) as night:
        await night.enter(registered=REGISTERED)
        await house.start_processes()
        await night.compute()
        await night.approve()
        yield night
        assert not house.misbehaved


async def until(instant: float) -> None:
    await eventually(lambda: time.time() >= instant)


async def see_it_told_once(night: Night, instant: float) -> None:
    """See everybody who had registered be written to, once, and nobody else."""

    async def is_over() -> bool:
        return await night.count_sent() >= REGISTERED and await night.is_told()

    await eventually(is_over)
    arrived = night.house.arrived()
    assert arrived.keys() == {crowd.address_of(number) for number in range(REGISTERED)}
    assert all(len(times) == 1 for times in arrived.values())
    assert min(times[0] for times in arrived.values()) >= instant
    assert min(night.viewed_at) >= instant


async def test_a_worker_killed_before_the_instant_tells_everybody_when_it_is_back(
    night: Night,
) -> None:
    worker = night.house.processes[WORKER]
    assert await worker.strike(Blow.KILL)
    instant = (await night.order(AHEAD)).timestamp()
    watching = asyncio.create_task(night.watch(0))
    await until(instant)
    await eventually(lambda: night.viewed_at)  # no job has to run for that
    assert not night.house.arrived()
    await worker.start()
    await see_it_told_once(night, instant)
    watching.cancel()


async def test_a_worker_that_ends_over_the_instant_loses_nobody(night: Night) -> None:
    watching = asyncio.create_task(night.watch(0))
    instant = (await night.order(AHEAD)).timestamp()
    await until(instant - A_MOMENT)
    assert await night.house.strike(WORKER, Blow.TERM, absence=0)
    assert time.time() >= instant
    await see_it_told_once(night, instant)
    watching.cancel()
