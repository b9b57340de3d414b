"""Approval: drafts become results, and a digest of them is published. Nobody sees them by that."""

import asyncio
import operator
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from services.scoring import (
    candidates,
    contributors,
    digests,
    drafts,
    releases,
    results,
    sittings,
)
from services.scoring.candidates import Candidate
from services.scoring.drafts import NotComputed, WorkedOut
from services.scoring.results import Result
from services.scoring.rules import merkle
from services.scoring.sittings import Sitting
from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import Refused


class ScoresMissing(Refused):
    """Some candidates have neither scores nor an absence, or scores that do not fit what is
    recorded against them. Approve when that is mended."""


class ChangedSince(Refused):
    """Something changed since these results were computed. Compute them again, and look at the
    changes before you approve."""


class NothingToApprove(Refused):
    """There is no result to approve."""


async def approve(tx: Tx, *, code: str, number: int, actor: UUID, now: datetime) -> UUID:
    """Approve the results of a computation, which must be the newest and still true."""
    sitting = await sittings.lock(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    await contributors.refuse(tx, sitting=code, account_id=actor)
    worked_out = await _check(tx, sitting, number)
    known = {each.entry_id: each for each in await candidates.list_(tx, sitting=code)}
    digest_id = uuid4()
    # Thousands of hashes: not in the loop, in which others wait for their pages.
    root, sealed = await asyncio.to_thread(_seal, sitting, known, worked_out, digest_id, now)
    await digests.publish(
        tx,
        digest_id=digest_id,
        sitting=code,
        kind="approval",
        root=root,
        count=len(sealed),
        now=now,
    )
    await results.add(tx, results=sealed)
    await releases.open_(tx, sitting=code, digest_id=digest_id, actor=actor, now=now)
    details = {"number": number, "root": root.hex(), "count": len(sealed)}
    await audit.record(tx, [Line(str(actor), "results_approved", f"sitting {code}", details)])
    return digest_id


async def _check(tx: Tx, sitting: Sitting, number: int) -> WorkedOut:
    """Work everything out once more: what is approved is what was looked at."""
    computation = await drafts.find_computation(tx, sitting=sitting.code)
    if computation is None:
        raise NotComputed
    worked_out = await drafts.work_out(tx, sitting=sitting)
    if computation.number != number:
        raise ChangedSince
    if worked_out.missing or worked_out.faulty:
        raise ScoresMissing
    looked_at = await drafts.list_outcomes(tx, sitting=sitting.code)
    if not await asyncio.to_thread(operator.eq, worked_out.outcomes, looked_at):
        raise ChangedSince
    if not worked_out.outcomes:
        raise NothingToApprove
    return worked_out


def _seal(
    sitting: Sitting,
    known: Mapping[UUID, Candidate],
    worked_out: WorkedOut,
    digest_id: UUID,
    now: datetime,
) -> tuple[bytes, Sequence[Result]]:
    """Make results that cannot be changed any more without being noticed."""
    salted = [
        (
            entry_id,
            results.write_content(sitting, known[entry_id], version=1, outcome=outcome),
            merkle.make_salt(),
        )
        for entry_id, outcome in worked_out.outcomes.items()
    ]
    tree = merkle.grow([merkle.hash_leaf(content, salt) for _, content, salt in salted])
    return tree.root, [
        Result(
            id=uuid4(),
            entry_id=entry_id,
            sitting=sitting.code,
            version=1,
            content=content,
            salt=salt,
            digest_id=digest_id,
            position=position,
            path=tree.find_path(position),
            approved_at=now,
            replaced_at=None,
        )
        for position, (entry_id, content, salt) in enumerate(salted)
    ]
