"""Level groups, which one registers for, and their series. Sole writer of these two tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.enrollment.changes import ChangedMeanwhile, CodeTaken, find_differences
from services.enrollment.programmes import Titles
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import NoSuchPage


@dataclass(frozen=True, slots=True)
class Paper:
    """What is sat, and when unless a centre says otherwise: "09:00", by the centre's own clock."""

    code: str
    titles: Titles
    starts_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelGroup:
    """What one registers for; a pass may award one of several levels."""

    programme: str
    code: str
    titles: Titles
    position: int
    papers: Sequence[Paper] = ()  # in order; none where the admission ticket says it
    edited_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A family of sittings of a level group that share entry rules."""

    programme: str
    level_group: str
    code: str
    titles: Titles
    submit_within_days: int | None  # None: until the window ends
    one_only: bool  # a person enters one of its sittings
    absence_bars: bool  # who was absent enters no later one of that year
    position: int
    edited_at: datetime | None = field(default=None, compare=False)


async def list_(tx: Tx) -> list[LevelGroup]:
    rows = await tx.fetch(
        """
        SELECT programme, code, titles, position, papers, edited_at FROM level_groups
         ORDER BY programme, position, code
        """
    )
    return [_read_row(row) for row in rows]


async def load(tx: Tx, *, programme: str, code: str) -> LevelGroup:
    row = await tx.fetchrow(
        """
        SELECT programme, code, titles, position, papers, edited_at FROM level_groups
         WHERE programme = $1 AND code = $2
        """,
        programme,
        code,
    )
    if row is None:
        raise NoSuchPage
    return _read_row(row)


def _read_row(row: Row) -> LevelGroup:
    return LevelGroup(**{**row, "papers": [Paper(**paper) for paper in row["papers"]]})


async def list_series(tx: Tx) -> list[Series]:
    rows = await tx.fetch(
        """
        SELECT programme, level_group, code, titles, submit_within_days, one_only, absence_bars,
               position, edited_at
          FROM series ORDER BY programme, level_group, position, code
        """
    )
    return [Series(**row) for row in rows]


async def load_series(tx: Tx, *, programme: str, level_group: str, code: str) -> Series:
    row = await tx.fetchrow(
        """
        SELECT programme, level_group, code, titles, submit_within_days, one_only, absence_bars,
               position, edited_at
          FROM series WHERE programme = $1 AND level_group = $2 AND code = $3
        """,
        programme,
        level_group,
        code,
    )
    if row is None:
        raise NoSuchPage
    return Series(**row)


async def add(tx: Tx, *, level: LevelGroup, actor: str) -> None:
    added = await tx.fetchval(
        """
        INSERT INTO level_groups (programme, code, titles, position, papers, edited_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING RETURNING code
        """,
        *_values(level),
    )
    if added is None:
        raise CodeTaken
    subject = f"level {level.programme}/{level.code}"
    await audit.record(tx, [Line(actor, "level_added", subject, {})])


async def change(tx: Tx, *, old: LevelGroup, new: LevelGroup, actor: str) -> None:
    """Write what is new, unless somebody has changed it since `old` was read."""
    written = await tx.fetchval(
        """
        UPDATE level_groups SET titles = $3, position = $4, papers = $5, edited_at = $6
         WHERE programme = $1 AND code = $2 AND edited_at IS NOT DISTINCT FROM $7
        RETURNING code
        """,
        *_values(new),
        old.edited_at,
    )
    if written is None:
        raise ChangedMeanwhile
    subject = f"level {new.programme}/{new.code}"
    await audit.record(tx, [Line(actor, "level_changed", subject, find_differences(old, new))])


async def add_series(tx: Tx, *, series: Series, actor: str) -> None:
    added = await tx.fetchval(
        """
        INSERT INTO series (programme, level_group, code, titles, submit_within_days, one_only,
                            absence_bars, position, edited_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING RETURNING code
        """,
        *_series_values(series),
    )
    if added is None:
        raise CodeTaken
    subject = f"series {series.programme}/{series.level_group}/{series.code}"
    await audit.record(tx, [Line(actor, "series_added", subject, {})])


async def change_series(tx: Tx, *, old: Series, new: Series, actor: str) -> None:
    """Write what is new, unless somebody has changed it since `old` was read."""
    written = await tx.fetchval(
        """
        UPDATE series
           SET titles = $4, submit_within_days = $5, one_only = $6, absence_bars = $7,
               position = $8, edited_at = $9
         WHERE programme = $1 AND level_group = $2 AND code = $3
           AND edited_at IS NOT DISTINCT FROM $10
        RETURNING code
        """,
        *_series_values(new),
        old.edited_at,
    )
    if written is None:
        raise ChangedMeanwhile
    subject = f"series {new.programme}/{new.level_group}/{new.code}"
    await audit.record(tx, [Line(actor, "series_changed", subject, find_differences(old, new))])


def _values(level: LevelGroup) -> list[Any]:
    return [
        level.programme,
        level.code,
        level.titles,
        level.position,
        level.papers,
        level.edited_at,
    ]


def _series_values(series: Series) -> list[Any]:
    return [
        series.programme,
        series.level_group,
        series.code,
        series.titles,
        series.submit_within_days,
        series.one_only,
        series.absence_bars,
        series.position,
        series.edited_at,
    ]
