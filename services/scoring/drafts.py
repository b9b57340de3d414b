"""Drafts: what the scores would give, worked out as often as one likes. Sole writer of `drafts` and
`computations`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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

# So many are read, worked out and written at a time.
AT_ONCE = 1_000


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


async def work_out(tx: Tx, *, sitting: Sitting) -> AsyncIterator[WorkedOut]:
    """Work out everybody's result from what is known now, some at a time in the order of their
    entries: there may be more than fit into memory. Nothing is written."""
    marking = sitting.marking
    breaches = await conduct_records.list_(tx, sitting=sitting.code)
    through: UUID | None = None
    while True:
        rows = await tx.fetch(
            """
            SELECT next.entry_id, scores.entry_id IS NOT NULL AS is_scored, given
              FROM (SELECT entry_id FROM candidates
                     WHERE sitting = $1 AND NOT is_cancelled
                       AND ($2::uuid IS NULL OR entry_id > $2)
                     ORDER BY entry_id
                     LIMIT $3) AS next
              LEFT JOIN scores ON scores.entry_id = next.entry_id AND scores.sitting = $1
             ORDER BY next.entry_id
            """,
            sitting.code,
            through,
            AT_ONCE,
        )
        if not rows:
            return
        known = [_Known(**row, breaches=breaches.get(row["entry_id"], ())) for row in rows]
        through = known[-1].entry_id
        # Beside the loop, in which others wait for their turn.
        yield await asyncio.to_thread(_work_out, sitting, marking, known)


def _work_out(sitting: Sitting, marking: Marking, known: Sequence[_Known]) -> WorkedOut:
    found = WorkedOut()
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
    return found


def outcome_of(
    sitting: Sitting, marking: Marking, given: Given | None, breaches: Sequence[Breach]
) -> dict[str, Any]:
    """Work out one result, in the form in which it is kept."""
    if given is None:
        return marking.absent().model_dump(mode="json")
    conduct = [conduct_records.judge(sitting, breach) for breach in breaches]
    return marking.work_out(given, conduct).model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Computed:
    """For how many a result came out; and those of whom there is none, and why."""

    count: int
    missing: Sequence[UUID]
    faulty: Sequence[UUID]


async def compute(tx: Tx, *, code: str, actor: UUID, now: datetime) -> Computed:
    """Work out everybody's result, beside the one of the computation before."""
    sitting = await sittings.load(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    await _set_aside(tx, code)
    count, missing, faulty = 0, list[UUID](), list[UUID]()
    async for some in work_out(tx, sitting=sitting):
        await _write(tx, code, some)
        count += len(some.outcomes)
        missing += some.missing
        faulty += some.faulty
    if not (count or missing or faulty):
        raise NobodyEntered
    await _drop_strangers(tx, code)
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
    details = {"number": number, "by": sitting.marking.file, "count": count}
    await audit.record(tx, [Line(str(actor), "results_computed", f"sitting {code}", details)])
    return Computed(count, missing, faulty)


async def _set_aside(tx: Tx, code: str) -> None:
    """Let the last outcomes become those of before. Most stay the same: those are not written."""
    await tx.execute("DELETE FROM drafts WHERE sitting = $1 AND outcome IS NULL", code)
    await tx.execute(
        """
        UPDATE drafts SET before = outcome WHERE sitting = $1 AND before IS DISTINCT FROM outcome
        """,
        code,
    )


async def _write(tx: Tx, code: str, some: WorkedOut) -> None:
    """Put outcomes in the place of the last ones."""
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
        list(some.outcomes),
        [to_json(outcome).decode() for outcome in some.outcomes.values()],
        code,
    )
    await tx.execute(
        "UPDATE drafts SET outcome = NULL WHERE sitting = $1 AND entry_id = ANY($2::uuid[])",
        code,
        [*some.missing, *some.faulty],
    )


async def _drop_strangers(tx: Tx, code: str) -> None:
    """Whoever is not entered for the sitting any more has no outcome there."""
    await tx.execute(
        """
        UPDATE drafts SET outcome = NULL
         WHERE sitting = $1 AND outcome IS NOT NULL
           AND NOT EXISTS (SELECT FROM candidates
                            WHERE candidates.entry_id = drafts.entry_id
                              AND candidates.sitting = drafts.sitting AND NOT is_cancelled)
        """,
        code,
    )


async def find_computation(tx: Tx, *, sitting: str) -> Computation | None:
    row = await tx.fetchrow(
        "SELECT sitting, number, computed_by, computed_at FROM computations WHERE sitting = $1",
        sitting,
    )
    return Computation(**row) if row else None


async def find_outcomes(tx: Tx, *, entry_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The outcomes of the newest computation, as they were looked at."""
    rows = await tx.fetch(
        """
        SELECT entry_id, outcome FROM drafts
         WHERE entry_id = ANY($1::uuid[]) AND outcome IS NOT NULL
        """,
        entry_ids,
    )
    return {row["entry_id"]: row["outcome"] for row in rows}


async def count(tx: Tx, *, sitting: str) -> int:
    """For how many the newest computation gave a result."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM drafts WHERE sitting = $1 AND outcome IS NOT NULL", sitting
    )
    return found


async def count_alike(tx: Tx, *, sitting: str) -> list[tuple[dict[str, Any], int]]:
    """Outcomes without what is behind them, and how many came out alike: few, however many sat."""
    rows = await tx.fetch(
        """
        SELECT outcome - '{sections,papers,conduct,missed}'::text[] AS outcome, count(*) AS number
          FROM drafts WHERE sitting = $1 AND outcome IS NOT NULL GROUP BY 1 ORDER BY 1
        """,
        sitting,
    )
    return [(row["outcome"], row["number"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate's outcome, and the one of the computation before."""

    entry_id: UUID
    id_number: str
    candidate_number: str
    person_name: str
    outcome: dict[str, Any] | None
    before: dict[str, Any] | None


_LIST = """
    SELECT entry_id, id_number, candidate_number, person_name, outcome, before
      FROM drafts JOIN candidates USING (entry_id)
     WHERE drafts.sitting = $1
       AND CASE WHEN $2 THEN outcome IS DISTINCT FROM before ELSE outcome IS NOT NULL END
     ORDER BY candidate_number, entry_id
     LIMIT $3 OFFSET $4
"""


async def list_(
    tx: Tx, *, sitting: str, only_changed: bool = False, limit: int, offset: int = 0
) -> list[Draft]:
    return [Draft(**row) for row in await tx.fetch(_LIST, sitting, only_changed, limit, offset)]


async def list_changes(tx: Tx, *, sitting: str, at_once: int) -> AsyncIterator[list[Draft]]:
    """Every change, some at a time, as of one moment: what is computed meanwhile is not seen."""
    found = await tx.cursor(_LIST, sitting, True, None, 0)
    while rows := await found.fetch(at_once):
        yield [Draft(**row) for row in rows]


async def count_changes(tx: Tx, *, sitting: str) -> int:
    count: int = await tx.fetchval(
        "SELECT count(*) FROM drafts WHERE sitting = $1 AND outcome IS DISTINCT FROM before",
        sitting,
    )
    return count
