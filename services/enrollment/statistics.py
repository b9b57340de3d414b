"""Statistics: figures counted ahead, so that looking is cheap. Sole writer of `statistics`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.db import Row, Tx

# Registrations change until long after the exam, but what was counted then hardly moves.
COUNTED_AFTER_EXAM = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted for one sitting."""

    sitting: str
    counted_at: datetime
    total: int  # registrations that hold a place
    confirmed: int
    by_area: Mapping[str, int]
    by_dialect: Mapping[str, int]
    by_day: Mapping[str, int]  # by the day of the claim, as 2026-01-06


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures of several sittings together."""

    total: int
    confirmed: int
    by_area: Mapping[str, int]
    by_dialect: Mapping[str, int]
    by_day: Mapping[date, int]


def add_up(figures: Iterable[Figures]) -> Sums:
    figures = list(figures)
    by_area, by_dialect, by_day = Counter[str](), Counter[str](), Counter[str]()
    for one in figures:
        by_area.update(one.by_area)
        by_dialect.update(one.by_dialect)
        by_day.update(one.by_day)
    return Sums(
        total=sum(one.total for one in figures),
        confirmed=sum(one.confirmed for one in figures),
        by_area=by_area,
        by_dialect=by_dialect,
        by_day={date.fromisoformat(day): by_day[day] for day in sorted(by_day)},
    )


async def list_(tx: Tx) -> list[Figures]:
    rows = await tx.fetch(
        """
        SELECT sitting, counted_at, total, confirmed, by_area, by_dialect, by_day FROM statistics
        """
    )
    return [Figures(**row) for row in rows]


async def count(tx: Tx, *, now: datetime) -> None:
    """Count every sitting that is not long over; the figures of the others stay as they are."""
    sittings = await tx.fetch(
        """
        SELECT code FROM sittings
         WHERE exam_date >= $1 OR code NOT IN (SELECT sitting FROM statistics)
        """,
        (now - COUNTED_AFTER_EXAM).date(),
    )
    counted = {
        row["code"]: Figures(row["code"], now, 0, 0, by_area={}, by_dialect={}, by_day={})
        for row in sittings
    }
    rows = await tx.fetch(
        """
        WITH held AS (
            SELECT sitting, area, registrations.dialect, state,
                   timezone(zone, claimed_at)::date::text AS day
              FROM registrations
              JOIN sittings ON sittings.code = sitting
              JOIN programmes ON programmes.code = programme
             WHERE sitting = ANY($1::text[]) AND state NOT IN ('lapsed', 'void', 'withdrawn')
        )
        SELECT sitting, area, dialect, day, GROUPING(area, dialect, day) AS rolled_up,
               count(*) AS total,
               count(*) FILTER (WHERE state IN ('confirmed', 'absent')) AS confirmed
          FROM held
         GROUP BY GROUPING SETS ((sitting), (sitting, area), (sitting, dialect), (sitting, day))
        """,
        list(counted),
    )
    for row in rows:
        counted[row["sitting"]] = _note(counted[row["sitting"]], row)
    await _write(tx, list(counted.values()))


def _note(figures: Figures, row: Row) -> Figures:
    """Add one count to the figures, by what it was grouped by."""
    match row["rolled_up"]:
        case 0b011:
            return replace(figures, by_area={**figures.by_area, row["area"]: row["total"]})
        case 0b101 if row["dialect"] is None:
            return figures  # not sent yet, and may still change
        case 0b101:
            by_dialect = {**figures.by_dialect, row["dialect"]: row["total"]}
            return replace(figures, by_dialect=by_dialect)
        case 0b110:
            return replace(figures, by_day={**figures.by_day, row["day"]: row["total"]})
        case _:
            return replace(figures, total=row["total"], confirmed=row["confirmed"])


async def _write(tx: Tx, counted: Sequence[Figures]) -> None:
    await tx.executemany(
        """
        INSERT INTO statistics
               (sitting, counted_at, total, confirmed, by_area, by_dialect, by_day)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (sitting) DO UPDATE
           SET counted_at = EXCLUDED.counted_at, total = EXCLUDED.total,
               confirmed = EXCLUDED.confirmed, by_area = EXCLUDED.by_area,
               by_dialect = EXCLUDED.by_dialect, by_day = EXCLUDED.by_day
        """,
        [
            (
                one.sitting,
                one.counted_at,
                one.total,
                one.confirmed,
                one.by_area,
                one.by_dialect,
                one.by_day,
            )
            for one in counted
        ],
    )
