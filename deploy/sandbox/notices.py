"""Notices to merchants: written with what they tell about, sent until answered with 1|OK."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from deploy.sandbox.clock import Clock
from deploy.sandbox.store import Store

ACKNOWLEDGED = b"1|OK"
ANSWER_WITHIN = ClientTimeout(total=10)
MOST_AT_ONCE = 50
MOST_SHOWN = 200
LONGEST_ANSWER = 200
# However long nothing is due, a clock that was set ahead is noticed.
LOOK_SECONDS = 1.0

About = Literal["issued", "paid", "declined"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One that is due: where it goes, what it says, and how often it was sent."""

    id: int
    trade_no: str
    url: str
    body: str
    tries: int


def add(
    db: Connection,
    *,
    trade_no: str,
    about: About,
    url: str,
    fields: Mapping[str, str],
    due_at: float | None,
) -> None:
    """Write down that this is to be told; without a time, when a notice of the trade arrived."""
    db.execute(
        "INSERT INTO notices (trade_no, about, url, body, due_at) VALUES (?, ?, ?, ?, ?)",
        (trade_no, about, url, urlencode(fields), due_at),
    )


def list_latest(db: Connection) -> list[dict[str, Any]]:
    rows = db.execute("SELECT * FROM notices ORDER BY id DESC LIMIT ?", (MOST_SHOWN,))
    return [dict(row) for row in rows]


def count_waiting(db: Connection) -> int:
    """How many are still to arrive."""
    row = db.execute(
        """
        SELECT count(*) AS waiting
          FROM notices WHERE acknowledged_at IS NULL AND given_up_at IS NULL
        """
    ).fetchone()
    waiting: int = row["waiting"]
    return waiting


class Sender:
    """Sends what is due, at once and side by side; after a restart it goes on where it was."""

    def __init__(self, store: Store, clock: Clock, retry_seconds: Sequence[float]) -> None:
        self._store = store
        self._clock = clock
        self._retry_seconds = tuple(retry_seconds)
        self._sending: dict[int, asyncio.Task[str]] = {}
        self._beginning = asyncio.Lock()
        self._wake = asyncio.Event()
        self._session: ClientSession | None = None

    def wake(self) -> None:
        """Something became due."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._wake.clear()
            with contextlib.suppress(sqlite3.Error):  # a disk that is full may have room later
                await self._begin()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def deliver(self) -> list[str]:
        """Send everything that is due now; return the answers."""
        answers: list[str] = []
        while tasks := await self._begin():
            answers += await asyncio.gather(*tasks)
        return answers

    async def close(self) -> None:
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _begin(self) -> list[asyncio.Task[str]]:
        async with self._beginning:
            room = MOST_AT_ONCE - len(self._sending)
            if room <= 0:
                return []
            now, busy = self._clock.now(), tuple(self._sending)
            due = await self._store.run(lambda db: _list_due(db, now, busy, room))
            begun = {notice.id: asyncio.create_task(self._send(notice)) for notice in due}
            self._sending |= begun
            return list(begun.values())

    async def _send(self, notice: Notice) -> str:
        try:
            answer, arrived = await self._post(notice)
            now = self._clock.now()
            wait = self._wait_after(notice.tries)
            await self._store.run(
                lambda db: _record(db, notice, answer=answer, arrived=arrived, wait=wait, now=now)
            )
            return answer
        finally:
            del self._sending[notice.id]
            self._wake.set()

    async def _post(self, notice: Notice) -> tuple[str, bool]:
        if self._session is None:
            self._session = ClientSession(timeout=ANSWER_WITHIN, cookie_jar=DummyCookieJar())
        try:
            async with self._session.post(
                notice.url,
                data=notice.body,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                allow_redirects=False,
            ) as answer:
                said = await answer.content.read(LONGEST_ANSWER)
                arrived = answer.status == 200 and said == ACKNOWLEDGED
                return f"{answer.status} {said.decode(errors='replace')}", arrived
        except (ClientError, TimeoutError, OSError, ValueError) as failure:
            return f"{type(failure).__name__}: {failure}"[:LONGEST_ANSWER], False

    def _wait_after(self, tries: int) -> float | None:
        return self._retry_seconds[tries] if tries < len(self._retry_seconds) else None


def _list_due(db: Connection, now: float, busy: Sequence[int], most: int) -> list[Notice]:
    marks = ", ".join("?" * len(busy))
    rows = db.execute(
        f"""
        SELECT id, trade_no, url, body, tries
          FROM notices
         WHERE due_at <= ? AND acknowledged_at IS NULL AND given_up_at IS NULL
           AND id NOT IN ({marks})
         ORDER BY due_at, id LIMIT ?
        """,  # noqa: S608 only question marks are put in
        (now, *busy, most),
    )
    return [Notice(*row) for row in rows]


def _record(
    db: Connection, notice: Notice, *, answer: str, arrived: bool, wait: float | None, now: float
) -> None:
    db.execute(
        """
        UPDATE notices
           SET tries = tries + 1, last_answer = ?, due_at = COALESCE(?, due_at),
               acknowledged_at = ?, given_up_at = ?
         WHERE id = ?
        """,
        (
            answer,
            None if arrived or wait is None else now + wait,
            now if arrived else None,
            now if wait is None and not arrived else None,
            notice.id,
        ),
    )
    if arrived:  # whatever was held back until then
        db.execute(
            "UPDATE notices SET due_at = ? WHERE trade_no = ? AND due_at IS NULL",
            (now, notice.trade_no),
        )
