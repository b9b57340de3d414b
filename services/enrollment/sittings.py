"""Sittings: exam dates with their own calendar. Sole writer of the `sittings` table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.enrollment.programmes import Titles
from shared.db import Row, Tx
from shared.errors import NoSuchPage

Window = Literal["not_yet", "open", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One exam date of a level group, with the rules of its series."""

    code: str
    programme: str
    level_group: str
    series: str
    number: int  # within its series
    titles: Titles
    year: int
    exam_date: date
    opens_at: datetime
    closes_at: datetime
    materials_on: date | None
    tickets_at: datetime
    results_at: datetime
    certificates_on: date | None
    methods: Sequence[str]
    dialects: Sequence[str]
    edited_at: datetime | None
    zone: ZoneInfo
    submit_within_days: int | None
    one_only: bool
    absence_bars: bool

    def window(self, now: datetime) -> Window:
        if now < self.opens_at:
            return "not_yet"
        return "open" if now < self.closes_at else "closed"


SELECT = """
SELECT s.code, s.programme, s.level_group, s.series, s.number, s.titles, s.year, s.exam_date,
       s.opens_at, s.closes_at, s.materials_on, s.tickets_at, s.results_at, s.certificates_on,
       s.methods, s.dialects, s.edited_at,
       p.zone, r.submit_within_days, r.one_only, r.absence_bars
  FROM sittings AS s
  JOIN programmes AS p ON p.code = s.programme
  JOIN series AS r ON (r.programme, r.level_group, r.code) = (s.programme, s.level_group, s.series)
"""


async def find(tx: Tx, *, code: str) -> Sitting | None:
    row = await tx.fetchrow(f"{SELECT} WHERE s.code = $1", code)
    return _sitting(row) if row else None


async def load(tx: Tx, *, code: str) -> Sitting:
    sitting = await find(tx, code=code)
    if sitting is None:
        raise NoSuchPage
    return sitting


async def list_(tx: Tx) -> list[Sitting]:
    rows = await tx.fetch(f"{SELECT} ORDER BY s.exam_date, s.code")
    return [_sitting(row) for row in rows]


def _sitting(row: Row) -> Sitting:
    return Sitting(**{**row, "zone": ZoneInfo(row["zone"])})
