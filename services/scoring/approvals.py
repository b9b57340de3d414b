"""Approval: drafts become results, and a digest of them is published. Nobody sees them by that."""

import asyncio
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
from services.scoring.drafts import AT_ONCE, NotComputed
from services.scoring.results import Result
from services.scoring.rules import merkle
from services.scoring.rules.merkle import Tree
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


@dataclass(frozen=True, slots=True)
class _Sealed:
    """Somebody's result as it is hashed. Its words are written once more when it is kept: those of
    all together may not fit into memory."""

    entry_id: UUID
    salt: bytes
    leaf: bytes


async def approve(tx: Tx, *, code: str, number: int, actor: UUID, now: datetime) -> UUID:
    """Approve the results of a computation, which must be the newest and still true."""
    sitting = await sittings.lock(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    await contributors.refuse(tx, sitting=code, account_id=actor)
    sealed = await _check(tx, sitting, number)
    digest_id = uuid4()
    # Thousands of hashes: not in the loop, in which others wait for their turn.
    tree = await asyncio.to_thread(merkle.grow, [each.leaf for each in sealed])
    await digests.publish(
        tx,
        digest_id=digest_id,
        sitting=code,
        kind="approval",
        root=tree.root,
        count=len(sealed),
        now=now,
    )
    for start in range(0, len(sealed), AT_ONCE):
        some = sealed[start : start + AT_ONCE]
        looked_at = await drafts.find_outcomes(tx, entry_ids=[each.entry_id for each in some])
        contents = await _write(tx, sitting, looked_at)
        made = await asyncio.to_thread(_make, sitting, some, contents, tree, start, digest_id, now)
        await results.add(tx, results=made)
    await releases.open_(tx, sitting=code, digest_id=digest_id, actor=actor, now=now)
    details = {"number": number, "root": tree.root.hex(), "count": len(sealed)}
    await audit.record(tx, [Line(str(actor), "results_approved", f"sitting {code}", details)])
    return digest_id


async def _check(tx: Tx, sitting: Sitting, number: int) -> list[_Sealed]:
    """Work everything out once more: what is approved is what was looked at."""
    computation = await drafts.find_computation(tx, sitting=sitting.code)
    if computation is None:
        raise NotComputed
    if computation.number != number:
        raise ChangedSince
    sealed: list[_Sealed] = []
    async for some in drafts.work_out(tx, sitting=sitting):
        if some.missing or some.faulty:
            raise ScoresMissing
        looked_at = await drafts.find_outcomes(tx, entry_ids=list(some.outcomes))
        if not await asyncio.to_thread(operator.eq, some.outcomes, looked_at):
            raise ChangedSince
        contents = await _write(tx, sitting, looked_at)
        sealed += await asyncio.to_thread(_seal, contents)
    if await drafts.count(tx, sitting=sitting.code) != len(sealed):
        raise ChangedSince  # somebody whose result was looked at sits this exam no more
    if not sealed:
        raise NothingToApprove
    return sealed


async def _write(
    tx: Tx, sitting: Sitting, looked_at: Mapping[UUID, Mapping[str, Any]]
) -> dict[UUID, str]:
    """Write what was looked at, as it is digested."""
    known = await candidates.list_these(tx, entry_ids=list(looked_at))
    return await asyncio.to_thread(_write_each, sitting, known, looked_at)


def _write_each(
    sitting: Sitting, known: Sequence[Candidate], looked_at: Mapping[UUID, Mapping[str, Any]]
) -> dict[UUID, str]:
    return {
        candidate.entry_id: results.write_content(
            sitting, candidate, version=1, outcome=looked_at[candidate.entry_id]
        )
        for candidate in known
    }


def _seal(contents: Mapping[UUID, str]) -> list[_Sealed]:
    salted = [(entry_id, content, merkle.make_salt()) for entry_id, content in contents.items()]
    return [
        _Sealed(entry_id, salt, merkle.hash_leaf(content, salt))
        for entry_id, content, salt in salted
    ]


def _make(
    sitting: Sitting,
    some: Sequence[_Sealed],
    contents: Mapping[UUID, str],
    tree: Tree,
    start: int,
    digest_id: UUID,
    now: datetime,
) -> list[Result]:
    """Make results that cannot be changed any more without being noticed."""
    made = []
    for position, each in enumerate(some, start):
        content = contents[each.entry_id]
        if merkle.hash_leaf(content, each.salt) != each.leaf:
            raise ChangedSince  # there was news of a candidate in between
        made.append(
            Result(
                id=uuid4(),
                entry_id=each.entry_id,
                sitting=sitting.code,
                version=1,
                content=content,
                salt=each.salt,
                digest_id=digest_id,
                position=position,
                path=tree.find_path(position),
                approved_at=now,
                replaced_at=None,
            )
        )
    return made
