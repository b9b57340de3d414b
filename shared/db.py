"""The connection pool, and the transaction an edge opens around its work."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from aiohttp import web
from pydantic_core import from_json, to_json

from shared.errors import Busy
from shared.metrics import POOL_WAITS

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Tx: TypeAlias = Connection | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Row: TypeAlias = asyncpg.Record
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool
    Tx = asyncpg.Connection
    Row = asyncpg.Record

POOL = web.AppKey("pool", Pool)

# Someone who waits longer than this for a connection is better told to come back.
ACQUIRE_SECONDS = 5
# Twice that is what a request may have waited: to learn who asks, and to write what is asked. So
# much later is acted upon a deadline, since what arrived in time is in time.
ON_THE_WAY = timedelta(seconds=2 * ACQUIRE_SECONDS)
# No statement of ours is meant to run longer; a runaway must not hold its locks all night.
STATEMENT_SECONDS = 30
# The relay waits for the broker inside a transaction; see bus.CONFIRM_SECONDS.
IDLE_IN_TRANSACTION_SECONDS = 60


def _options(application: str) -> dict[str, str]:
    return {
        "application_name": application,
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
        "timezone": "UTC",
    }


# Set while a connection is given back after a transaction that ended well.
_AFTER_TRANSACTION = ContextVar("after_transaction", default=False)


async def _reset(connection: Connection) -> None:
    """Forget what a session was told, but after a transaction: whatever is set there is LOCAL,
    and locks there end with it. It would be a quarter of all that a page asks the database."""
    if not _AFTER_TRANSACTION.get():
        await connection.execute(connection.get_reset_query())


async def create_pool(url: str, *, application: str, size: int = 10) -> Pool:
    """Open a pool. It connects when first needed, so a service starts before its database."""
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        init=_use_json,
        reset=_reset,
        server_settings=_options(application),
        timeout=ACQUIRE_SECONDS,
    )


async def connect(url: str, *, application: str, for_crowd: bool = False) -> Connection:
    """Open one connection that lives long: no pool, no reset between uses."""
    options = _options(application)
    if for_crowd:
        # A plan made while a table was empty reads it from end to end, and a crowd fills one in a
        # minute. Planning each statement anew costs little beside the hundreds of rows it settles.
        options["plan_cache_mode"] = "force_custom_plan"
    connection = await asyncpg.connect(url, server_settings=options, timeout=ACQUIRE_SECONDS)
    await _use_json(connection)
    return connection


async def _use_json(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: to_json(value).decode(),
        decoder=from_json,
        schema="pg_catalog",
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Tx]:
    """Open a transaction, or refuse as Busy when no connection becomes free in time."""
    asked = time.perf_counter()
    try:
        connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
    except TimeoutError:
        raise Busy from None
    finally:
        POOL_WAITS.observe(time.perf_counter() - asked)
    ended_well = False
    try:
        async with connection.transaction():
            yield connection
        ended_well = True
    finally:
        before = _AFTER_TRANSACTION.set(ended_well)
        try:
            await pool.release(connection)
        finally:
            _AFTER_TRANSACTION.reset(before)


def affected(status: str) -> int:
    """How many rows a command touched, from what PostgreSQL says of it: "DELETE 5"."""
    return int(status.rpartition(" ")[2])


# What was asked for holds a sign that no text in the database can hold: there is nothing like it.
NO_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the database, not the statement, is at fault: later the same work may succeed.

    Lost connections, shutdowns, full disks, too many connections, deadlocks and lock time-outs.
    """
    if isinstance(error, asyncpg.QueryCanceledError):
        return False  # a statement that is too slow will be too slow again
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg has one class for "the connection is closed" and for every misuse by our own code,
        # which would be misused for ever.
        return "clos" in str(error)
    return isinstance(
        error,
        OSError  # TimeoutError and ConnectionError among them
        | Busy
        # What asyncpg raises on a connection that was idle when the server said goodbye.
        | asyncpg.InternalClientError
        | asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.TransactionRollbackError
        | asyncpg.LockNotAvailableError,
    )
