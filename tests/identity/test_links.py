"""Links of one account that are used in the same instant: one after the other, never for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import links
from services.identity.links import Link, LinkExpired, LinkUsed, Purpose
from shared import db
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase
from tests.databases import until_somebody_waits_for_a_lock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    pool = await db.create_pool(await make_database("identity"), application="test")
    yield pool
    await pool.close()


async def issue(pool: Pool, purpose: Purpose, subject: str = "account 1") -> str:
    async with transaction(pool) as tx:
        link = Link(purpose, subject, {}, NOW + timedelta(days=1))
        return await links.issue(tx, link, now=NOW)


async def use_and_void(pool: Pool, purpose: Purpose, token: str) -> None:
    async with transaction(pool) as tx:
        used = await links.use(tx, purpose=purpose, token=token, now=NOW)
        await links.void(tx, subject=used.subject, now=NOW)


@pytest.mark.parametrize(
    "order", [(Purpose.PASSWORD, Purpose.ADDRESS), (Purpose.ADDRESS, Purpose.PASSWORD)]
)
async def test_of_two_links_the_first_that_is_used_voids_the_other(
    pool: Pool, order: tuple[Purpose, Purpose]
) -> None:
    tokens = {purpose: await issue(pool, purpose) for purpose in order}
    first, second = order
    async with transaction(pool) as tx:
        await links.use(tx, purpose=first, token=tokens[first], now=NOW)
        other = asyncio.create_task(use_and_void(pool, second, tokens[second]))
        await until_somebody_waits_for_a_lock(pool)
        await links.void(tx, subject="account 1", now=NOW)
    with pytest.raises(LinkExpired):
        await other
    with pytest.raises(LinkUsed):
        await use_and_void(pool, first, tokens[first])


async def test_nobody_waits_for_the_links_of_others(pool: Pool) -> None:
    mine = await issue(pool, Purpose.PASSWORD)
    others = await issue(pool, Purpose.PASSWORD, "account 2")
    async with transaction(pool) as tx:
        await links.use(tx, purpose=Purpose.PASSWORD, token=mine, now=NOW)
        await use_and_void(pool, Purpose.PASSWORD, others)
