"""Jobs: what happens because time passed. Each runs on one replica at a time."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from shared import db
from shared.db import Pool
from shared.metrics import JOB_RUNS, JOB_SECONDS

log = structlog.get_logger()

# Does a bounded piece of work and returns how much it did; called again at once while that is
# not zero. A schedule is an edge: it opens its own transactions, so that it may also talk to
# foreign systems between them.
Work: TypeAlias = Callable[[Pool, datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Job:
    """A line of a service's JOBS table."""

    name: str
    every: timedelta
    work: Work


class Scheduler:
    """Runs a service's jobs, each in a loop of its own."""

    def __init__(self, *, service: str, pool: Pool, jobs: Sequence[Job]) -> None:
        self._service = service
        self._pool = pool
        self._jobs = jobs
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let the pieces of work under way finish, then end."""
        self._stopping.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                tasks.create_task(self._repeat(job))

    async def _repeat(self, job: Job) -> None:
        while not self._stopping.is_set():
            started = time.perf_counter()
            try:
                done = await self.run_once(job)
                outcome = "done" if done is not None else "elsewhere"
            except Exception as error:
                done, outcome = 0, "failed"
                log.error(
                    "job",
                    service=self._service,
                    job=job.name,
                    outcome=outcome,
                    error=repr(error),
                    exc_info=not db.is_unavailable(error),
                )
            seconds = time.perf_counter() - started
            JOB_RUNS.labels(self._service, job.name, outcome).inc()
            JOB_SECONDS.labels(self._service, job.name).observe(seconds)
            if done:  # a run that found nothing to do is not worth a line
                log.info(
                    "job",
                    service=self._service,
                    job=job.name,
                    outcome=outcome,
                    done=done,
                    seconds=round(seconds, 4),
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), job.every.total_seconds())

    async def run_once(self, job: Job) -> int | None:
        """Do all there is to do; return how much, or None when another replica is at it.

        That may take hours, so each piece of work is told the time anew: by the clock of the
        database, which decides what is in time, and not by that of one worker of several.
        """
        key = zlib.crc32(f"{self._service}:{job.name}".encode())
        async with self._pool.acquire(timeout=db.ACQUIRE_SECONDS) as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
                return None
            try:
                total = 0
                while not self._stopping.is_set():
                    now = await connection.fetchval("SELECT clock_timestamp()")
                    done = await job.work(self._pool, now)
                    total += done
                    if not done:
                        break
                return total
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", key)
