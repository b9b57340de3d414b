"""Group commit: a crowd becomes lists, everyone gets an own answer, nobody waits for ever."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg
import pytest

from shared.db import Pool, Tx
from shared.errors import Busy, Refused
from shared.group_commit import AGAIN, GroupCommit
from tests.eventually import eventually


class TooBig(Refused):
    """The number is too big."""


Numbers = GroupCommit[int, int]

HINDERED = 7


class Ledger:
    """Writes numbers; counts transactions; can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = 0
        self.hindered_for = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def settle(self, tx: Tx, numbers: list[int]) -> Sequence[int | Refused]:
        self.begun += 1
        await self.gate.wait()
        self.batches.append(numbers)
        for number in numbers:
            if number == 13:
                raise ZeroDivisionError("an unlucky batch")
        if HINDERED in numbers and len(self.batches) < self.hindered_for:
            return [AGAIN if number == HINDERED else number * 2 for number in numbers]
        await tx.executemany("INSERT INTO numbers VALUES ($1)", [(n,) for n in numbers if n < 1000])
        return [number * 2 if number < 1000 else TooBig() for number in numbers]


@pytest.fixture
async def ledger(pool: Pool) -> Ledger:
    await pool.execute("CREATE TABLE numbers (n integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
    return Ledger()


Start = Callable[..., Numbers]


@pytest.fixture
async def start(database_url: str, ledger: Ledger) -> AsyncIterator[Start]:
    running: list[tuple[Numbers, asyncio.Task[None]]] = []

    def start(**bounds: int) -> Numbers:
        group: Numbers = GroupCommit("test", ledger.settle, database_url=database_url, **bounds)
        running.append((group, asyncio.create_task(group.run())))
        return group

    yield start
    ledger.gate.set()
    for group, task in running:
        group.stop()
        await asyncio.gather(task, return_exceptions=True)


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


async def test_one_bad_request_fails_alone(start: Start, ledger: Ledger, pool: Pool) -> None:
    group = start()
    answers = await asyncio.gather(
        *(group.ask(n) for n in (11, 12, 13, 14)), return_exceptions=True
    )
    assert answers[:2] + answers[3:] == [22, 24, 28]
    assert isinstance(answers[2], ZeroDivisionError)
    assert sorted(r["n"] for r in await pool.fetch("SELECT n FROM numbers")) == [11, 12, 14]


async def test_a_failure_at_the_commit_is_settled_one_by_one_too(start: Start, pool: Pool) -> None:
    await pool.execute("INSERT INTO numbers VALUES (2)")
    group = start()
    answers = await asyncio.gather(*(group.ask(n) for n in (1, 2, 3)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], asyncpg.UniqueViolationError)


@pytest.mark.parametrize(
    ("number", "error"), [(2, asyncpg.UniqueViolationError), (13, ZeroDivisionError)]
)
async def test_a_failure_while_others_wait_is_not_theirs(
    number: int, error: type[Exception], start: Start, ledger: Ledger, pool: Pool
) -> None:
    await pool.execute("INSERT INTO numbers VALUES (2)")
    ledger.gate.clear()
    group = start()
    failing = asyncio.create_task(group.ask(number))
    await eventually(lambda: ledger.begun == 1)
    others = [asyncio.create_task(group.ask(n)) for n in (1, 3)]
    await eventually(lambda: len(group._queue) == 2)
    ledger.gate.set()
    with pytest.raises(error):
        await failing
    assert await asyncio.gather(*others) == [2, 6]
    assert await pool.fetchval("SELECT array_agg(n ORDER BY n) FROM numbers") == [1, 2, 3]


@pytest.mark.parametrize("others", [[], [2, 3]], ids=["alone", "while others wait"])
async def test_a_settlement_may_take_a_part_of_its_work_back(
    others: list[int], start: Start, ledger: Ledger, pool: Pool
) -> None:
    settle = ledger.settle

    async def settle_with_a_mistake(tx: Tx, numbers: list[int]) -> Sequence[int | Refused]:
        with contextlib.suppress(ZeroDivisionError):
            async with tx.transaction():
                await tx.execute("INSERT INTO numbers VALUES (99)")
                await settle(tx, [13])
        return await settle(tx, numbers)

    ledger.settle = settle_with_a_mistake  # type: ignore[method-assign]
    ledger.gate.clear()
    group = start()
    asked = [asyncio.create_task(group.ask(1))]
    await eventually(lambda: ledger.begun == 1)
    asked += [asyncio.create_task(group.ask(number)) for number in others]
    await eventually(lambda: len(group._queue) == len(others))
    ledger.gate.set()
    assert await asyncio.gather(*asked) == [2, *(number * 2 for number in others)]
    assert await pool.fetchval("SELECT array_agg(n ORDER BY n) FROM numbers") == [1, *others]


async def test_nobody_is_kept_in_a_transaction_that_waits_for_others(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    """One is begun ahead only for those who are there."""
    ledger.gate.clear()
    group = start()
    asked = [asyncio.create_task(group.ask(1))]
    await eventually(lambda: ledger.begun == 1)
    asked.append(asyncio.create_task(group.ask(2)))
    await eventually(lambda: len(group._queue) == 1)
    ledger.gate.set()
    await asyncio.gather(*asked)
    states = await pool.fetch(
        "SELECT state FROM pg_stat_activity WHERE application_name = 'test'"
        " AND pid <> pg_backend_pid() AND query LIKE 'COMMIT%'"
    )
    assert [row["state"] for row in states] == ["idle"]
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM numbers") == 2


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


async def test_a_lost_connection_is_busy_and_the_next_request_is_served(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    group = start()
    assert await group.ask(1) == 2
    ledger.gate.clear()
    asked = asyncio.create_task(group.ask(2))
    await eventually(lambda: ledger.begun == 2)
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'"
        " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
    )
    ledger.gate.set()
    with pytest.raises(Busy):
        await asked
    assert await group.ask(3) == 6
    assert sorted(r["n"] for r in await pool.fetch("SELECT n FROM numbers")) == [1, 3]


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


async def test_a_plan_made_for_an_empty_table_is_not_kept_when_it_has_filled(
    database_url: str, pool: Pool
) -> None:
    await pool.execute("CREATE TABLE seats (n integer PRIMARY KEY)")
    await pool.execute("VACUUM (ANALYZE) seats")

    async def settle(tx: Tx, numbers: list[int]) -> Sequence[int]:
        if numbers == [0]:
            await tx.execute("INSERT INTO seats SELECT generate_series(1, 10000)")
        looked_at = "SELECT n FROM seats WHERE n = $1"
        await tx.fetch(looked_at, numbers[0])
        before = await tx.fetchval(
            "SELECT seq_tup_read FROM pg_stat_xact_all_tables WHERE relname = 'seats'"
        )
        await tx.fetch(looked_at, numbers[0])
        after = await tx.fetchval(
            "SELECT seq_tup_read FROM pg_stat_xact_all_tables WHERE relname = 'seats'"
        )
        return [after - before]

    group: Numbers = GroupCommit("test", settle, database_url=database_url)
    running = asyncio.create_task(group.run())
    for _ in range(10):  # after five, PostgreSQL would settle on one plan for good
        await group.ask(-1)
    await group.ask(0)
    assert await group.ask(5) == 0
    group.stop()
    await running
