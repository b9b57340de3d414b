"""Scores, as they were imported or entered, until results are approved. Sole writer of `scores`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json

from services.scoring import contributors, releases
from services.scoring.candidates import Candidate
from services.scoring.rules import Given
from shared import audit
from shared.audit import Line
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Scored:
    """What is known of a candidate: scores, or that they were absent."""

    entry_id: UUID
    given: Given | None

    @property
    def is_absent(self) -> bool:
        return self.given is None


async def put(
    tx: Tx, *, sitting: str, scored: Sequence[Scored], file_id: UUID, actor: UUID, now: datetime
) -> int:
    """Write scores down in the place of earlier ones; return how many that changed."""
    await releases.refuse_if_approved(tx, sitting=sitting)
    changed = await _write(
        tx, sitting=sitting, scored=scored, file_id=file_id, actor=actor, now=now
    )
    await contributors.add(tx, sitting=sitting, account_id=actor)
    return changed


async def _write(
    tx: Tx,
    *,
    sitting: str,
    scored: Sequence[Scored],
    file_id: UUID | None,
    actor: UUID,
    now: datetime,
) -> int:
    rows = await tx.fetch(
        """
        INSERT INTO scores AS known (entry_id, sitting, given, is_absent, file_id, entered_by,
                                     entered_at)
        SELECT entry_id, $3, given::jsonb, given IS NULL, $4, $5, $6
          FROM unnest($1::uuid[], $2::text[]) AS told (entry_id, given)
        ON CONFLICT (entry_id) DO UPDATE
           SET sitting = EXCLUDED.sitting, given = EXCLUDED.given,
               is_absent = EXCLUDED.is_absent, file_id = EXCLUDED.file_id,
               entered_by = EXCLUDED.entered_by, entered_at = EXCLUDED.entered_at
         WHERE (known.sitting, known.given) IS DISTINCT FROM (EXCLUDED.sitting, EXCLUDED.given)
        RETURNING entry_id
        """,
        [each.entry_id for each in scored],
        [None if each.given is None else to_json(each.given).decode() for each in scored],
        sitting,
        file_id,
        actor,
        now,
    )
    return len(rows)


async def mark_absent(tx: Tx, *, candidate: Candidate, actor: UUID, now: datetime) -> None:
    """Write down that a candidate was absent; scores they had are gone."""
    await releases.refuse_if_approved(tx, sitting=candidate.sitting)
    changed = await _write(
        tx,
        sitting=candidate.sitting,
        scored=[Scored(candidate.entry_id, None)],
        file_id=None,
        actor=actor,
        now=now,
    )
    await contributors.add(tx, sitting=candidate.sitting, account_id=actor)
    if changed:
        await _record(tx, actor, "absence_recorded", candidate)


async def clear(tx: Tx, *, candidate: Candidate, actor: UUID) -> None:
    """Remove what is known of a candidate's scores, an absence too. Twice is as good as once."""
    await releases.refuse_if_approved(tx, sitting=candidate.sitting)
    cleared = await tx.fetchval(
        "DELETE FROM scores WHERE entry_id = $1 RETURNING entry_id", candidate.entry_id
    )
    if cleared is not None:
        await contributors.add(tx, sitting=candidate.sitting, account_id=actor)
        await _record(tx, actor, "scores_removed", candidate)


async def find(tx: Tx, *, entry_id: UUID) -> Scored | None:
    row = await tx.fetchrow("SELECT entry_id, given FROM scores WHERE entry_id = $1", entry_id)
    return Scored(**row) if row else None


async def list_(tx: Tx, *, sitting: str) -> dict[UUID, Given | None]:
    """What is known of each candidate of a sitting; None: they were absent."""
    rows = await tx.fetch("SELECT entry_id, given FROM scores WHERE sitting = $1", sitting)
    return {row["entry_id"]: row["given"] for row in rows}


async def _record(tx: Tx, actor: UUID, act: str, candidate: Candidate) -> None:
    line = Line(str(actor), act, f"entry {candidate.entry_id}", {"sitting": candidate.sitting})
    await audit.record(tx, [line])
