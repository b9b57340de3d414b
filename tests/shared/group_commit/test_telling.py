"""Group commit: when people are told what was settled for them, and that they always are."""

import asyncio
from collections.abc import Sequence

import pytest
from asyncpg.transaction import Transaction

from shared.db import Connection, Pool, Tx
from shared.errors import Busy
from shared.group_commit import GroupCommit, at_once
from tests.eventually import eventually
from tests.shared.group_commit.conftest import BLINDING, Ledger, Numbers, Start


async def _ask_twice(
    start: Start, ledger: Ledger, *numbers: int
) -> tuple[Numbers, list["asyncio.Task[int]"]]:
    """Let the first number be settled when those after it are only being looked at."""
    ledger.gate.clear()
    group = start()
    asked = [asyncio.create_task(group.ask(numbers[0]))]
    await eventually(lambda: ledger.begun == 1)
    asked += [asyncio.create_task(group.ask(number)) for number in numbers[1:]]
    await eventually(lambda: len(group._queue) == len(numbers) - 1)
    ledger.sight.clear()
    ledger.gate.set()
    await eventually(lambda: len(ledger.looked) == 2)
    return group, asked


async def test_whoever_is_settled_is_told_while_the_next_are_written(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    _, [first, second] = await _ask_twice(start, ledger, 1, 2)
    assert await pool.fetchval("SELECT array_agg(n) FROM numbers") == [1]
    assert not first.done()
    ledger.gate.clear()
    ledger.sight.set()
    assert await first == 2
    assert not second.done()
    ledger.gate.set()
    assert await second == 4


async def test_whoever_is_settled_is_told_so_when_the_next_cannot_be_looked_at(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    _, [first, *others] = await _ask_twice(start, ledger, 1, 2, BLINDING)
    ledger.sight.set()
    assert await first == 2
    second, third = await asyncio.gather(*others, return_exceptions=True)
    assert second == 4
    assert isinstance(third, ZeroDivisionError)


async def test_whoever_is_settled_is_told_so_when_the_database_is_lost(
    start: Start, ledger: Ledger, pool: Pool
) -> None:
    group, [first, second] = await _ask_twice(start, ledger, 1, 2)
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'"
        " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
    )
    ledger.sight.set()
    assert await first == 2
    with pytest.raises(Busy):
        await second
    assert await group.ask(3) == 6


async def test_whoever_is_settled_is_told_so_when_no_other_transaction_can_begin(
    start: Start, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.gate.clear()
    group = start()
    first = asyncio.create_task(group.ask(1))
    await eventually(lambda: ledger.begun == 1)
    second = asyncio.create_task(group.ask(2))
    await eventually(lambda: len(group._queue) == 1)

    async def fail(connection: Connection) -> Transaction:
        raise ConnectionResetError

    monkeypatch.setattr(group, "_begin", fail)
    ledger.gate.set()
    await eventually(first.done)
    assert await first == 2
    with pytest.raises(Busy):
        await second


async def test_whoever_is_settled_is_told_so_when_the_process_ends(
    database_url: str, ledger: Ledger
) -> None:
    tasks: list[asyncio.Task[None]] = []

    def start() -> Numbers:
        group: Numbers = GroupCommit("test", ledger.look, database_url=database_url)
        tasks.append(asyncio.create_task(group.run()))
        return group

    _, [first, second] = await _ask_twice(start, ledger, 1, 2)
    tasks[0].cancel()
    assert await first == 2
    with pytest.raises(Busy):
        await second


async def test_what_only_reads_is_in_no_transaction(database_url: str, pool: Pool) -> None:
    async def double(tx: Tx, numbers: list[int]) -> Sequence[int]:
        assert not tx.is_in_transaction()
        if 13 in numbers:
            raise ZeroDivisionError
        rows = await tx.fetch("SELECT 2 * n AS twice FROM unnest($1::int[]) AS n", numbers)
        return [row["twice"] for row in rows]

    group: Numbers = GroupCommit(
        "test", at_once(double), database_url=database_url, is_reading=True
    )
    running = asyncio.create_task(group.run())
    answers = await asyncio.gather(*(group.ask(n) for n in (12, 13, 14)), return_exceptions=True)
    assert (answers[0], answers[2]) == (24, 28)
    assert isinstance(answers[1], ZeroDivisionError)
    group.stop()
    await running
