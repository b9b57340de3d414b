"""The sandbox's time: the real one, or ahead of it, so that codes can be seen to expire."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from sqlite3 import Connection
from zoneinfo import ZoneInfo

TAIPEI = ZoneInfo("Asia/Taipei")


class Clock:
    """Tells seconds since 1970; how far it is ahead is remembered in the store."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.ahead_seconds = 0.0

    def now(self) -> float:
        return self._real() + self.ahead_seconds

    def load(self, db: Connection) -> None:
        row = db.execute("SELECT ahead_seconds FROM clock").fetchone()
        self.ahead_seconds = row["ahead_seconds"] if row else 0.0

    def set_to(self, db: Connection, instant: float) -> None:
        self.set_ahead(db, instant - self._real())

    def set_ahead(self, db: Connection, seconds: float) -> None:
        db.execute(
            """
            INSERT INTO clock (one, ahead_seconds) VALUES (1, ?)
            ON CONFLICT (one) DO UPDATE SET ahead_seconds = excluded.ahead_seconds
            """,
            (seconds,),
        )
        self.ahead_seconds = seconds


def in_taipei(instant: float) -> datetime:
    return datetime.fromtimestamp(instant, UTC).astimezone(TAIPEI)
