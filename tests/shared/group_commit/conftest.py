"""Numbers that are written by a crowd."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from shared.db import Pool, Tx
from shared.errors import Refused
from shared.group_commit import AGAIN, LARGEST_BATCH, LONGEST_QUEUE, GroupCommit, Settle


class TooBig(Refused):
    """The number is too big."""


Numbers = GroupCommit[int, int]
Start = Callable[..., Numbers]

HINDERED = 7
BLINDING = 17


class Ledger:
    """Writes numbers; counts transactions; can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = 0
        self.hindered_for = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.looked: list[list[int]] = []
        self.sight = asyncio.Event()
        self.sight.set()

    async def look(self, tx: Tx, numbers: list[int]) -> Settle[int, int]:
        self.looked.append(numbers)
        await self.sight.wait()
        if BLINDING in numbers:
            raise ZeroDivisionError("nothing is seen")
        return self.settle

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


@pytest.fixture
async def start(database_url: str, ledger: Ledger) -> AsyncIterator[Start]:
    running: list[tuple[Numbers, asyncio.Task[None]]] = []

    def start(*, longest_queue: int = LONGEST_QUEUE, largest_batch: int = LARGEST_BATCH) -> Numbers:
        group: Numbers = GroupCommit(
            "test",
            ledger.look,
            database_url=database_url,
            longest_queue=longest_queue,
            largest_batch=largest_batch,
        )
        running.append((group, asyncio.create_task(group.run())))
        return group

    yield start
    ledger.gate.set()
    ledger.sight.set()
    for group, task in running:
        group.stop()
        await asyncio.gather(task, return_exceptions=True)
