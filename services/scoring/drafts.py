"""Drafts: what the scores would give, worked out as often as one likes. Sole writer of `drafts` and
`computations`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from services.scoring import conduct_records, releases, sittings
from services.scoring.conduct_records import Breach, RuleDoesNotApply
from services.scoring.rules import Given, Marking, ScoresDoNotFit
from services.scoring.sittings import Sitting
from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import Refused

# So many are worked out, or written, at a time: others get their turn between.
AT_ONCE = 5_000


class NotComputed(Refused):
    """Nothing has been computed for this sitting yet."""


class NobodyEntered(Refused):
    """Nobody is entered for this sitting, so there is nothing to compute."""


@dataclass(frozen=True, slots=True)
class Computation:
    """When results were worked out last, and for which time."""

    sitting: str
    number: int
    computed_by: UUID
    computed_at: datetime


@dataclass(slots=True)
class WorkedOut:
    """Outcomes by entry; and those of whom there is none, and why."""

    outcomes: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    missing: list[UUID] = field(default_factory=list)  # neither scores nor an absence
    faulty: list[UUID] = field(default_factory=list)  # scores and breaches do not fit together


@dataclass(frozen=True, slots=True)
class _Known:
    entry_id: UUID
    is_scored: bool
    given: Given | None
    breaches: Sequence[Breach]


async def work_out(tx: Tx, *, sitting: Sitting) -> WorkedOut:
    """Work out everybody's result from what is known now. Nothing is written."""
    rows = await tx.fetch(
        """
        SELECT candidates.entry_id, scores.entry_id IS NOT NULL AS is_scored, given
          FROM candidates
          LEFT JOIN scores ON scores.entry_id = candidates.entry_id
                          AND scores.sitting = candidates.sitting
         WHERE candidates.sitting = $1 AND NOT is_cancelled
         ORDER BY candidates.entry_id
        """,
        sitting.code,
    )
    breaches = await conduct_records.list_(tx, sitting=sitting.code)
    known = [
        _Known(row["entry_id"], row["is_scored"], row["given"], breaches.get(row["entry_id"], ()))
        for row in rows
    ]
    found = WorkedOut()
    for start in range(0, len(known), AT_ONCE):
        await asyncio.to_thread(_work_out, sitting, known[start : start + AT_ONCE], found)
    return found


def _work_out(sitting: Sitting, known: Sequence[_Known], found: WorkedOut) -> None:
    marking = sitting.marking
    for each in known:
        if not each.is_scored:
            found.missing.append(each.entry_id)
            continue
        try:
            outcome = outcome_of(sitting, marking, each.given, each.breaches)
        except (ScoresDoNotFit, RuleDoesNotApply):
            found.faulty.append(each.entry_id)
        else:
            found.outcomes[each.entry_id] = outcome


def outcome_of(
    sitting: Sitting, marking: Marking, given: Given | None, breaches: Sequence[Breach]
) -> dict[str, Any]:
    """Work out one result, in the form in which it is kept."""
    if given is None:
        return marking.absent().model_dump(mode="json")
    conduct = [conduct_records.judge(sitting, breach) for breach in breaches]
    return marking.work_out(given, conduct).model_dump(mode="json")


async def compute(tx: Tx, *, code: str, actor: UUID, now: datetime) -> WorkedOut:
    """Work out everybody's result, beside the one of the computation before."""
    sitting = await sittings.lock(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    worked_out = await work_out(tx, sitting=sitting)
    if not (worked_out.outcomes or worked_out.missing or worked_out.faulty):
        raise NobodyEntered
    await _write(tx, code, worked_out.outcomes)
    number = await tx.fetchval(
        """
        INSERT INTO computations (sitting, number, computed_by, computed_at)
        VALUES ($1, 1, $2, $3)
        ON CONFLICT (sitting) DO UPDATE
           SET number = computations.number + 1, computed_by = EXCLUDED.computed_by,
               computed_at = EXCLUDED.computed_at
        RETURNING number
        """,
        code,
        actor,
        now,
    )
    details = {"number": number, "by": sitting.marking.file, "count": len(worked_out.outcomes)}
    await audit.record(tx, [Line(str(actor), "results_computed", f"sitting {code}", details)])
    return worked_out


async def _write(tx: Tx, code: str, outcomes: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Put outcomes in the place of the last ones, which become those of before."""
    await tx.execute("DELETE FROM drafts WHERE sitting = $1 AND outcome IS NULL", code)
    await tx.execute("UPDATE drafts SET before = outcome WHERE sitting = $1", code)
    entry_ids = list(outcomes)
    for start in range(0, len(entry_ids), AT_ONCE):
        some = entry_ids[start : start + AT_ONCE]
        await tx.execute(
            """
            INSERT INTO drafts (entry_id, sitting, outcome)
            SELECT entry_id, $3, outcome::jsonb
              FROM unnest($1::uuid[], $2::text[]) AS told (entry_id, outcome)
            ON CONFLICT (entry_id) DO UPDATE
               SET sitting = EXCLUDED.sitting, outcome = EXCLUDED.outcome
             WHERE (drafts.sitting, drafts.outcome)
                   IS DISTINCT FROM (EXCLUDED.sitting, EXCLUDED.outcome)
            """,
            some,
            [to_json(outcomes[entry_id]).decode() for entry_id in some],
            code,
        )
    await tx.execute(
        """
        UPDATE drafts SET outcome = NULL
         WHERE sitting = $1 AND NOT entry_id = ANY($2::uuid[])
        """,
        code,
        entry_ids,
    )


async def find_computation(tx: Tx, *, sitting: str) -> Computation | None:
    row = await tx.fetchrow(
        "SELECT sitting, number, computed_by, computed_at FROM computations WHERE sitting = $1",
        sitting,
    )
    return Computation(**row) if row else None


async def list_outcomes(tx: Tx, *, sitting: str) -> dict[UUID, dict[str, Any]]:
    rows = await tx.fetch(
        """
        SELECT entry_id, outcome FROM drafts
         WHERE sitting = $1 AND outcome IS NOT NULL ORDER BY entry_id
        """,
        sitting,
    )
    return {row["entry_id"]: row["outcome"] for row in rows}


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate's outcome, and the one of the computation before."""

    entry_id: UUID
    id_number: str
    candidate_number: str
    person_name: str
    outcome: dict[str, Any] | None
    before: dict[str, Any] | None


async def list_(
    tx: Tx, *, sitting: str, only_changed: bool = False, limit: int, offset: int = 0
) -> list[Draft]:
    rows = await tx.fetch(
        """
        SELECT entry_id, id_number, candidate_number, person_name, outcome, before
          FROM drafts JOIN candidates USING (entry_id)
         WHERE drafts.sitting = $1
           AND CASE WHEN $2 THEN outcome IS DISTINCT FROM before ELSE outcome IS NOT NULL END
         ORDER BY candidate_number, entry_id
         LIMIT $3 OFFSET $4
        """,
        sitting,
        only_changed,
        limit,
        offset,
    )
    return [Draft(**row) for row in rows]


async def count_changes(tx: Tx, *, sitting: str) -> int:
    count: int = await tx.fetchval(
        "SELECT count(*) FROM drafts WHERE sitting = $1 AND outcome IS DISTINCT FROM before",
        sitting,
    )
    return count
