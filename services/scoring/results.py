"""Results that were approved: every version of each. Sole writer of `results`.

What is here is never changed; a corrected result is another version beside the one it replaces.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from services.scoring.candidates import Candidate
from services.scoring.rules import GivenOutcome, ScoredOutcome, outcomes
from services.scoring.rules.merkle import Proof
from services.scoring.sittings import Sitting
from shared.db import Row, Tx

WRITTEN_AT_ONCE = 5_000


@dataclass(frozen=True)
class Result:
    """One version of somebody's result, and where it stands in its digest."""

    id: UUID
    entry_id: UUID
    sitting: str
    version: int
    content: str
    salt: bytes
    digest_id: UUID
    position: int
    path: bytes
    approved_at: datetime
    replaced_at: datetime | None

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """What the digest is of."""
        content: Mapping[str, Any] = json.loads(self.content)
        return content

    @cached_property
    def outcome(self) -> ScoredOutcome | GivenOutcome:
        return outcomes.read(self.told["outcome"])


_NAMES = (
    "id",
    "entry_id",
    "sitting",
    "version",
    "content",
    "salt",
    "digest_id",
    "position",
    "path",
    "approved_at",
    "replaced_at",
)
_COLUMNS = ", ".join(f"results.{name}" for name in _NAMES)


def _read(row: Row) -> Result:
    return Result(**{name: row[name] for name in _NAMES})


def write_content(
    sitting: Sitting, candidate: Candidate, *, version: int, outcome: Mapping[str, Any]
) -> str:
    """Write a result as it is digested. It names nobody: an ID number is all it takes."""
    return outcomes.canonical(
        {
            "id_number": candidate.id_number,
            "programme": sitting.programme,
            "exam": sitting.exam,
            "sitting": sitting.code,
            "exam_date": sitting.exam_date.isoformat(),
            "version": version,
            "outcome": outcome,
        }
    )


async def add(tx: Tx, *, results: Sequence[Result]) -> None:
    for start in range(0, len(results), WRITTEN_AT_ONCE):
        some = results[start : start + WRITTEN_AT_ONCE]
        await tx.execute(
            """
            INSERT INTO results (id, entry_id, sitting, version, content, salt, digest_id, position,
                                 path, approved_at)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[],
                                 $6::bytea[], $7::uuid[], $8::int[], $9::bytea[],
                                 $10::timestamptz[])
            """,
            *([getattr(result, name) for result in some] for name in _NAMES[:-1]),
        )


async def replace(tx: Tx, *, result_id: UUID, now: datetime) -> None:
    """Let a result count no more; another version comes in its place."""
    await tx.execute("UPDATE results SET replaced_at = $2 WHERE id = $1", result_id, now)


async def find_current(tx: Tx, *, entry_id: UUID) -> Result | None:
    """Find the version that counts, whether or not it can be seen yet."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM results WHERE entry_id = $1 AND replaced_at IS NULL
        """,  # noqa: S608 (a constant)
        entry_id,
    )
    return _read(row) if row else None


async def list_versions(tx: Tx, *, entry_id: UUID) -> list[Result]:
    """Every version there was of somebody's result, the newest first. For staff."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM results WHERE entry_id = $1 ORDER BY version DESC
        """,  # noqa: S608 (a constant)
        entry_id,
    )
    return [_read(row) for row in rows]


def prove(result: Result, *, count: int) -> Proof:
    """Say what proves that a result is among those of its digest, which has so many."""
    return Proof(result.content, result.salt, result.position, count, result.path)
