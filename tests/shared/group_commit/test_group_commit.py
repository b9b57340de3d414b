"""Group commit: a crowd becomes lists, everyone gets an own answer, nobody waits for ever."""

import asyncio
import gc
import weakref

import pytest

from shared.db import Pool
from shared.errors import Busy
from tests.eventually import eventually
from tests.shared.group_commit.conftest import HINDERED, Ledger, Start, TooBig


async def test_a_refusal_is_gone_once_it_was_told(start: Start) -> None:
    """It knows the frames it went through, and each of those a request and its answer."""
    numbers = start()
    told: list[weakref.ref[TooBig]] = []
    gc.disable()
    try:
        for number in (1_000, 2_000):
            try:
                await numbers.ask(number)
            except TooBig as refusal:
                told.append(weakref.ref(refusal))
        await numbers.ask(1)
        assert [refusal() for refusal in told] == [None, None]
    finally:
        gc.enable()


async def test_those_who_come_together_share_a_transaction_in_their_order(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    ledger.gate.clear()
    group = start()
    first = asyncio.create_task(group.ask(0))
    await eventually(lambda: ledger.begun == 1)
    others = [asyncio.create_task(group.ask(n)) for n in range(100, 200)]
    await eventually(lambda: len(group._queue) == 100)
    ledger.gate.set()
    assert await asyncio.gather(first, *others) == [0, *range(200, 400, 2)]
    assert ledger.batches == [[0], list(range(100, 200))]
    assert await pool.fetchval("SELECT count(*) FROM numbers") == 101


async def test_each_gets_an_own_refusal(start: Start, pool: Pool) -> None:
    group = start()
    answers = await asyncio.gather(group.ask(1), group.ask(5000), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], TooBig)
    assert [row["n"] for row in await pool.fetch("SELECT n FROM numbers")] == [1]


async def test_whoever_was_hindered_by_a_rival_goes_once_more(start: Start, ledger: Ledger) -> None:
    ledger.hindered_for = 2
    group = start()
    assert [*await asyncio.gather(group.ask(1), group.ask(HINDERED))] == [2, 14]
    assert ledger.batches == [[1, HINDERED], [HINDERED]]


async def test_whoever_is_hindered_again_is_told_to_come_back(start: Start, ledger: Ledger) -> None:
    ledger.hindered_for = 10
    with pytest.raises(Busy):
        await start().ask(HINDERED)
    assert len(ledger.batches) == 2


async def test_beyond_the_bound_the_answer_is_busy_at_once(start: Start, ledger: Ledger) -> None:
    ledger.gate.clear()
    group = start(longest_queue=3)
    asked = [asyncio.create_task(group.ask(0))]
    await eventually(lambda: ledger.begun == 1)
    asked += [asyncio.create_task(group.ask(n)) for n in (1, 2, 3)]
    await eventually(lambda: len(group._queue) == 3)
    with pytest.raises(Busy):
        await group.ask(4)
    ledger.gate.set()
    assert await asyncio.gather(*asked) == [0, 2, 4, 6]


async def test_a_batch_is_never_larger_than_its_bound(start: Start, ledger: Ledger) -> None:
    group = start(largest_batch=10)
    await asyncio.gather(*(group.ask(n) for n in range(100, 200)))
    assert max(len(batch) for batch in ledger.batches) == 10


async def test_stopping_settles_those_who_wait_and_refuses_newcomers(
    start: Start, ledger: Ledger
) -> None:
    ledger.gate.clear()
    group = start()
    waiting = [asyncio.create_task(group.ask(n)) for n in range(5)]
    await eventually(lambda: ledger.begun == 1)
    waiting.append(asyncio.create_task(group.ask(5)))
    await eventually(lambda: len(group._queue) == 1)
    group.stop()
    with pytest.raises(Busy):
        await group.ask(6)
    ledger.gate.set()
    assert await asyncio.gather(*waiting) == [0, 2, 4, 6, 8, 10]


async def test_a_client_that_went_away_does_not_stop_the_others(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    ledger.gate.clear()
    group = start()
    asked = [asyncio.create_task(group.ask(n)) for n in range(3)]
    await eventually(lambda: ledger.begun == 1)
    asked[1].cancel()
    ledger.gate.set()
    assert [await asked[0], await asked[2]] == [0, 4]
    assert await pool.fetchval("SELECT count(*) FROM numbers") == 3
