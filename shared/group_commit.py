"""Group commit: requests that arrive while a transaction runs share the next one."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import structlog
from asyncpg.transaction import Transaction

from shared import db
from shared.db import Connection, Tx
from shared.errors import Busy, Refused
from shared.metrics import GROUP_COMMIT_BUSY, GROUP_COMMIT_SIZES, GROUP_COMMIT_WAITS

log = structlog.get_logger()

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# While the database works for so many, the process answers those before and hears the next. In
# larger batches all wait together: now for the database, now for the process.
LARGEST_BATCH = 128
# At 10,000 a second this is half a second of waiting; whoever comes then is told to come back.
LONGEST_QUEUE = 5_000

# Said by `settle` of an item whose rival in the same batch came to nothing: it goes once more.
AGAIN = Busy()

# Settles all items in one transaction: an answer or a refusal for each, in their order.
Settle: TypeAlias = Callable[[Tx, list[Item]], Awaitable[Sequence[Answer | Refused]]]
# Reads what decides about all items, quickly, and returns what settles them by that.
Look: TypeAlias = Callable[[Tx, list[Item]], Awaitable[Settle[Item, Answer]]]


def at_once(settle: Settle[Item, Answer]) -> Look[Item, Answer]:
    """For a settlement that need not look at anything before it begins."""

    async def look(tx: Tx, items: list[Item]) -> Settle[Item, Answer]:
        return settle

    return look


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: "asyncio.Future[Answer]"
    since: float
    goes_again: bool = False

    def settle(self, outcome: "Answer | Refused | Exception") -> None:
        if self.answer.done():
            return  # its request was cancelled; what it asked for is done all the same
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class GroupCommit(Generic[Item, Answer]):
    """Turns a crowd of single requests into lists, and hands each its own answer.

    What settles must tolerate an item that comes twice: whoever is told Busy because the connection
    broke in the commit may have been served, and will ask again. It should begin with what takes
    the database longest: the answers before are handed out while that is done. With `is_reading`
    there is no transaction around it, since it reads by one statement.
    """

    def __init__(
        self,
        name: str,
        look: "Look[Item, Answer]",
        *,
        database_url: str,
        is_reading: bool = False,
        longest_queue: int = LONGEST_QUEUE,
        largest_batch: int = LARGEST_BATCH,
    ) -> None:
        self._name = name
        self._look = look
        self._database_url = database_url
        self._is_reading = is_reading
        self._longest_queue = longest_queue
        self._largest_batch = largest_batch
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        # Settled for good, and not yet told so.
        self._settled: list[tuple[_Waiting[Item, Answer], Answer | Refused]] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        # A connection of its own, kept: a pool would reset it after every transaction.
        self._connection: Connection | None = None
        self._transaction: Transaction | None = None
        self._sizes = GROUP_COMMIT_SIZES.labels(name)
        self._waits = GROUP_COMMIT_WAITS.labels(name)

    async def ask(self, item: Item) -> Answer:
        """Join the next transaction; return its answer to this item, or raise its refusal."""
        if self._stopping or len(self._queue) >= self._longest_queue:
            GROUP_COMMIT_BUSY.labels(self._name).inc()
            raise Busy
        waiting: _Waiting[Item, Answer] = _Waiting(
            item, asyncio.get_running_loop().create_future(), time.perf_counter()
        )
        self._queue.append(waiting)
        self._arrived.set()
        try:
            return await waiting.answer
        finally:
            # A refusal knows where it was raised, and would keep itself and its request alive.
            del waiting

    def stop(self) -> None:
        """Refuse newcomers, settle those who wait, then end."""
        self._stopping = True
        self._arrived.set()

    async def run(self) -> None:
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._queue:
                    size = min(len(self._queue), self._largest_batch)
                    await self._settle_batch([self._queue.popleft() for _ in range(size)])
                if self._stopping:
                    return
        finally:
            # Cancelled, or a defect of ours: nobody is left waiting for ever.
            self._stopping = True
            self._hand_out()
            while self._queue:
                self._queue.popleft().settle(Busy())
            if self._connection is not None:
                with contextlib.suppress(Exception):
                    await self._connection.close(timeout=5)

    async def _settle_batch(self, batch: "list[_Waiting[Item, Answer]]") -> None:
        self._sizes.observe(len(batch))
        try:
            await self._commit(batch)
        except Exception as error:
            self._hand_out()  # to those before them, whatever becomes of these
            if db.is_unavailable(error):
                # Perhaps committed, perhaps not: never do it again on our own account.
                log.warning("group commit lost its database", name=self._name, error=repr(error))
                await self._drop_connection()
                outcome: Exception = Busy()
            elif len(batch) > 1:
                log.warning("batch failed, settling one by one", name=self._name, error=repr(error))
                for waiting in batch:
                    await self._settle_batch([waiting])
                return
            else:
                outcome = error
            for waiting in batch:
                waiting.settle(outcome)
        except BaseException:
            for waiting in batch:
                waiting.settle(Busy())
            raise

    async def _commit(self, batch: "list[_Waiting[Item, Answer]]") -> None:
        connection = await self._connect()
        if self._is_reading:
            self._keep(batch, await self._find_outcomes(connection, batch))
            self._hand_out()
            return
        transaction = await self._begin(connection)
        try:
            outcomes = await self._find_outcomes(connection, batch)
            if goes_on := bool(self._queue):
                # They find a transaction begun: one round trip less for each batch.
                await connection.execute("COMMIT AND CHAIN")
        except Exception:
            await transaction.rollback()
            raise
        if not goes_on:
            await transaction.commit()
        self._keep(batch, outcomes)
        if not goes_on:
            self._hand_out()

    def _keep(
        self, batch: "list[_Waiting[Item, Answer]]", outcomes: "Sequence[Answer | Refused]"
    ) -> None:
        settled = time.perf_counter()
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome is AGAIN and not waiting.goes_again:
                waiting.goes_again = True
                self._queue.append(waiting)
                continue
            self._waits.observe(settled - waiting.since)
            self._settled.append((waiting, Busy() if outcome is AGAIN else outcome))

    def _hand_out(self) -> None:
        settled, self._settled = self._settled, []
        for waiting, outcome in settled:
            waiting.settle(outcome)

    async def _connect(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._hand_out()  # a new connection may take its time
            self._connection = await db.connect(
                self._database_url, application=self._name, for_crowd=True
            )
            self._transaction = None
        return self._connection

    async def _begin(self, connection: Connection) -> Transaction:
        if self._transaction is None or not connection.is_in_transaction():
            # One that asyncpg knows of: within it, a settlement may make savepoints.
            self._transaction = connection.transaction()
            await self._transaction.start()
        return self._transaction

    async def _find_outcomes(
        self, tx: Tx, batch: "list[_Waiting[Item, Answer]]"
    ) -> Sequence[Answer | Refused]:
        items = [waiting.item for waiting in batch]
        settle = await self._look(tx, items)
        # Whoever is told here goes on in the next turn, when the first statement is on its way.
        self._hand_out()
        outcomes = await settle(tx, items)
        if len(outcomes) != len(batch):
            raise RuntimeError(f"{len(batch)} items got {len(outcomes)} answers")
        return outcomes

    async def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
