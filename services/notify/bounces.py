"""Bounces: what came back, and which addresses take no letters. Sole writer of both tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.notify import rules
from shared import audit
from shared.db import Tx

# Reports of these kinds mean that the next letter would not arrive, or would not be welcome.
MARKING = {"permanent", "complaint"}
FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter that came back, as a mail server reported it."""

    address: str
    kind: str  # permanent, temporary or complaint
    message_id: str
    at: datetime


async def record(tx: Tx, *, reported: Sequence[Bounce]) -> list[Bounce]:
    """Record reports and mark addresses; return the reports that were new."""
    named = [rules.letter_named(bounce.message_id) for bounce in reported]
    rows = await tx.fetch(
        """
        INSERT INTO bounces (address_key, kind, message_id, reported_at, letter_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[])
        ON CONFLICT DO NOTHING
        RETURNING address_key, kind, message_id, reported_at
        """,
        [rules.key_of(bounce.address) for bounce in reported],
        [bounce.kind for bounce in reported],
        [bounce.message_id for bounce in reported],
        [bounce.at for bounce in reported],
        [letter[0] if letter else None for letter in named],
    )
    new = [Bounce(*row) for row in rows]
    await _mark(tx, [bounce for bounce in new if bounce.kind in MARKING])
    return new


async def _mark(tx: Tx, bounces: Sequence[Bounce]) -> None:
    newest = {b.address: b for b in sorted(bounces, key=lambda b: b.at)}
    await tx.execute(
        """
        INSERT INTO undeliverable (address_key, kind, marked_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
        ON CONFLICT (address_key) DO UPDATE
           SET kind = EXCLUDED.kind, marked_at = EXCLUDED.marked_at, cleared_at = NULL
         WHERE undeliverable.marked_at < EXCLUDED.marked_at
           AND COALESCE(undeliverable.cleared_at < EXCLUDED.marked_at, true)
        """,
        list(newest),
        [bounce.kind for bounce in newest.values()],
        [bounce.at for bounce in newest.values()],
    )


async def find_marks(tx: Tx, *, address_keys: Sequence[str]) -> dict[str, str]:
    """Find which of these addresses take no letters, and why."""
    rows = await tx.fetch(
        """
        SELECT address_key, kind FROM undeliverable
         WHERE address_key = ANY($1::text[]) AND cleared_at IS NULL
        """,
        address_keys,
    )
    return {row["address_key"]: row["kind"] for row in rows}


@dataclass(frozen=True, slots=True)
class Mark:
    """An address that takes no letters."""

    address_key: str
    kind: str
    marked_at: datetime


async def list_marks(tx: Tx, *, address: str, limit: int, after: str | None) -> list[Mark]:
    """List marked addresses in their order, those after one that was shown last."""
    rows = await tx.fetch(
        """
        SELECT address_key, kind, marked_at FROM undeliverable
         WHERE cleared_at IS NULL AND ($1 = '' OR strpos(address_key, $1) > 0)
           AND ($2::text IS NULL OR address_key > $2)
         ORDER BY address_key
         LIMIT $3
        """,
        rules.key_of(address),
        after,
        limit,
    )
    return [Mark(**row) for row in rows]


async def count_marks(tx: Tx) -> int:
    count: int = await tx.fetchval("SELECT count(*) FROM undeliverable WHERE cleared_at IS NULL")
    return count


async def clear(tx: Tx, *, address: str, now: datetime, actor: str) -> None:
    """Send letters to this address again. Cleared twice is cleared once."""
    kind = await tx.fetchval(
        """
        UPDATE undeliverable SET cleared_at = $2
         WHERE address_key = $1 AND cleared_at IS NULL
        RETURNING kind
        """,
        rules.key_of(address),
        now,
    )
    if kind is not None:
        subject = f"address {rules.fingerprint(address)}"
        line = audit.Line(actor, "undeliverable_mark_cleared", subject, {"kind": kind})
        await audit.record(tx, [line])


async def list_of_letter(tx: Tx, *, letter_id: UUID) -> list[Bounce]:
    rows = await tx.fetch(
        """
        SELECT address_key, kind, message_id, reported_at FROM bounces
         WHERE letter_id = $1 ORDER BY reported_at
        """,
        letter_id,
    )
    return [Bounce(*row) for row in rows]


async def forget_old(tx: Tx, *, now: datetime, after: timedelta) -> int:
    """Forget old reports, and marks that no report has renewed since; return how many."""
    gone: int = await tx.fetchval(
        """
        WITH reports AS (
            DELETE FROM bounces
             WHERE ctid IN (SELECT ctid FROM bounces WHERE reported_at < $1 LIMIT $2)
            RETURNING 1
        ), marks AS (
            DELETE FROM undeliverable
             WHERE address_key IN (SELECT address_key FROM undeliverable
                                    WHERE marked_at < $1 LIMIT $2)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM reports) + (SELECT count(*) FROM marks)
        """,
        now - after,
        FORGOTTEN_AT_ONCE,
    )
    return gone
