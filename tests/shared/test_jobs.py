"""Jobs: each runs on one replica at a time, and a failure is not the end."""

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.db import Pool
from shared.jobs import Job, Scheduler


def scheduler(pool: Pool, *jobs: Job) -> Scheduler:
    return Scheduler(service="test", pool=pool, jobs=jobs)


async def test_work_goes_on_until_there_is_none_left(pool: Pool) -> None:
    left = [100, 100, 30]

    async def work(pool: Pool, now: datetime) -> int:
        return left.pop(0) if left else 0

    job = Job("sweep", timedelta(hours=1), work)
    assert await scheduler(pool, job).run_once(job) == 230


async def test_time_goes_on_while_a_job_does_all_there_is(pool: Pool) -> None:
    done_at: list[datetime] = []

    async def work(pool: Pool, now: datetime) -> int:
        done_at.append(now)
        return 3 - len(done_at)

    job = Job("sweep", timedelta(hours=1), work)
    began_at = await pool.fetchval("SELECT clock_timestamp()")
    await scheduler(pool, job).run_once(job)
    told = [began_at, *done_at, await pool.fetchval("SELECT clock_timestamp()")]
    assert told == sorted(set(told)), "each time later than the one before"


async def test_a_job_runs_on_one_replica_at_a_time(pool: Pool) -> None:
    running, go_on = asyncio.Event(), asyncio.Event()

    async def work(pool: Pool, now: datetime) -> int:
        running.set()
        await go_on.wait()
        return 0

    job = Job("sweep", timedelta(hours=1), work)
    first = asyncio.create_task(scheduler(pool, job).run_once(job))
    await running.wait()
    assert await scheduler(pool, job).run_once(job) is None
    go_on.set()
    assert await first == 0
    assert await scheduler(pool, job).run_once(job) == 0, "its lock was given back"


async def test_a_job_that_fails_gives_its_lock_back(pool: Pool) -> None:
    async def work(pool: Pool, now: datetime) -> int:
        raise ZeroDivisionError

    job = Job("sweep", timedelta(hours=1), work)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await scheduler(pool, job).run_once(job)


async def test_a_failed_run_is_followed_by_the_next(pool: Pool) -> None:
    runs = 0
    third = asyncio.Event()

    async def work(pool: Pool, now: datetime) -> int:
        nonlocal runs
        runs += 1
        if runs == 3:
            third.set()
        raise ZeroDivisionError

    running = scheduler(pool, Job("sweep", timedelta(milliseconds=1), work))
    task = asyncio.create_task(running.run())
    async with asyncio.timeout(10):
        await third.wait()
        running.stop()
        await task
