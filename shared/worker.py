"""What every service's worker has in common: the relay, the consumer and the jobs."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from shared import audit, auth, dead_letters, inbox, outbox
from shared.background import Background
from shared.consumer import Consumer
from shared.db import Pool, create_pool, transaction
from shared.events.audit import LogSealed
from shared.inbox import Handlers
from shared.jobs import Job, Scheduler
from shared.metrics import DEAD_LETTERS, OLDEST_TRANSACTION, OUTBOX_OLDEST, OUTBOX_PENDING
from shared.relay import Relay
from shared.settings import ServiceSettings

log = structlog.get_logger()

MEASURE_SECONDS = 5.0
SHUTDOWN_SECONDS = 15
# A job holds one connection for its lock and another for its work, and all may begin at once;
# the consumer, what measures, and a few to spare.
CONNECTIONS_PER_JOB = 2
OTHER_CONNECTIONS = 4

# What every service listens to, beside its own HANDLERS.
SHARED_HANDLERS: Handlers = {**auth.HANDLERS, LogSealed: audit.witness}


def shared_jobs(service: str) -> list[Job]:
    """What every service's worker does as time passes, beside its own JOBS."""

    async def seal_audit(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await audit.seal(tx, service=service)

    async def forget(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await inbox.forget_old(tx) + await auth.forget_past(tx)

    return [
        Job("seal_audit", timedelta(seconds=1), seal_audit),
        Job("forget", timedelta(minutes=10), forget),
    ]


class Worker:
    """One service's worker. Any number of them may run side by side."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        folder: Path,
        handlers: Handlers,
        jobs: Sequence[Job] = (),
        background: Sequence[Background] = (),
    ) -> None:
        self.name = name
        self.settings = settings
        self.folder = folder
        self.handlers = {**SHARED_HANDLERS, **handlers}
        self.jobs = [*shared_jobs(name), *jobs]
        self.background = background
        self._pool: Pool | None = None
        self._stopping = asyncio.Event()

    def find_pool(self) -> Pool | None:
        """The pool, once it is open."""
        return self._pool

    def stop(self) -> None:
        """Stop consuming, finish what is under way, then end."""
        self._stopping.set()

    async def run(self) -> None:
        database_url, amqp_url = str(self.settings.database_url), str(self.settings.amqp_url)
        size = CONNECTIONS_PER_JOB * len(self.jobs) + OTHER_CONNECTIONS
        pool = await create_pool(database_url, application=f"{self.name} worker", size=size)
        self._pool = pool
        consumer = Consumer(service=self.name, pool=pool, amqp_url=amqp_url, handlers=self.handlers)
        scheduler = Scheduler(service=self.name, pool=pool, jobs=self.jobs)
        relay = Relay(service=self.name, database_url=database_url, amqp_url=amqp_url)
        # Consumers stop first: what they publish still leaves with the relay's last round.
        parts: list[Background] = [consumer, scheduler, *self.background, relay]
        tasks = [asyncio.create_task(part.run()) for part in parts]
        measuring = [
            asyncio.create_task(self._measure_database(pool)),
            asyncio.create_task(self._measure_dead_letters()),
        ]
        stopper: asyncio.Task[Any] = asyncio.create_task(self._stopping.wait())
        try:
            # A part that ends by itself is a defect: the process ends and is started afresh.
            await asyncio.wait([stopper, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for part, task in zip(parts, tasks, strict=True):
                part.stop()
                await asyncio.wait([task], timeout=SHUTDOWN_SECONDS / len(parts))
            await self._raise_failure(tasks)
        finally:
            for task in (*tasks, *measuring, stopper):
                task.cancel()
            await asyncio.gather(*tasks, *measuring, stopper, return_exceptions=True)
            pool.terminate()

    @staticmethod
    async def _raise_failure(tasks: Sequence["asyncio.Task[None]"]) -> None:
        for task in tasks:
            if task.done():
                await task

    async def _measure_database(self, pool: Pool) -> None:
        """Report what waits, as this worker sees it."""
        while True:
            with contextlib.suppress(Exception):  # what is away is already said by its user
                async with transaction(pool) as tx:
                    backlog = await outbox.measure_backlog(tx)
                    oldest = await tx.fetchval(
                        """
                        SELECT COALESCE(max(EXTRACT(EPOCH FROM now() - xact_start)), 0)::float8
                          FROM pg_stat_activity WHERE datname = current_database()
                        """
                    )
                OUTBOX_PENDING.labels(self.name).set(backlog.rows)
                OUTBOX_OLDEST.labels(self.name).set(backlog.oldest_seconds)
                OLDEST_TRANSACTION.labels(self.name).set(oldest)
            await asyncio.sleep(MEASURE_SECONDS)

    async def _measure_dead_letters(self) -> None:
        """Report what was given up, over one connection for as long as it holds."""
        while True:
            with contextlib.suppress(Exception):  # as above
                async with dead_letters.open_(str(self.settings.amqp_url), self.name) as channel:
                    while True:
                        dead = await dead_letters.count(channel, self.name)
                        DEAD_LETTERS.labels(self.name).set(dead)
                        await asyncio.sleep(MEASURE_SECONDS)
            await asyncio.sleep(MEASURE_SECONDS)
