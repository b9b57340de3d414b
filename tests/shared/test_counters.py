"""Counters: as often as the limit says, then no more, until the while is over."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared import counters, db
from shared.counters import Limit
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
LIMIT = Limit("looks", 2, timedelta(hours=1))


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    """Of a service that counts; not all do."""
    pool = await db.create_pool(await make_database("scoring"), application="test")
    yield pool
    await pool.close()


async def test_the_last_that_is_allowed_is_admitted_and_the_next_is_not(pool: Pool) -> None:
    async with transaction(pool) as tx:
        told = [await counters.admit(tx, LIMIT, key="a", now=NOW) for _ in range(4)]
        assert told == [True, True, False, False]
        assert await counters.admit(tx, LIMIT, key="b", now=NOW)


async def test_after_the_while_it_begins_again(pool: Pool) -> None:
    async with transaction(pool) as tx:
        for _ in range(3):
            await counters.admit(tx, LIMIT, key="a", now=NOW)
        assert not await counters.admit(tx, LIMIT, key="a", now=NOW + timedelta(minutes=59))
        assert await counters.admit(tx, LIMIT, key="a", now=NOW + LIMIT.within)
