"""The servers tests run on, and a fresh database for each test that asks for one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from shared import bus, db, migrate
from shared.db import Pool
from tests import servers

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def running() -> Iterator[servers.Servers]:
    """PostgreSQL and RabbitMQ: those named in the environment, else containers, else our own."""
    with servers.start() as started:
        if started.is_ours:
            asyncio.run(_hurry(started.postgres_url))
        yield started


async def _hurry(postgres_url: str) -> None:
    """Wait for no disk: nothing in these databases is to outlive the tests.

    Those that pull the plug start servers of their own.
    """
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await _execute(postgres_url, f"ALTER SYSTEM SET {setting} = off")
    await _execute(postgres_url, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def amqp_url(running: servers.Servers) -> str:
    return running.amqp_url


def _on(admin_url: str, database: str) -> str:
    parts = urlsplit(admin_url)
    return urlunsplit(parts._replace(path=f"/{database}"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template_databases(running: servers.Servers) -> Iterator[dict[str, str]]:
    """One migrated database per service; tests clone them, which takes a blink."""
    names = {
        service.name: f"template_{service.name}_{uuid4().hex[:8]}"
        for service in sorted((ROOT / "services").iterdir())
        if (service / "app.py").exists()
    }

    async def build() -> None:
        for service, name in names.items():
            await _execute(running.postgres_url, f"CREATE DATABASE {name}")
            folder = ROOT / "services" / service / "migrations"
            await migrate.migrate(_on(running.postgres_url, name), folder)

    asyncio.run(build())
    yield names

    async def remove() -> None:
        for name in names.values():
            await _execute(running.postgres_url, f"DROP DATABASE {name} WITH (FORCE)")

    asyncio.run(remove())


MakeDatabase = Callable[[str], Awaitable[str]]


@pytest.fixture
async def make_database(
    running: servers.Servers, template_databases: dict[str, str]
) -> AsyncIterator[MakeDatabase]:
    """Make a fresh database of a service; return its address."""
    made: list[str] = []

    async def make(service: str) -> str:
        name = f"t_{uuid4().hex}"
        await _execute(
            running.postgres_url,
            f"CREATE DATABASE {name} TEMPLATE {template_databases[service]}",
        )
        made.append(name)
        return _on(running.postgres_url, name)

    yield make
    for name in made:
        await _execute(running.postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database_url(make_database: MakeDatabase) -> str:
    """A database with what every service's has, and nothing else."""
    return await make_database("notify")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(database_url, application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def service_name(amqp_url: str) -> AsyncIterator[str]:
    """A name no other test uses; the queues declared under it are removed."""
    name = f"test_{uuid4().hex[:8]}"
    yield name
    connection = await bus.connect(amqp_url, name="test clean-up")
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(name)
        await channel.queue_delete(bus.dead_queue_name(name))
