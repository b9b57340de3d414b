"""Sittings: exam dates with their own calendar. Sole writer of the `sittings` table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from services.enrollment.changes import ChangedMeanwhile, CodeTaken, find_differences
from services.enrollment.programmes import Titles
from shared import audit, outbox
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import NoSuchPage
from shared.events.enrollment import ExamMoved

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
    edited_at: datetime | None = field(default=None, compare=False)
    # Its programme's and its series', which are not written here.
    zone: ZoneInfo = field(compare=False)
    submit_within_days: int | None = field(compare=False)
    one_only: bool = field(compare=False)
    absence_bars: bool = field(compare=False)

    @property
    def belongs_to(self) -> tuple[str, str, str]:
        return self.programme, self.level_group, self.series

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


async def add(tx: Tx, *, sitting: Sitting, actor: str) -> None:
    added = await tx.fetchval(
        """
        INSERT INTO sittings (code, programme, level_group, series, number, titles, year,
                              exam_date, opens_at, closes_at, materials_on, tickets_at, results_at,
                              certificates_on, methods, dialects, edited_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT DO NOTHING RETURNING code
        """,
        *_values(sitting),
    )
    if added is None:
        raise CodeTaken
    await audit.record(tx, [Line(actor, "sitting_added", f"sitting {sitting.code}", {})])


async def change(tx: Tx, *, old: Sitting, new: Sitting, actor: str) -> None:
    """Write what is new, unless somebody has changed it since `old` was read. Whoever counts from
    the day of the exam is told of another one."""
    try:
        changed_at = await tx.fetchval(
            """
            UPDATE sittings
               SET number = $5, titles = $6, year = $7, exam_date = $8, opens_at = $9,
                   closes_at = $10,
                   materials_on = $11, tickets_at = $12, results_at = $13, certificates_on = $14,
                   methods = $15, dialects = $16, edited_at = $17
             WHERE (code, programme, level_group, series) = ($1, $2, $3, $4)
               AND edited_at IS NOT DISTINCT FROM $18
            RETURNING clock_timestamp()
            """,
            *_values(new),
            old.edited_at,
        )
    except asyncpg.UniqueViolationError:
        raise CodeTaken from None  # the number, within its series
    if changed_at is None:
        raise ChangedMeanwhile
    if old.exam_date != new.exam_date:
        moved = ExamMoved(sitting=new.code, exam_date=new.exam_date, moved_at=changed_at)
        await outbox.publish(tx, [moved])
    changed = find_differences(old, new)
    await audit.record(tx, [Line(actor, "sitting_changed", f"sitting {new.code}", changed)])


async def open_now(tx: Tx, *, code: str, actor: str, now: datetime) -> None:
    """Begin a window that has not begun; nothing happens to any other."""
    opened = await tx.fetchval(
        """
        UPDATE sittings SET opens_at = $2, edited_at = $2
         WHERE code = $1 AND opens_at > $2
        RETURNING code
        """,
        code,
        now,
    )
    if opened is not None:
        await audit.record(tx, [Line(actor, "window_opened", f"sitting {code}", {})])


async def close_now(tx: Tx, *, code: str, actor: str, now: datetime) -> None:
    """End a window that is open; nothing happens to any other."""
    closed = await tx.fetchval(
        """
        UPDATE sittings SET closes_at = $2, edited_at = $2
         WHERE code = $1 AND opens_at < $2 AND closes_at > $2
        RETURNING code
        """,
        code,
        now,
    )
    if closed is not None:
        await audit.record(tx, [Line(actor, "window_closed", f"sitting {code}", {})])


def _values(sitting: Sitting) -> list[Any]:
    return [
        sitting.code,
        sitting.programme,
        sitting.level_group,
        sitting.series,
        sitting.number,
        sitting.titles,
        sitting.year,
        sitting.exam_date,
        sitting.opens_at,
        sitting.closes_at,
        sitting.materials_on,
        sitting.tickets_at,
        sitting.results_at,
        sitting.certificates_on,
        sitting.methods,
        sitting.dialects,
        sitting.edited_at,
    ]
