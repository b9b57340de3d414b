"""Notices: what providers told us, kept as it came. Writes `notices` and `notices_unsettled`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic_core import to_json

from shared.db import Tx

# Enough to see what somebody is trying; more would let a stranger fill the disk.
MOST_FORGED_AN_HOUR = 1_000
RETRIED_AT_ONCE = 50
FIRST_RETRY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it came, secrets masked."""

    provider: str
    # paid, not_paid, pending, issued: what it says. simulated, forged, foreign, unreadable: why it
    # says nothing to us.
    reading: str
    trade_number: str
    provider_number: str
    fields: Mapping[str, str]
    received_at: datetime


async def record(tx: Tx, *, notices: Sequence[Notice]) -> list[int]:
    """Store notices; return their numbers in the same order."""
    rows = await tx.fetch(
        """
        INSERT INTO notices
               (provider, reading, trade_number, provider_number, fields, received_at)
        SELECT provider, reading, trade_number, provider_number, fields::jsonb, received_at
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                      $6::timestamptz[])
               WITH ORDINALITY AS given (provider, reading, trade_number, provider_number, fields,
                                         received_at, place)
         ORDER BY place
        RETURNING id
        """,
        [notice.provider for notice in notices],
        [notice.reading for notice in notices],
        [notice.trade_number for notice in notices],
        [notice.provider_number for notice in notices],
        [to_json(notice.fields).decode() for notice in notices],
        [notice.received_at for notice in notices],
    )
    return sorted(row["id"] for row in rows)


async def record_forged(tx: Tx, *, notice: Notice) -> None:
    """Store what a forger sent, as long as it is not too much."""
    await tx.execute(
        """
        INSERT INTO notices
               (provider, reading, trade_number, provider_number, fields, received_at)
        SELECT $1, 'forged', $2, $3, $4, $5
         WHERE $6 > (SELECT count(*) FROM notices
                      WHERE reading = 'forged' AND received_at > $5::timestamptz - $7::interval)
        """,
        notice.provider,
        notice.trade_number,
        notice.provider_number,
        dict(notice.fields),
        notice.received_at,
        MOST_FORGED_AN_HOUR,
        timedelta(hours=1),
    )


async def put_off(tx: Tx, *, notice_ids: Sequence[int], reason: str, now: datetime) -> None:
    """Remember notices that could not be acted upon: a job tries again, less and less often."""
    await tx.execute(
        """
        INSERT INTO notices_unsettled (notice_id, due_at, reason)
        SELECT notice_id, $2::timestamptz + $4::interval, $3 FROM unnest($1::bigint[]) AS notice_id
        ON CONFLICT (notice_id) DO UPDATE
           SET tries = notices_unsettled.tries + 1, reason = EXCLUDED.reason,
               due_at = $2 + $4::interval * 2 ^ LEAST(notices_unsettled.tries, 6)
        """,
        list(notice_ids),
        now,
        reason,
        FIRST_RETRY,
    )


async def claim_unsettled(tx: Tx, *, now: datetime) -> list[tuple[int, Notice]]:
    """Take notices that are to be tried again, with their numbers."""
    rows = await tx.fetch(
        """
        SELECT id, provider, reading, trade_number, provider_number, fields, received_at
          FROM notices_unsettled JOIN notices ON id = notice_id
         WHERE due_at <= $1
         ORDER BY due_at
         LIMIT $2
           FOR UPDATE OF notices_unsettled SKIP LOCKED
        """,
        now,
        RETRIED_AT_ONCE,
    )
    return [(row["id"], Notice(**{name: row[name] for name in Notice.__slots__})) for row in rows]


async def mark_settled(tx: Tx, *, notice_ids: Sequence[int]) -> None:
    await tx.execute(
        "DELETE FROM notices_unsettled WHERE notice_id = ANY($1::bigint[])", list(notice_ids)
    )


async def list_of_order(tx: Tx, *, order_id: UUID, limit: int) -> list[Notice]:
    """What was told about an order's attempts, oldest first."""
    rows = await tx.fetch(
        """
        SELECT notices.provider, reading, notices.trade_number, notices.provider_number, fields,
               received_at
          FROM notices JOIN attempts USING (trade_number)
         WHERE order_id = $1
         ORDER BY notices.id
         LIMIT $2
        """,
        order_id,
        limit,
    )
    return [Notice(**row) for row in rows]


async def list_of_trade(tx: Tx, *, trade_number: str, limit: int) -> list[Notice]:
    """What was told under one trade number, oldest first; also when it is not ours."""
    rows = await tx.fetch(
        """
        SELECT provider, reading, trade_number, provider_number, fields, received_at
          FROM notices WHERE trade_number = $1 ORDER BY id LIMIT $2
        """,
        trade_number,
        limit,
    )
    return [Notice(**row) for row in rows]
