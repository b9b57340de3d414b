"""Corrections of approved results: one proposes, another approves. Sole writer of `corrections`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from services.scoring import (
    candidates,
    conduct_records,
    digests,
    drafts,
    releases,
    results,
    scores,
    sittings,
    tellings,
)
from services.scoring.candidates import Candidate
from services.scoring.conduct_records import Breach
from services.scoring.results import Result
from services.scoring.rules import Given, Marking, ScoresDoNotFit, find_marking, merkle
from services.scoring.sittings import NoPlan, Sitting
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused


class NoSuchCorrection(Refused):
    """There is no such correction."""

    status = 404


class CorrectionWaits(Refused):
    """A correction of this result waits for a decision already."""


class NothingChanges(Refused):
    """This would leave the result as it is, so there is nothing to correct."""


class BreachesDoNotFit(Refused):
    """These scores and what is recorded against the candidate do not fit together."""


class OwnProposal(Refused):
    """You proposed this correction, so somebody else decides on it."""

    status = 403


class AlreadyDecided(Refused):
    """This correction was decided already."""


class ResultChangedSince(Refused):
    """The result was changed since this correction was proposed. Reject it, and propose another."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a result is worked out from."""

    given: Given | None
    breaches: Sequence[Breach]


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to become of somebody's result, why, and who said so."""

    id: UUID
    entry_id: UUID
    sitting: str
    reason: str
    given: Given | None
    is_absent: bool
    conduct: Sequence[dict[str, str]]
    outcome: dict[str, Any]
    of_version: int
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    is_approved: bool | None
    result_id: UUID | None


_COLUMNS = ", ".join(Correction.__slots__)


def _read(row: Row) -> Correction:
    return Correction(**row)


async def find_basis(tx: Tx, *, entry_id: UUID) -> Basis:
    """Find what a result stands on now: the newest correction, or else what was entered."""
    row = await tx.fetchrow(
        """
        SELECT given, conduct FROM corrections
         WHERE entry_id = $1 AND is_approved ORDER BY decided_at DESC LIMIT 1
        """,
        entry_id,
    )
    if row is not None:
        return Basis(row["given"], [Breach(**one) for one in row["conduct"]])
    scored = await scores.find(tx, entry_id=entry_id)
    recorded = await conduct_records.list_of(tx, entry_id=entry_id)
    return Basis(scored.given if scored else None, [each.breach for each in recorded])


def marking_of(sitting: Sitting, current: Result | None) -> Marking:
    """A result is corrected by the version of the scheme by which it was worked out."""
    version = current.outcome.version if current else None
    found = find_marking(sitting.programme, sitting.exam, version)
    if found is None:
        raise NoPlan
    return found


