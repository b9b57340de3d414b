"""Idempotency keys: the same call twice is one call, in whatever way the two meet."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.enrollment import idempotency
from services.enrollment.idempotency import KEPT_FOR, Answer, Before, Keyed, KeyReused
from shared.db import Pool, Tx, transaction
from tests.databases import until_somebody_waits_for_a_lock
from tests.enrollment.world import NOW

TOKEN = uuid4()
DONE = Answer(200, b'{"id": 1}')
AGAIN = replace(DONE, is_repeated=True)


def call(key: str = "k", request: bytes = b"one") -> Keyed:
    return Keyed(TOKEN, key, request)


async def begin(tx: Tx, one: Keyed, *, now: datetime = NOW) -> Before:
    [before] = await idempotency.begin(tx, calls=[one], now=now)
    return before


async def answer(pool: Pool, one: Keyed, *, now: datetime = NOW) -> Before:
    """Make a call; return what was answered before, after answering it if nothing was."""
    async with transaction(pool) as tx:
        before = await begin(tx, one, now=now)
        if before is None:
            await idempotency.keep(tx, answers=[(one, DONE)])
        return before


async def test_a_repeated_call_gets_the_same_answer(pool: Pool) -> None:
    assert await answer(pool, call()) is None
    assert await answer(pool, call()) == AGAIN


async def test_a_key_with_another_request_is_refused(pool: Pool) -> None:
    await answer(pool, call())
    assert isinstance(await answer(pool, call(request=b"two")), KeyReused)
    assert await answer(pool, call()) == AGAIN


async def test_other_keys_and_other_tokens_are_other_calls(pool: Pool) -> None:
    await answer(pool, call())
    assert await answer(pool, call("K")) is None
    assert await answer(pool, Keyed(uuid4(), "k", b"one")) is None


async def test_a_call_that_failed_leaves_no_trace(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        await begin_and_fail(pool)
    assert await answer(pool, call()) is None


async def begin_and_fail(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await begin(tx, call())
        raise ZeroDivisionError


async def test_a_call_that_is_to_come_again_is_forgotten(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await begin(tx, call())
        await idempotency.drop(tx, calls=[call()])
    assert await answer(pool, call()) is None


async def test_who_repeats_a_call_under_way_waits_for_its_answer(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert await begin(tx, call()) is None
        repetition = asyncio.create_task(answer(pool, call()))
        await until_somebody_waits_for_a_lock(pool)
        await idempotency.keep(tx, answers=[(call(), DONE)])
    assert await repetition == AGAIN


async def test_who_repeats_a_call_that_then_fails_is_the_first(pool: Pool) -> None:
    async with pool.acquire() as connection:
        under_way = connection.transaction()
        await under_way.start()
        await begin(connection, call())
        repetition = asyncio.create_task(answer(pool, call()))
        await until_somebody_waits_for_a_lock(pool)
        await under_way.rollback()
    assert await repetition is None


async def test_batches_with_the_same_keys_do_not_wait_for_each_other_in_a_circle(
    pool: Pool,
) -> None:
    calls = [call(f"key {number}") for number in range(50)]

    async def settle(batch: list[Keyed]) -> list[Before]:
        async with transaction(pool) as tx:
            before = await idempotency.begin(tx, calls=batch, now=NOW)
            new = [one for one, known in zip(batch, before, strict=True) if known is None]
            await idempotency.keep(tx, answers=[(one, DONE) for one in new])
            return before

    settled = await asyncio.gather(*(settle(batch) for batch in (calls, calls[::-1]) * 3))
    assert sum(before is None for batch in settled for before in batch) == len(calls)


async def test_keys_are_kept_a_day_and_then_forgotten(pool: Pool) -> None:
    await answer(pool, call())
    await answer(pool, call("other"))
    almost = NOW + KEPT_FOR - timedelta(microseconds=1)
    assert await answer(pool, call(), now=almost) == AGAIN
    # Due to be forgotten, and not swept away yet: a new call all the same.
    assert await answer(pool, call(request=b"two"), now=NOW + KEPT_FOR) is None
    async with transaction(pool) as tx:
        assert await idempotency.forget_old(tx, now=NOW + KEPT_FOR) == 1
    assert await pool.fetchval("SELECT key FROM idempotency_keys") == "k"


def test_requests_differ_by_method_address_and_body() -> None:
    one = idempotency.digest("PUT", "/a", b"{}")
    others = [("POST", "/a", b"{}"), ("PUT", "/b", b"{}"), ("PUT", "/a", b"{ }")]
    assert one == idempotency.digest("PUT", "/a", b"{}")
    assert one not in {idempotency.digest(*other) for other in others}
