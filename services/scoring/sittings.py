"""Sittings, as enrollment tells of them with their candidates. Sole writer of `sittings`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from pydantic_core import to_json

from services.scoring import rules
from services.scoring.rules import Marking
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.enrollment import EntryRecorded

# Somebody who waits longer for a page is better told to come back.
LOCK_TIMEOUT = "5s"


class NoSuchSitting(Refused):
    """There is no such sitting, or nobody has been entered for it yet."""

    status = 404


class SittingHeld(Refused):
    """The results of this sitting are being approved, or somebody else is changing its scores.
    Nothing was done; try again in a minute."""


class NoPlan(Refused):
    """No data file says how results of this exam come about. Ask whoever runs this system."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """What scoring knows of a sitting."""

    code: str
    programme: str
    zone: ZoneInfo
    exam: str
    exam_titles: Mapping[str, str]
    titles: Mapping[str, str]
    exam_date: date
    results_at: datetime

    @property
    def marking(self) -> Marking:
        """How its results come about today."""
        found = rules.find_marking(self.programme, self.exam)
        if found is None:
            raise NoPlan
        return found

    @property
    def has_plan(self) -> bool:
        return rules.find_marking(self.programme, self.exam) is not None


def read(row: Row) -> Sitting:
    told: dict[str, Any] = {name: row[name] for name in Sitting.__slots__}
    return Sitting(**{**told, "zone": ZoneInfo(row["zone"])})


async def note(tx: Tx, *, recorded: Sequence[EntryRecorded]) -> None:
    """Take over what the newest news of each sitting says."""
    newest = {e.sitting: e for e in sorted(recorded, key=lambda e: e.recorded_at)}
    told = [newest[code] for code in sorted(newest)]
    await tx.execute(
        """
        INSERT INTO sittings AS known (code, programme, zone, exam, exam_titles, titles, exam_date,
                                       results_at, recorded_at)
        SELECT code, programme, zone, exam, exam_titles::jsonb, titles::jsonb, exam_date,
               results_at, recorded_at
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::date[], $8::timestamptz[], $9::timestamptz[])
               AS told (code, programme, zone, exam, exam_titles, titles, exam_date, results_at,
                        recorded_at)
        ON CONFLICT (code) DO UPDATE
           SET programme = EXCLUDED.programme, zone = EXCLUDED.zone, exam = EXCLUDED.exam,
               exam_titles = EXCLUDED.exam_titles, titles = EXCLUDED.titles,
               exam_date = EXCLUDED.exam_date, results_at = EXCLUDED.results_at,
               recorded_at = EXCLUDED.recorded_at
         WHERE known.recorded_at < EXCLUDED.recorded_at
        """,
        [event.sitting for event in told],
        [event.programme for event in told],
        [event.zone for event in told],
        [event.exam for event in told],
        [to_json(event.exam_titles).decode() for event in told],
        [to_json(event.sitting_titles).decode() for event in told],
        [event.exam_date for event in told],
        [event.results_at for event in told],
        [event.recorded_at for event in told],
    )


async def load(tx: Tx, *, code: str) -> Sitting:
    row = await tx.fetchrow(
        """
        SELECT code, programme, zone, exam, exam_titles, titles, exam_date, results_at
          FROM sittings WHERE code = $1
        """,
        code,
    )
    if row is None:
        raise NoSuchSitting
    return read(row)


async def lock(tx: Tx, *, code: str) -> Sitting:
    """Load a sitting for whoever changes its scores or approves them: one after the other.

    Its row stays free: news of candidates is not kept waiting, however many there are to approve.
    """
    await tx.execute("SELECT set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
    try:
        await tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('sitting ' || $1, 0))", code
        )
    except asyncpg.LockNotAvailableError:
        raise SittingHeld from None
    return await load(tx, code=code)
