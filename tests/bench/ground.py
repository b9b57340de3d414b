"""The ground a benchmark of messages stands on: a fresh database, and a queue of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import structlog

from shared import bus, db, migrate
from shared.db import Pool
from tests.bench.facts import HANDLED, RegistrationSubmitted
from tests.servers import Servers

ROOT = Path(__file__).parents[2]

# The figures to reach against pgbench are for a disk that takes its time: where they were set, 32
# clients that wanted one row got 530 a second. Some disks, and many virtual ones, confirm in a
# tenth of this.
FLUSH = timedelta(milliseconds=1)

# No run of a benchmark takes longer; what does is stuck.
LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Ground:
    """A service that exists for one benchmark."""

    service: str
    database_url: str
    amqp_url: str
    pool: Pool


@asynccontextmanager
async def new_database(servers: Servers, *, flush: timedelta = timedelta()) -> AsyncIterator[str]:
    """Make an empty database; remove it. Each flush of its log takes so much longer."""
    name = f"bench_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(servers.postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    if flush:
        # Whoever flushes waits first, as for a disk; those who come meanwhile go along.
        microseconds = flush // timedelta(microseconds=1)
        await admin.execute(f"ALTER DATABASE {name} SET commit_delay = {microseconds}")
        await admin.execute(f"ALTER DATABASE {name} SET commit_siblings = 0")
    try:
        yield urlsplit(servers.postgres_url)._replace(path=f"/{name}").geturl()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def prepare(servers: Servers) -> AsyncIterator[Ground]:
    """Make a migrated database and a bound queue; remove both."""
    name = f"bench_{uuid4().hex[:8]}"
    async with new_database(servers) as url:
        await migrate.migrate(url, Path(__file__).with_name("migrations"))
        pool = await db.create_pool(url, application="bench")
        await pool.execute(HANDLED)
        try:
            await declare(servers.amqp_url, name)
            yield Ground(name, url, servers.amqp_url, pool)
            await pool.close()
        finally:
            await remove_queues(servers.amqp_url, name)


async def declare(amqp_url: str, service: str) -> None:
    async with await bus.connect(amqp_url, name="bench") as connection:
        channel = await bus.open_channel(connection)
        names = [RegistrationSubmitted.name]
        await bus.declare_topology(channel, service=service, names=names)


async def remove_queues(amqp_url: str, service: str) -> None:
    async with await bus.connect(amqp_url, name="bench") as connection:
        channel = await connection.channel()
        await channel.queue_delete(service)
        await channel.queue_delete(bus.dead_queue_name(service))


def log_as_in_production() -> None:
    """Write every log line as a service does, to nowhere: what it costs belongs to the figures."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=Path(os.devnull).open("w")),  # noqa: SIM115
        cache_logger_on_first_use=True,
    )
