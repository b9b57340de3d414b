"""Publish events inside the transaction that makes them true; relay them after it commits.

A row is a message: up to a hundred events of one kind, encoded once, sent as it stands.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

from shared import events
from shared.db import Tx
from shared.events import Event
from shared.tracing import current_traceparent

EVENTS_PER_ROW = 100
# A message a broker and a reader's memory take easily, whatever an event holds.
BYTES_PER_ROW = 256 * 1024
# Messages in flight together: far below the thousand unconfirmed where the broker pushes back.
ROWS_PER_RELAY = 200
# A returned message waits 1 s, 2 s, 4 s ... and then a minute between tries, however long it takes.
LONGEST_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Message:
    """One row on its way to the broker."""

    message_id: UUID
    name: str
    body: str
    trace: str | None


# Sends all, waits for every confirm, and says per message None (confirmed) or why not.
# Raises when the outcome is unknown; then everything is sent again.
Send: TypeAlias = Callable[[Sequence[Message]], Awaitable[Sequence[str | None]]]


async def publish(tx: Tx, published: Sequence[Event]) -> None:
    """Record events; they leave the building only if this transaction commits."""
    if not tx.is_in_transaction():
        raise RuntimeError("an event is published inside the transaction that makes it true")
    rows = [(uuid4(), batch) for batch in _batches(published)]
    if not rows:
        return
    await tx.execute(
        """
        INSERT INTO outbox (message_id, name, body, trace)
        SELECT message_id, name, body, $4
          FROM unnest($1::uuid[], $2::text[], $3::text[]) AS row (message_id, name, body)
        """,
        [message_id for message_id, _ in rows],
        [batch[0].name for _, batch in rows],
        [events.encode(message_id, batch) for message_id, batch in rows],
        current_traceparent(),
    )


def _batches(published: Sequence[Event]) -> Iterator[list[Event]]:
    by_name: defaultdict[str, list[Event]] = defaultdict(list)
    for event in published:
        by_name[event.name].append(event)
    for same in by_name.values():
        # The first event tells the size of its siblings well enough to keep rows small.
        fitting = BYTES_PER_ROW // (len(same[0].model_dump_json()) + 150)
        step = max(1, min(EVENTS_PER_ROW, fitting))
        for start in range(0, len(same), step):
            yield same[start : start + step]


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one round of the relay did."""

    confirmed: int
    failed: int


async def relay_batch(connection: Tx, send: Send) -> Relayed:
    """Send the oldest rows nobody else is sending. A crash before the commit sends them again."""
    async with connection.transaction():
        rows = await connection.fetch(
            """
            SELECT id, message_id, name, body, trace
              FROM outbox
             WHERE due_at <= now()
             ORDER BY id
             LIMIT $1
               FOR UPDATE SKIP LOCKED
            """,
            ROWS_PER_RELAY,
        )
        if not rows:
            return Relayed(0, 0)
        outcomes = await send(
            [Message(row["message_id"], row["name"], row["body"], row["trace"]) for row in rows]
        )
        confirmed, refused = [], []
        for row, reason in zip(rows, outcomes, strict=True):
            if reason is None:
                confirmed.append(row["id"])
            else:
                refused.append((row["id"], reason))
        await connection.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", confirmed)
        if refused:
            await connection.execute(
                """
                UPDATE outbox
                   SET attempts = attempts + 1,
                       due_at = now() + LEAST(interval '1 second' * 2 ^ LEAST(attempts, 20), $3),
                       last_error = failure.reason
                  FROM unnest($1::bigint[], $2::text[]) AS failure (id, reason)
                 WHERE outbox.id = failure.id
                """,
                [row_id for row_id, _ in refused],
                [reason for _, reason in refused],
                LONGEST_WAIT,
            )
    return Relayed(len(confirmed), len(refused))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What still waits to leave."""

    rows: int
    oldest_seconds: float


async def measure_backlog(tx: Tx) -> Backlog:
    row = await tx.fetchrow(
        """
        SELECT count(*) AS rows,
               COALESCE(EXTRACT(EPOCH FROM now() - min(recorded_at)), 0)::float8 AS oldest_seconds
          FROM outbox
        """
    )
    assert row is not None
    return Backlog(**row)