async def propose(
    tx: Tx, *, entry_id: UUID, basis: Basis, reason: str, actor: UUID, now: datetime
) -> UUID:
    candidate = await candidates.load(tx, entry_id=entry_id)
    sitting = await sittings.load(tx, code=candidate.sitting)
    await releases.lock(tx, sitting=sitting.code)
    current = await results.find_current(tx, entry_id=entry_id)
    # The same rule is broken once in the same place, as in the records of conduct.
    breaches = [*dict.fromkeys(basis.breaches)]
    try:
        outcome = drafts.outcome_of(sitting, marking_of(sitting, current), basis.given, breaches)
    except ScoresDoNotFit:
        raise BreachesDoNotFit from None
    if current is not None and current.told["outcome"] == outcome:
        raise NothingChanges
    correction_id: UUID | None = await tx.fetchval(
        """
        INSERT INTO corrections (id, entry_id, sitting, reason, given, is_absent, conduct, outcome,
                                 of_version, proposed_by, proposed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        uuid4(),
        entry_id,
        sitting.code,
        reason,
        basis.given,
        basis.given is None,
        [asdict(breach) for breach in breaches],
        outcome,
        current.version if current else 0,
        actor,
        now,
    )
    if correction_id is None:
        raise CorrectionWaits
    await _record(tx, actor, "correction_proposed", correction_id, candidate)
    return correction_id


async def approve(tx: Tx, *, correction_id: UUID, actor: UUID, now: datetime) -> UUID:
    """Make a correction true: another version of the result, and word of it to its holders."""
    correction = await _take(tx, correction_id, actor)
    candidate = await candidates.load(tx, entry_id=correction.entry_id)
    sitting = await sittings.load(tx, code=correction.sitting)
    release = await releases.lock(tx, sitting=sitting.code)
    current = await results.find_current(tx, entry_id=correction.entry_id)
    if correction.of_version != (current.version if current else 0):
        raise ResultChangedSince
    if current is not None:
        await results.replace(tx, result_id=current.id, now=now)
    result = await _add_version(tx, correction, sitting, candidate, now=now)
    await _decide(tx, correction, actor=actor, result_id=result.id, now=now)
    if release.is_out and current is not None:
        await tellings.tell_corrected(
            tx,
            result_id=result.id,
            sitting=sitting,
            candidate=candidate,
            reason=correction.reason,
            now=now,
        )
    await releases.look_again(tx, held=[(candidate.entry_id, releases.EVER)])
    await _record(tx, actor, "correction_approved", correction.id, candidate)
    return result.id


async def _add_version(
    tx: Tx, correction: Correction, sitting: Sitting, candidate: Candidate, *, now: datetime
) -> Result:
    """Add the corrected result, with a digest of its own, published as the first one was."""
    version = correction.of_version + 1
    content = results.write_content(sitting, candidate, version=version, outcome=correction.outcome)
    salt = merkle.make_salt()
    tree = merkle.grow([merkle.hash_leaf(content, salt)])
    digest_id = uuid4()
    await digests.publish(
        tx,
        digest_id=digest_id,
        sitting=sitting.code,
        kind="correction",
        root=tree.root,
        count=1,
        now=now,
    )
    result = Result(
        id=uuid4(),
        entry_id=candidate.entry_id,
        sitting=sitting.code,
        version=version,
        content=content,
        salt=salt,
        digest_id=digest_id,
        position=0,
        path=tree.find_path(0),
        approved_at=now,
        replaced_at=None,
    )
    await results.add(tx, results=[result])
    return result


async def reject(tx: Tx, *, correction_id: UUID, actor: UUID, now: datetime) -> None:
    """Leave the result as it is."""
    correction = await _take(tx, correction_id, actor)
    await _decide(tx, correction, actor=actor, result_id=None, now=now)
    candidate = await candidates.load(tx, entry_id=correction.entry_id)
    await _record(tx, actor, "correction_rejected", correction.id, candidate)


async def _take(tx: Tx, correction_id: UUID, actor: UUID) -> Correction:
    """Take a correction to decide on it; the database refuses its author once more."""
    await tx.execute("SELECT FROM corrections WHERE id = $1 FOR UPDATE", correction_id)
    correction = await load(tx, correction_id=correction_id)
    if correction.proposed_by == actor:
        raise OwnProposal
    if correction.decided_at is not None:
        raise AlreadyDecided
    return correction


async def _decide(
    tx: Tx, correction: Correction, *, actor: UUID, result_id: UUID | None, now: datetime
) -> None:
    await tx.execute(
        """
        UPDATE corrections
           SET decided_by = $2, decided_at = $3, is_approved = $4, result_id = $5
         WHERE id = $1
        """,
        correction.id,
        actor,
        now,
        result_id is not None,
        result_id,
    )


async def load(tx: Tx, *, correction_id: UUID) -> Correction:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM corrections WHERE id = $1",  # noqa: S608 (a constant)
        correction_id,
    )
    if row is None:
        raise NoSuchCorrection
    return _read(row)


async def list_(
    tx: Tx, *, sitting: str | None = None, entry_id: UUID | None = None, limit: int
) -> list[Correction]:
    """Corrections of a sitting or an entry, those that wait first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM corrections
         WHERE ($1::text IS NULL OR sitting = $1) AND ($2::uuid IS NULL OR entry_id = $2)
         ORDER BY decided_at IS NOT NULL, proposed_at DESC
         LIMIT $3
        """,  # noqa: S608 (a constant)
        sitting,
        entry_id,
        limit,
    )
    return [_read(row) for row in rows]


async def _record(tx: Tx, actor: UUID, act: str, correction_id: UUID, candidate: Candidate) -> None:
    details = {"sitting": candidate.sitting, "entry": str(candidate.entry_id)}
    await audit.record(tx, [Line(str(actor), act, f"correction {correction_id}", details)])
