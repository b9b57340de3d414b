"""Keeps what the sandbox must not forget: one SQLite file, written by one thread.

What was answered to somebody has been synced to disk, so that a fault run may kill the sandbox and
count the money afterwards. Work that waits together is committed together.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
# One sync to disk for so many at most; the first of them waits for the last.
MOST_TOGETHER = 100


class Store:
    """A file, and the thread that owns the only connection to it."""

    def __init__(self, file: Path) -> None:
        # opened here, so that a file that cannot be opened is known at once
        self._db = _open(file)
        self._waiting: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sandbox store", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do this in a transaction; when this returns, it is on disk."""
        outcome: Future[T] = Future()
        self._waiting.put((work, outcome))
        return await asyncio.wrap_future(outcome)

    def close(self) -> None:
        """Finish what waits, then close the file."""
        self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while batch := self._next_batch():
            _settle(self._db, batch)
        self._db.close()

    def _next_batch(self) -> list[tuple[Work, Future[Any]]]:
        batch = []
        one = self._waiting.get()
        while one is not None:
            batch.append(one)
            if len(batch) == MOST_TOGETHER or self._waiting.empty():
                return batch
            one = self._waiting.get()
        if batch:
            self._waiting.put(None)  # there is an end, but not before these are done
        return batch


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(SCHEMA)
    return db


def _settle(db: sqlite3.Connection, batch: list[tuple[Work, Future[Any]]]) -> None:
    """Do all in one transaction; what fails is undone alone, and told to whoever asked for it."""
    asked = [one for one in batch if one[1].set_running_or_notify_cancel()]
    answers: list[tuple[Any, Exception | None]] = []
    try:
        db.execute("BEGIN IMMEDIATE")
        answers = [_try(db, work) for work, _ in asked]
        db.execute("COMMIT")
    except sqlite3.Error as failure:  # nothing is on disk, so nobody may believe it
        if db.in_transaction:
            db.execute("ROLLBACK")
        answers = [(None, failure)] * len(asked)
    for (_, outcome), (result, refusal) in zip(asked, answers, strict=True):
        if refusal is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(refusal)


def _try(db: sqlite3.Connection, work: Work) -> tuple[Any, Exception | None]:
    db.execute("SAVEPOINT one")
    result, refusal = None, None
    try:
        result = work(db)
    except Exception as failure:
        db.execute("ROLLBACK TO one")
        refusal = failure
    db.execute("RELEASE one")
    return result, refusal
