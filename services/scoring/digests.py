"""Digests: one hash over all results of a sitting, published before anybody sees them. Sole writer
of `digests`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Row, Tx
from shared.errors import Refused


class NoSuchDigest(Refused):
    """There is no such digest."""

    status = 404


@dataclass(frozen=True, slots=True)
class Digest:
    """A published hash: of all results of a sitting, or of one that was corrected."""

    id: UUID
    sitting: str
    kind: str
    root: bytes
    count: int
    published_at: datetime
    titles: Mapping[str, str]
    zone: ZoneInfo


_SELECT = """
    SELECT id, sitting, kind, root, count, published_at, titles, zone
      FROM digests JOIN sittings ON code = sitting
"""


def _read(row: Row) -> Digest:
    return Digest(**{**row, "zone": ZoneInfo(row["zone"])})


async def publish(
    tx: Tx,
    *,
    digest_id: UUID,
    sitting: str,
    kind: str,
    root: bytes,
    count: int,
    now: datetime,
) -> None:
    await tx.execute(
        """
        INSERT INTO digests (id, sitting, kind, root, count, published_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        digest_id,
        sitting,
        kind,
        root,
        count,
        now,
    )


async def load(tx: Tx, *, digest_id: UUID) -> Digest:
    row = await tx.fetchrow(f"{_SELECT} WHERE id = $1", digest_id)
    if row is None:
        raise NoSuchDigest
    return _read(row)


async def list_(tx: Tx, *, limit: int, after: UUID | None = None) -> list[Digest]:
    """Digests, the newest first, those after the one that was shown last."""
    rows = await tx.fetch(
        f"""
        {_SELECT}
         WHERE $1::uuid IS NULL OR (published_at, id) <
               (SELECT last.published_at, last.id FROM digests AS last WHERE last.id = $1)
         ORDER BY published_at DESC, id DESC
         LIMIT $2
        """,  # noqa: S608 (a constant)
        after,
        limit,
    )
    return [_read(row) for row in rows]


async def find_by_root(tx: Tx, *, root: bytes) -> Digest | None:
    row = await tx.fetchrow(f"{_SELECT} WHERE root = $1", root)
    return _read(row) if row else None
