"""Statements: what a result says to people and who sees it, what is signed of it, and whether one
still holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.scoring import statement_keys
from services.scoring.candidates import Candidate
from services.scoring.results import Result
from services.scoring.rules import GivenOutcome, ScoredOutcome, masks, outcomes, seals, tables
from services.scoring.rules.tables import Table
from services.scoring.sittings import Sitting
from shared.db import Row, Tx
from shared.errors import Refused


class NoSuchResult(Refused):
    """There is no result here. It may not have been released yet."""

    status = 404


@dataclass(frozen=True)
class Statement:
    """One version of somebody's result, with all that is needed to show it."""

    result: Result
    candidate: Candidate
    sitting: Sitting

    @property
    def table(self) -> Table:
        return tables.lay_out(self.result.outcome, programme=self.sitting.programme)

    @property
    def claims(self) -> Mapping[str, Any]:
        """What is signed: what the public page shows, and no more."""
        told = self.result.told
        return {
            "result": self.result.id.hex,
            "version": self.result.version,
            "programme": told["programme"],
            "exam": told["exam"],
            "sitting": told["sitting"],
            "exam_date": told["exam_date"],
            "id_number": masks.mask_number(told["id_number"]),
            "name": masks.mask_name(self.candidate.person_name),
            "outcome": _short(self.result.outcome),
        }


def _short(outcome: ScoredOutcome | GivenOutcome) -> Mapping[str, Any]:
    """What came out, without how."""
    told: dict[str, Any]
    if outcome.is_absent:
        return {"absent": True}
    if isinstance(outcome, GivenOutcome):
        told = {"grade": outcome.grade, "overall": outcome.overall, "papers": outcome.papers}
    else:
        told = {
            "level": outcome.level,
            "total": None if outcome.total is None else outcomes.write_points(outcome.total),
            "sections": {
                name: outcomes.write_points(section.points)
                for name, section in outcome.sections.items()
            },
            "disqualified": outcome.is_disqualified or None,
        }
    return {name: value for name, value in told.items() if value not in (None, {})}


# Of everything that is shown: one statement reads it all.
_PARTS = {
    "results": [field.name for field in fields(Result)],
    "candidates": [field.name for field in fields(Candidate)],
    "sittings": [field.name for field in fields(Sitting)],
}
_COLUMNS = ", ".join(f"{part}.{name} AS {part}_{name}" for part in _PARTS for name in _PARTS[part])
# From which instant on a result is seen is decided here and nowhere else, and by the clock of the
# database: no web process whose clock is fast shows anything early.
_FROM = """
      FROM results
      JOIN releases ON releases.sitting = results.sitting AND releases.released_at <= now()
      JOIN candidates ON candidates.entry_id = results.entry_id AND NOT candidates.is_cancelled
      JOIN sittings ON sittings.code = results.sitting
       -- What was corrected before the release, nobody ever had.
       AND (results.replaced_at IS NULL OR results.replaced_at > releases.released_at)
"""
_SELECT = f"SELECT {_COLUMNS} {_FROM}"


# Where the columns of a candidate begin, and those of the sitting.
_CANDIDATE = len(_PARTS["results"])
_SITTING = _CANDIDATE + len(_PARTS["candidates"])
_END = _SITTING + len(_PARTS["sittings"])


def _read(row: Row) -> Statement:
    sitting = dict(zip(_PARTS["sittings"], row[_SITTING:_END], strict=True))
    sitting["zone"] = ZoneInfo(sitting["zone"])
    return Statement(
        Result(*row[:_CANDIDATE]), Candidate(*row[_CANDIDATE:_SITTING]), Sitting(**sitting)
    )


async def list_(tx: Tx, *, account_id: UUID) -> list[Statement]:
    """Every result that an account may see now, the newest first."""
    rows = await tx.fetch(
        f"""
        {_SELECT}
          JOIN holders ON holders.entry_id = results.entry_id
         WHERE holders.account_id = $1 AND results.replaced_at IS NULL
         ORDER BY releases.released_at DESC, results.id
        """,
        account_id,
    )
    return [_read(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Own:
    """A result, and the account that asks for it as its own."""

    result_id: UUID
    account_id: UUID


async def load_all(tx: Tx, *, asked: Sequence[Own]) -> list[Statement | NoSuchResult]:
    """Load for each who asks what their account may see now, also a version that was replaced."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS}, place
        {_FROM}
          JOIN holders ON holders.entry_id = results.entry_id
          JOIN unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY
               AS asked (result_id, account_id, place)
            ON results.id = asked.result_id AND holders.account_id = asked.account_id
        """,
        [own.result_id for own in asked],
        [own.account_id for own in asked],
    )
    found = {row["place"]: row for row in rows}
    return [
        _read(found[place]) if place in found else NoSuchResult()
        for place in range(1, len(asked) + 1)
    ]


async def load(tx: Tx, *, result_id: UUID, account_id: UUID) -> Statement:
    [found] = await load_all(tx, asked=[Own(result_id, account_id)])
    if isinstance(found, NoSuchResult):
        raise found
    return found


async def list_versions(tx: Tx, *, entry_id: UUID) -> list[Statement]:
    """Every version that can be seen now, the newest first, for somebody who has proved that they
    may see it."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE results.entry_id = $1 ORDER BY results.version DESC", entry_id
    )
    return [_read(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A result that somebody will see, and when at the earliest."""

    exam_titles: Mapping[str, str]
    titles: Mapping[str, str]
    exam_date: date
    zone: ZoneInfo
    due_at: datetime
    is_late: bool  # the hour has passed, and there is no result all the same


async def list_awaited(tx: Tx, *, account_id: UUID) -> list[Awaited]:
    """What an account waits for. Until when, the order to release says, or what was promised."""
    rows = await tx.fetch(
        """
        SELECT exam_titles, titles, exam_date, zone,
               COALESCE(released_at, results_at) AS due_at,
               COALESCE(released_at, results_at) <= now() AS is_late
          FROM holders
          JOIN candidates USING (entry_id)
          JOIN sittings ON code = candidates.sitting
          LEFT JOIN releases ON releases.sitting = code
         WHERE holders.account_id = $1 AND NOT is_cancelled
           AND NOT (COALESCE(released_at <= now(), false)
                    AND EXISTS (SELECT FROM results WHERE results.entry_id = holders.entry_id))
         ORDER BY due_at, code
        """,
        account_id,
    )
    return [Awaited(**{**row, "zone": ZoneInfo(row["zone"])}) for row in rows]


class Standing(StrEnum):
    """What became of a statement."""

    VALID = "valid"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. Only of a statement of ours is anything shown."""

    standing: Standing
    statement: Statement | None = None
    claims: Mapping[str, Any] | None = None


NOTHING_FOUND = Finding(Standing.UNKNOWN)


async def check(tx: Tx, *, sealed: str) -> Finding:
    """Say whether we signed this, and whether it is still the last word."""
    try:
        opened = seals.open_(sealed, await statement_keys.find_public(tx))
    except seals.NotSealed:
        return NOTHING_FOUND
    row = await tx.fetchrow(f"{_SELECT} WHERE results.id = $1", UUID(opened.claims["result"]))
    if row is None:
        return NOTHING_FOUND
    statement = _read(row)
    # A name or number that was mended since makes another statement, too.
    is_last = statement.result.replaced_at is None and statement.claims == opened.claims
    standing = Standing.VALID if is_last else Standing.REPLACED
    return Finding(standing, statement, opened.claims)
