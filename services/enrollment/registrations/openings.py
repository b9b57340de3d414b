"""Openings: what decides about claims of a sitting, read once for everybody who asks together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from services.enrollment import rules
from shared.days import end_of_day
from shared.db import Tx
from shared.errors import Refused


class Barred(Refused):
    """You were absent from a sitting of this series, and may enter no later one of this year."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What decides about claims of a sitting, as the database sees it at one moment."""

    one_of: str | None
    submit_within_days: int | None
    opens_at: datetime
    closes_at: datetime
    zone: ZoneInfo
    titles: Mapping[str, str]
    areas: Collection[str]
    full_areas: Collection[str]

    def submit_by(self, arrived_at: datetime) -> datetime:
        """Tell until when the form is kept; everything is done within the window at the latest."""
        if self.submit_within_days is None:
            return self.closes_at
        claimed_on = arrived_at.astimezone(self.zone).date()
        return min(_end_of_nth_day(claimed_on, self.submit_within_days, self.zone), self.closes_at)


@dataclass(frozen=True, slots=True)
class Openings:
    """All sittings that somebody asks for, and the time."""

    now: datetime
    sittings: Mapping[str, Opening]


@cache  # a few days of a few sittings, asked for by everybody
def _end_of_nth_day(first: date, days: int, zone: ZoneInfo) -> datetime:
    return end_of_day(rules.submit_by(claimed_on=first, days=days), zone)


async def load(tx: Tx, *, sittings: Collection[str]) -> Openings:
    rows = await tx.fetch(
        """
        SELECT now, sittings.code, sittings.titles, opens_at, closes_at, zone,
               submit_within_days,
               CASE WHEN one_only
                    THEN concat_ws('/', programme, level_group, series.code, sittings.year)
               END AS one_of,
               ARRAY(SELECT area FROM places WHERE sitting = sittings.code) AS areas,
               ARRAY(SELECT area FROM places
                      WHERE sitting = sittings.code AND taken >= capacity) AS full_areas
          FROM (SELECT clock_timestamp() AS now) AS clock
          LEFT JOIN (sittings
                     JOIN series USING (programme, level_group)
                     JOIN programmes ON programmes.code = programme)
            ON sittings.code = ANY($1::text[]) AND series.code = sittings.series
        """,
        list(sittings),
    )
    return Openings(
        rows[0]["now"],
        {
            row["code"]: Opening(
                row["one_of"],
                row["submit_within_days"],
                row["opens_at"],
                row["closes_at"],
                ZoneInfo(row["zone"]),
                row["titles"],
                row["areas"],
                row["full_areas"],
            )
            for row in rows
            if row["code"] is not None
        },
    )


def was_absent_before(who: str) -> str:
    """Write the condition that whoever wishes was absent earlier in a series that punishes it.

    `who` is the column that a `wish` has besides its sitting: account_id or person.
    """
    return f"""EXISTS (
            SELECT FROM registrations AS absent
              JOIN sittings AS missed ON missed.code = absent.sitting
              JOIN sittings AS wished ON wished.code = wish.sitting
              JOIN series ON (series.programme, series.level_group, series.code)
                           = (wished.programme, wished.level_group, wished.series)
             WHERE absent.state = 'absent' AND absent.{who} = wish.{who} AND absence_bars
               AND (missed.programme, missed.level_group, missed.series, missed.year)
                 = (wished.programme, wished.level_group, wished.series, wished.year)
               AND missed.exam_date < wished.exam_date)"""
