"""Handle each message once: its id and all its effects commit together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from shared import events
from shared.db import Pool, Tx, affected, transaction
from shared.events import Event

Handler: TypeAlias = Callable[[Tx, list[Any]], Awaitable[None]]
Handlers: TypeAlias = Mapping[type[Event], Handler]

# A message that comes again later than this was replayed by hand; by then its id may be forgotten.
REMEMBERED_FOR = timedelta(days=30)
# Old ids go in small bites, so that no long transaction keeps the tables from being cleaned.
FORGOTTEN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: still unread."""

    message_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of messages: the ids that were new, and how many events they brought."""

    new: frozenset[UUID]
    events: int


async def handle(
    pool: Pool, event_class: type[Event], handler: Handler, messages: Sequence[Received]
) -> Handled:
    """Handle messages of one kind in one transaction; those handled before have no effect."""
    read = {message.message_id: events.decode(event_class, message.body) for message in messages}
    async with transaction(pool) as tx:
        # ON CONFLICT, not a caught exception: in PostgreSQL an error poisons the transaction.
        rows = await tx.fetch(
            """
            INSERT INTO inbox (message_id, name)
            SELECT message_id, $2 FROM unnest($1::uuid[]) AS message_id
            ON CONFLICT DO NOTHING
            RETURNING message_id
            """,
            list(read),
            event_class.name,
        )
        new = frozenset(row["message_id"] for row in rows)
        happened = [
            event for message_id, batch in read.items() if message_id in new for event in batch
        ]
        if happened:
            await handler(tx, happened)
    return Handled(new, len(happened))


async def forget_old(tx: Tx) -> int:
    """Forget ids of messages handled long ago; return how many went."""
    forgotten: str = await tx.execute(
        """
        DELETE FROM inbox
         WHERE message_id IN (
               SELECT message_id FROM inbox WHERE handled_at < now() - $1::interval LIMIT $2)
        """,
        REMEMBERED_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
