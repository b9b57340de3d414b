"""The money book: what was taken for an order, for whoever paid it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Taken:
    """Money that came for an order."""

    kind: str
    method: str
    trade_number: str
    amount_twd: int
    paid_at: datetime


async def find_payment(tx: Tx, *, order_id: UUID) -> Taken | None:
    """Find what an order was paid with."""
    row = await tx.fetchrow(
        """
        SELECT kind, method, trade_number, amount_twd, paid_at FROM captures
         WHERE order_id = $1 AND kind = 'order'
        """,
        order_id,
    )
    return Taken(**row) if row else None


async def list_undecided(tx: Tx, *, order_id: UUID) -> list[Taken]:
    """List money that came for an order and was not owed, as long as nothing is decided: what
    finance proposes may still be decided otherwise."""
    rows = await tx.fetch(
        """
        SELECT kind, method, trade_number, amount_twd, paid_at FROM captures
         WHERE order_id = $1 AND kind <> 'order'
           AND NOT EXISTS (SELECT FROM refunds
                            WHERE capture_id = captures.id AND (is_told OR state <> 'proposed'))
         ORDER BY paid_at, id
        """,
        order_id,
    )
    return [Taken(**row) for row in rows]
