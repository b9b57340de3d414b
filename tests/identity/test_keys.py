"""Signing keys: one signs now, the next is announced before it is needed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import keys
from services.identity.keys import ANNOUNCED_AHEAD, SIGNS_FOR
from shared import db
from shared.db import Pool, transaction
from shared.vault import Vault
from tests.conftest import MakeDatabase

VAULT = Vault([b"k" * 32])
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    pool = await db.create_pool(await make_database("identity"), application="test")
    yield pool
    await pool.close()


async def rotate(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await keys.rotate(tx, vault=VAULT, now=now, sessions_last=14 * DAY)


async def current(pool: Pool, now: datetime) -> str | None:
    async with transaction(pool) as tx:
        key = await keys.find_current(tx, vault=VAULT, now=now)
    return key.key_id if key else None


async def test_the_first_key_signs_at_once(pool: Pool) -> None:
    assert await current(pool, START) is None
    assert await rotate(pool, START) == 1
    assert await rotate(pool, START) == 0
    assert await current(pool, START) is not None


async def test_the_next_key_is_announced_a_day_before_it_signs(pool: Pool) -> None:
    await rotate(pool, START)
    first = await current(pool, START)
    changes = START + SIGNS_FOR
    assert await rotate(pool, changes - ANNOUNCED_AHEAD - timedelta(seconds=1)) == 0
    assert await rotate(pool, changes - ANNOUNCED_AHEAD) == 1
    assert await current(pool, changes - timedelta(microseconds=1)) == first
    assert await current(pool, changes) not in {first, None}


async def test_a_key_is_published_until_the_last_session_it_signed_has_ended(pool: Pool) -> None:
    await rotate(pool, START)
    last_session_ends = START + SIGNS_FOR + 14 * DAY
    async with transaction(pool) as tx:
        assert await keys.list_public(tx, now=last_session_ends - timedelta(microseconds=1))
        assert not await keys.list_public(tx, now=last_session_ends)


async def test_the_private_key_is_not_readable_in_the_database(pool: Pool) -> None:
    await rotate(pool, START)
    stored = await pool.fetchval("SELECT private_key FROM signing_keys")
    assert len(stored) > 32
    assert VAULT.decrypt(stored, purpose=keys.PURPOSE) not in stored
