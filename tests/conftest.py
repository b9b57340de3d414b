"""The servers tests run on, and a fresh database for each test that asks for one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from shared import bus, db
from shared.db import Pool
from tests import servers
from tests.databases import Databases, execute, on, open_databases


@pytest.hookimpl(tryfirst=True)  # before what -m leaves out is left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs servers, and what asks once more with other values; begin with the journeys,
    lest one core waits for the last of them.

    A file's tests stay together, and the files of a folder in their order.
    """
    asked = set()
    for item in items:
        if "running" in getattr(item, "fixturenames", ()):
            item.add_marker("servers")
        question = item.nodeid.partition("[")[0]
        if question in asked:
            item.add_marker("variant")
        asked.add(question)
    items.sort(key=lambda item: not item.get_closest_marker("browser"))


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
        await execute(postgres_url, f"ALTER SYSTEM SET {setting} = off")
    await execute(postgres_url, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def amqp_url(running: servers.Servers) -> str:
    return running.amqp_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(running: servers.Servers) -> AsyncIterator[Databases]:
    async with open_databases(running.postgres_url) as opened:
        yield opened


MakeDatabase = Callable[[str], Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")  # that of the connections which are kept
async def make_database(databases: Databases) -> AsyncIterator[MakeDatabase]:
    """Make a fresh database of a service; return its address."""
    lent: list[tuple[str, str]] = []

    async def make(service: str) -> str:
        name = await databases.lend(service)
        lent.append((service, name))
        return on(databases.admin_url, name)

    yield make
    for service, name in lent:
        await databases.take_back(service, name)


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
