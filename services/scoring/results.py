"""Results that were approved: every version of each, and who sees which. Sole writer of `results`.

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
from shared.errors import Refused

WRITTEN_AT_ONCE = 5_000


class NoSuchResult(Refused):
    """There is no result here. It may not have been released yet."""

    status = 404


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


# From which instant on a result is seen is decided here and nowhere else, and by the clock of the
# database: no web process whose clock is fast shows anything early.
VISIBLE = """
    results
    JOIN releases ON releases.sitting = results.sitting AND releases.released_at <= now()
    JOIN candidates ON candidates.entry_id = results.entry_id AND NOT candidates.is_cancelled
"""


async def list_visible(tx: Tx, *, account_id: UUID) -> list[Result]:
    """The results an account may see now, the newest first; of each the version that counts."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS}
          FROM {VISIBLE}
          JOIN holders ON holders.entry_id = results.entry_id
         WHERE holders.account_id = $1 AND results.replaced_at IS NULL
         ORDER BY releases.released_at DESC, results.id
        """,  # noqa: S608 (constants)
        account_id,
    )
    return [_read(row) for row in rows]


async def find_visible(tx: Tx, *, entry_id: UUID, account_id: UUID | None = None) -> Result | None:
    """Find what can be seen now of an entry's result: by one of its holders, where an account is
    named, or by somebody who has proved otherwise that they may."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS}
          FROM {VISIBLE}
         WHERE results.entry_id = $1 AND results.replaced_at IS NULL
           AND ($2::uuid IS NULL
                OR EXISTS (SELECT FROM holders
                            WHERE holders.entry_id = $1 AND holders.account_id = $2))
        """,  # noqa: S608 (constants)
        entry_id,
        account_id,
    )
    return _read(row) if row else None


async def load_visible(tx: Tx, *, result_id: UUID, account_id: UUID) -> Result:
    """Load one result that an account may see now, also a version that was replaced."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS}
          FROM {VISIBLE}
          JOIN holders ON holders.entry_id = results.entry_id
         WHERE results.id = $1 AND holders.account_id = $2
        """,  # noqa: S608 (constants)
        result_id,
        account_id,
    )
    if row is None:
        raise NoSuchResult
    return _read(row)


def prove(result: Result, *, count: int) -> Proof:
    """Say what proves that a result is among those of its digest, which has so many."""
    return Proof(result.content, result.salt, result.position, count, result.path)
