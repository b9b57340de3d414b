"""The audit log: who did what to what, and a hash chain that shows when it was tampered with."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from shared import outbox
from shared.db import Row, Tx
from shared.events.audit import LogSealed

GENESIS = bytes(32)
SEALED_AT_ONCE = 1_000
VERIFIED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One act, as it is remembered. Details hold no personal data beyond ids."""

    actor: str
    act: str
    subject: str
    details: Mapping[str, Any]


async def record(tx: Tx, lines: Sequence[Line]) -> None:
    """Write lines in the transaction of the acts they record."""
    await tx.execute(
        """
        WITH written AS (
            INSERT INTO audit_lines (actor, act, subject, details)
            SELECT actor, act, subject, details::jsonb
              FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                   AS line (actor, act, subject, details)
            RETURNING id
        )
        INSERT INTO audit_unsealed (line_id) SELECT id FROM written
        """,
        [line.actor for line in lines],
        [line.act for line in lines],
        [line.subject for line in lines],
        [to_json(line.details).decode() for line in lines],
    )


def _digest_line(row: Row) -> bytes:
    """Digest a line as it stands in the database, every field told apart from the next."""
    recorded_at: datetime = row["recorded_at"]
    fields = [
        row["id"],
        recorded_at.isoformat(),
        row["actor"],
        row["act"],
        row["subject"],
        dict(sorted(row["details"].items())),
    ]
    return hashlib.sha256(to_json(fields)).digest()


def _digest_link(before: bytes, line_digest: bytes) -> bytes:
    return hashlib.sha256(before + line_digest).digest()


async def seal(tx: Tx, *, service: str) -> int:
    """Add the oldest unsealed lines to the chain, announce its head, and return how many."""
    rows = await tx.fetch(
        """
        WITH taken AS (
            DELETE FROM audit_unsealed
             WHERE line_id IN (SELECT line_id FROM audit_unsealed ORDER BY line_id LIMIT $1)
            RETURNING line_id
        )
        SELECT id, recorded_at, actor, act, subject, details
          FROM audit_lines JOIN taken ON line_id = id
         ORDER BY id
        """,
        SEALED_AT_ONCE,
    )
    if not rows:
        return 0
    # Only one sealer at a time: the position is a primary key, a second one would fail.
    head = await _load_head(tx)
    position, digest = head.position, head.digest
    links = []
    for row in rows:
        line_digest = _digest_line(row)
        position, digest = position + 1, _digest_link(digest, line_digest)
        links.append((position, row["id"], line_digest, digest))
    await tx.execute(
        """
        INSERT INTO audit_chain (position, line_id, line_digest, digest)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
        """,
        *(list(column) for column in zip(*links, strict=True)),
    )
    await outbox.publish(tx, [LogSealed(service=service, position=position, digest=digest.hex())])
    return len(rows)


async def witness(tx: Tx, announced: list[LogSealed]) -> None:
    """Remember the newest head of each service's chain."""
    newest = {e.service: e for e in sorted(announced, key=lambda e: e.position)}
    await tx.execute(
        """
        INSERT INTO audit_witness (service, position, digest)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
        ON CONFLICT (service) DO UPDATE
           SET position = EXCLUDED.position, digest = EXCLUDED.digest, witnessed_at = now()
         WHERE audit_witness.position < EXCLUDED.position
        """,
        list(newest),
        [event.position for event in newest.values()],
        [event.digest for event in newest.values()],
    )


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    position: int
    digest: bytes


async def _load_head(tx: Tx) -> Head:
    row = await tx.fetchrow(
        "SELECT position, digest FROM audit_chain ORDER BY position DESC LIMIT 1"
    )
    return Head(**row) if row else Head(0, GENESIS)


async def list_witnessed(tx: Tx) -> dict[str, Head]:
    rows = await tx.fetch("SELECT service, position, digest FROM audit_witness")
    return {row["service"]: Head(row["position"], bytes.fromhex(row["digest"])) for row in rows}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: the chain is whole, or where it first breaks."""

    links: int
    first_break: str | None


async def verify(tx: Tx, *, witnessed: Sequence[Head] = ()) -> Verdict:
    """Recompute the chain from its lines, and compare it with what others saw of it."""
    expected = {head.position: head.digest for head in witnessed}
    position, digest = 0, GENESIS
    while True:
        rows = await tx.fetch(
            """
            SELECT position, line_id, line_digest, digest,
                   id, recorded_at, actor, act, subject, details
              FROM audit_chain LEFT JOIN audit_lines ON id = line_id
             WHERE position > $1
             ORDER BY position
             LIMIT $2
            """,
            position,
            VERIFIED_AT_ONCE,
        )
        if not rows:
            break
        for row in rows:
            broken = _find_break(row, position + 1, digest, expected)
            if broken:
                return Verdict(position, broken)
            position, digest = row["position"], row["digest"]
    cut = [seen for seen in expected if seen > position]
    if cut:
        return Verdict(
            position, f"the tail is cut: {max(cut)} links were witnessed, {position} are left"
        )
    return Verdict(position, await _find_loose_line(tx))


def _find_break(
    row: Row, position: int, before: bytes, expected: Mapping[int, bytes]
) -> str | None:
    """Name what is wrong with one link, or return None."""
    line = f"line {row['line_id']} (position {position})"
    if row["position"] != position:
        return f"position {position} was removed"
    if row["id"] is None:
        return f"{line} was removed"
    if _digest_line(row) != row["line_digest"]:
        return f"{line} was changed"
    if _digest_link(before, row["line_digest"]) != row["digest"]:
        return f"{line} is not where it was sealed: links were reordered or replaced"
    if expected.get(position, row["digest"]) != row["digest"]:
        return f"{line} differs from what another service witnessed: the chain was rewritten"
    return None


async def _find_loose_line(tx: Tx) -> str | None:
    """Find a line that is neither sealed nor waiting to be: it was slipped in."""
    loose = await tx.fetchval(
        """
        SELECT min(id) FROM audit_lines
         WHERE NOT EXISTS (SELECT FROM audit_chain WHERE line_id = id)
           AND NOT EXISTS (SELECT FROM audit_unsealed WHERE line_id = id)
        """
    )
    return f"line {loose} was never sealed" if loose is not None else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as it stands in the log."""

    recorded_at: datetime
    actor: str
    act: str
    subject: str


async def list_about(tx: Tx, *, subjects: Sequence[str], limit: int) -> list[Entry]:
    """What was done to some things, the newest first."""
    rows = await tx.fetch(
        """
        SELECT recorded_at, actor, act, subject FROM audit_lines
         WHERE subject = ANY($1::text[]) ORDER BY id DESC LIMIT $2
        """,
        list(subjects),
        limit,
    )
    return [Entry(**row) for row in rows]


async def list_newest(tx: Tx, *, limit: int) -> list[Entry]:
    rows = await tx.fetch(
        "SELECT recorded_at, actor, act, subject FROM audit_lines ORDER BY id DESC LIMIT $1", limit
    )
    return [Entry(**row) for row in rows]
