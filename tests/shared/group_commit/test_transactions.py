"""Group commit's transactions: what fails is taken back, for those whom it concerns alone."""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import pytest

from shared.db import Pool, Tx
from shared.errors import Busy, Refused
from shared.group_commit import GroupCommit, at_once
from tests.eventually import eventually
from tests.shared.group_commit.conftest import Ledger, Numbers, Start


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

    group: Numbers = GroupCommit("test", at_once(settle), database_url=database_url)
    running = asyncio.create_task(group.run())
    for _ in range(10):  # after five, PostgreSQL would settle on one plan for good
        await group.ask(-1)
    await group.ask(0)
    assert await group.ask(5) == 0
    group.stop()
    await running
