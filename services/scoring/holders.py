"""The accounts that hold a candidate's results, since when, and which of them were closed. Sole
writer of `holders` and `closed_accounts`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Holder:
    """An account, the entry whose results it holds, and when it came to hold them."""

    entry_id: UUID
    account_id: UUID
    registered_at: datetime


async def note(tx: Tx, *, holders: Sequence[Holder]) -> None:
    """Write holders down; of several times told the first counts, in whatever order they come."""
    latest_first = sorted(holders, key=lambda holder: holder.registered_at, reverse=True)
    first = {(holder.entry_id, holder.account_id): holder for holder in latest_first}
    told = [first[pair] for pair in sorted(first)]
    await tx.execute(
        """
        INSERT INTO holders (entry_id, account_id, registered_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
        ON CONFLICT (entry_id, account_id) DO UPDATE
           SET registered_at = EXCLUDED.registered_at
         WHERE holders.registered_at > EXCLUDED.registered_at
        """,
        [holder.entry_id for holder in told],
        [holder.account_id for holder in told],
        [holder.registered_at for holder in told],
    )


async def close(tx: Tx, *, closed: Mapping[UUID, datetime]) -> None:
    """Remember that accounts were closed, whatever is heard of them before or after."""
    await tx.execute(
        """
        INSERT INTO closed_accounts (account_id, closed_at)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        list(closed),
        list(closed.values()),
    )


async def list_of(tx: Tx, *, entry_id: UUID) -> list[UUID]:
    """The accounts that hold an entry's results."""
    rows = await tx.fetch(
        "SELECT account_id FROM holders WHERE entry_id = $1 ORDER BY account_id", entry_id
    )
    return [row["account_id"] for row in rows]
