"""What enrollment asked to have paid back, before or after the money came. Writes
`refund_requests`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.payments import refunds
from services.payments.order_book import COLUMNS, Order, read
from services.payments.refunds import NewRefund
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Request:
    """Money paid for a registration has to go back, less something."""

    refund_id: UUID
    registration_id: UUID
    reason: str
    less_twd: int
    due_at: datetime


async def ask(tx: Tx, *, requests: Sequence[Request]) -> None:
    """Take requests; each is met as soon as its order is known and paid."""
    await tx.execute(
        """
        INSERT INTO refund_requests (refund_id, registration_id, reason, less_twd, due_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[])
        ON CONFLICT (refund_id) DO NOTHING
        """,
        [request.refund_id for request in requests],
        [request.registration_id for request in requests],
        [request.reason for request in requests],
        [request.less_twd for request in requests],
        [request.due_at for request in requests],
    )
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM orders
         WHERE id IN (SELECT order_id FROM order_items WHERE registration_id = ANY($1::uuid[]))
         ORDER BY id
           FOR NO KEY UPDATE
        """,  # noqa: S608 (a constant)
        [request.registration_id for request in requests],
    )
    # Locked: whoever is paying one of them will see the request, or we have seen the payment.
    await meet(tx, orders=[read(row) for row in rows])


async def meet(tx: Tx, *, orders: Sequence[Order]) -> None:
    """Make refunds due that were asked for, of orders that are held locked, if they are paid."""
    registration_ids = [each for order in orders for each in order.registration_ids]
    waiting = await tx.fetch(
        """
        SELECT refund_id FROM refund_requests
         WHERE registration_id = ANY($1::uuid[]) AND outcome = 'waiting'
        """,
        registration_ids,
    )
    if not waiting:
        return
    rows = await tx.fetch(
        """
        SELECT refund_id, request.registration_id, reason, due_at, captures.id AS capture_id,
               item.amount_twd - less_twd AS most_twd
          FROM refund_requests AS request
          JOIN order_items AS item USING (registration_id)
          JOIN captures ON captures.order_id = item.order_id AND captures.kind = 'order'
         WHERE refund_id = ANY($1::uuid[])
         ORDER BY refund_id
        """,
        [row["refund_id"] for row in waiting],
    )
    for row in rows:
        amount = await refunds.lock_left(
            tx,
            capture_id=row["capture_id"],
            registration_id=row["registration_id"],
            most_twd=row["most_twd"],
        )
        if amount > 0:
            await refunds.add(
                tx,
                refund=NewRefund(
                    row["refund_id"],
                    row["capture_id"],
                    row["registration_id"],
                    row["reason"],
                    amount,
                    row["due_at"],
                ),
            )
        await tx.execute(
            "UPDATE refund_requests SET outcome = $2 WHERE refund_id = $1",
            row["refund_id"],
            "due" if amount > 0 else "nothing_left",
        )
