"""The database: its absence is told from our own mistakes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from shared import db
from shared.db import Connection, Pool, transaction
from shared.errors import Busy
from tests.cable import lay
from tests.eventually import eventually

LOCKED = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
)


async def find_error(work: Callable[[], Awaitable[object]]) -> Exception:
    """What it raises."""
    try:
        await work()
    except Exception as error:
        return error
    pytest.fail("nothing was raised")


def terminate(url: str, pid: int) -> None:
    """End a backend and wait until it is gone, without letting this thread's loop run."""

    async def do() -> None:
        admin = await asyncpg.connect(url)
        await admin.execute("SELECT pg_terminate_backend($1)", pid)

        async def is_gone() -> bool:
            gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
            return bool(await admin.fetchval(gone, pid))

        await eventually(is_gone)
        await admin.close()

    thread = threading.Thread(target=asyncio.run, args=(do(),))
    thread.start()
    thread.join()


@pytest.mark.parametrize("turns", range(6))
async def test_a_server_that_said_goodbye_is_away(database_url: str, turns: int) -> None:
    connection: Connection = await db.connect(database_url, application="test")
    terminate(database_url, connection.get_server_pid())
    for _ in range(turns):  # its last words are read in one turn of the loop, its end in another
        await asyncio.sleep(0)
    error = await find_error(lambda: connection.execute("SELECT 1"))
    assert db.is_unavailable(error), repr(error)


async def test_a_server_that_cannot_be_reached_is_away(database_url: str) -> None:
    async with lay(database_url) as cable:
        connection = await db.connect(cable.url, application="test")
        await cable.cut()
        assert db.is_unavailable(await find_error(lambda: connection.execute("SELECT 1")))
        assert db.is_unavailable(await find_error(lambda: db.connect(cable.url, application="x")))


async def test_a_pool_without_a_free_connection_is_busy(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ACQUIRE_SECONDS", 0.1)
    pool = await db.create_pool(database_url, application="test", size=1)
    async with transaction(pool):
        with pytest.raises(Busy):
            async with transaction(pool):
                pass
    await pool.close()


@pytest.fixture
async def lone_pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool that always gives the same connection."""
    pool = await db.create_pool(database_url, application="test", size=1)
    yield pool
    await pool.close()


async def test_a_transaction_that_ended_well_asks_for_nothing_more(lone_pool: Pool) -> None:
    asked: list[str] = []
    async with lone_pool.acquire() as connection:
        session = await connection.fetchval("SELECT pg_backend_pid()")
    async with transaction(lone_pool) as tx:
        tx.add_query_logger(lambda query: asked.append(query.query))
        await tx.execute("SET LOCAL statement_timeout = 7")
        await tx.execute("SELECT pg_advisory_xact_lock(1)")
    assert asked[-1] == "COMMIT;"
    async with lone_pool.acquire() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") == session
        assert await connection.fetchval("SHOW statement_timeout") == f"{db.STATEMENT_SECONDS}s"
        assert not await connection.fetchval(LOCKED)


async def test_nobody_finds_what_another_left_in_a_session(lone_pool: Pool) -> None:
    async with lone_pool.acquire() as connection:
        session = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("SET statement_timeout = 7")
        await connection.execute("SELECT pg_advisory_lock(1)")
    async with transaction(lone_pool) as tx:
        assert await tx.fetchval("SELECT pg_backend_pid()") == session
        assert await tx.fetchval("SHOW statement_timeout") == f"{db.STATEMENT_SECONDS}s"
        assert not await tx.fetchval(LOCKED)


async def test_after_a_transaction_that_failed_its_session_is_as_new(lone_pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(lone_pool) as tx:
            await tx.execute("SELECT pg_advisory_lock(1)")  # outlives what is rolled back
            raise ZeroDivisionError

    assert isinstance(await find_error(fail), ZeroDivisionError)
    async with transaction(lone_pool) as tx:
        assert not await tx.fetchval(LOCKED)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("SELEC 1", ()),
        ("SELECT 1 / 0", ()),
        ("SELECT * FROM no_such_table", ()),
        ("SELECT $1::int, $2::int", (1,)),
        ("SELECT $1::int", ("one",)),
        ("INSERT INTO inbox (message_id) VALUES (NULL)", ()),
    ],
)
async def test_a_mistake_of_ours_is_no_absence(
    pool: Pool, statement: str, arguments: tuple[object, ...]
) -> None:
    error = await find_error(lambda: pool.execute(statement, *arguments))
    assert not db.is_unavailable(error), repr(error)


async def test_a_statement_that_took_too_long_is_no_absence(pool: Pool) -> None:
    async def ask_for_too_much() -> None:
        async with transaction(pool) as tx:
            await tx.execute("SET LOCAL statement_timeout = 1")
            await tx.execute("SELECT pg_sleep(60)")

    assert not db.is_unavailable(await find_error(ask_for_too_much))
