"""Orders: what is owed, until when, and whether it was paid. Writes `orders` and `order_items`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from pydantic_core import to_json

from services.payments import ledger
from services.payments.ledger import FEES, RECEIVABLE, Entry
from services.payments.order_book import COLUMNS, Item, NoSuchOrder, Order, read
from shared import outbox
from shared.db import Tx
from shared.errors import Refused
from shared.events.payments import OrderLapsed, OrderPaid

# An order's id follows from its first registration's, so that opening it twice is opening it once.
OF_REGISTRATION = UUID("6f2f0a1c-5f0e-4bd0-9d0a-6d5a3c8f3b51")
LAPSED_AT_ONCE = 200


class OrderClosed(Refused):
    """This order cannot be paid any more: it has been paid, or its deadline has passed."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What one or several registrations owe together."""

    account_id: UUID
    reference: str
    titles: Mapping[str, str]
    methods: Sequence[str]
    opened_at: datetime
    pay_by: datetime
    items: Sequence[Item]

    @property
    def id(self) -> UUID:
        return uuid5(OF_REGISTRATION, str(self.items[0].registration_id))

    @property
    def amount_twd(self) -> int:
        return sum(item.amount_twd for item in self.items)


async def open_(tx: Tx, *, orders: Sequence[NewOrder]) -> None:
    """Open orders; one that was opened before stays as it is."""
    owing = {order.id: order for order in orders if order.amount_twd > 0}
    rows = await tx.fetch(
        """
        INSERT INTO orders
               (id, account_id, reference, titles, methods, amount_twd, opened_at, pay_by)
        SELECT id, account_id, reference, titles::jsonb, string_to_array(methods, ' '),
               amount_twd, opened_at, pay_by
          FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[],
                      $7::timestamptz[], $8::timestamptz[])
               AS given (id, account_id, reference, titles, methods, amount_twd, opened_at, pay_by)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
        """,
        list(owing),
        [order.account_id for order in owing.values()],
        [order.reference for order in owing.values()],
        [to_json(order.titles).decode() for order in owing.values()],
        [" ".join(order.methods) for order in owing.values()],
        [order.amount_twd for order in owing.values()],
        [order.opened_at for order in owing.values()],
        [order.pay_by for order in owing.values()],
    )
    new = [owing[row["id"]] for row in rows]
    await _add_items(tx, new)
    await ledger.record(
        tx,
        [
            Entry("order_opened", RECEIVABLE, FEES, order.amount_twd, order_id=order.id)
            for order in new
        ],
    )


async def _add_items(tx: Tx, orders: Sequence[NewOrder]) -> None:
    items = [(order.id, item) for order in orders for item in order.items]
    await tx.execute(
        """
        INSERT INTO order_items
               (registration_id, order_id, reference, titles, sitting, programme, exam_date,
                amount_twd)
        SELECT registration_id, order_id, reference, titles::jsonb, sitting, programme, exam_date,
               amount_twd
          FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::date[], $8::int[])
               AS given (registration_id, order_id, reference, titles, sitting, programme,
                         exam_date, amount_twd)
        """,
        [item.registration_id for _, item in items],
        [order_id for order_id, _ in items],
        [item.reference for _, item in items],
        [to_json(item.titles).decode() for _, item in items],
        [item.sitting for _, item in items],
        [item.programme for _, item in items],
        [item.exam_date for _, item in items],
        [item.amount_twd for _, item in items],
    )


async def end_early(tx: Tx, *, ended: Mapping[UUID, datetime]) -> None:
    """Let nothing more be paid for registrations that have ended, each at its time.

    An order for several is payable as long as one of them stands: its amount was agreed as a whole.
    """
    await tx.execute(
        """
        WITH over AS (
            UPDATE order_items SET ended_at = given.ended_at
              FROM unnest($1::uuid[], $2::timestamptz[]) AS given (registration_id, ended_at)
             WHERE order_items.registration_id = given.registration_id
               AND order_items.ended_at IS NULL
            RETURNING order_items.registration_id, order_id, order_items.ended_at
        ), last AS (
            SELECT order_id, max(ended_at) AS ended_at FROM over
             WHERE NOT EXISTS (
                   SELECT FROM order_items AS other
                    WHERE other.order_id = over.order_id AND other.ended_at IS NULL
                      AND other.registration_id NOT IN (SELECT registration_id FROM over))
             GROUP BY order_id
        )
        UPDATE orders SET pay_by = LEAST(pay_by, last.ended_at) FROM last
         WHERE orders.id = last.order_id AND state = 'open'
        """,
        list(ended),
        list(ended.values()),
    )


async def lock_payable(tx: Tx, *, order_id: UUID, account_id: UUID, now: datetime) -> Order:
    """Somebody's order, kept as it is until this transaction ends; refuse when it is closed."""
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM orders WHERE id = $1 AND account_id = $2 FOR NO KEY UPDATE
        """,  # noqa: S608 (a constant)
        order_id,
        account_id,
    )
    if row is None:
        raise NoSuchOrder
    order = read(row)
    if not order.is_payable(now=now):
        raise OrderClosed
    return order


@dataclass(frozen=True, slots=True)
class Payment:
    """What pays an order."""

    order: Order
    capture_id: UUID
    provider: str  # the account it comes out of: whoever holds it for us
    method: str
    paid_at: datetime


async def pay(tx: Tx, *, payments: Sequence[Payment]) -> None:
    """Pay orders, which the caller holds locked, and tell everybody.

    One that lapsed before its payment was known of is owed again first.
    """
    await tx.execute(
        """
        UPDATE orders
           SET state = 'paid', lapsed_at = NULL, paid_at = given.paid_at,
               paid_method = given.method
          FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS given (id, paid_at, method)
         WHERE orders.id = given.id AND state IN ('open', 'lapsed')
        """,
        [payment.order.id for payment in payments],
        [payment.paid_at for payment in payments],
        [payment.method for payment in payments],
    )
    lapsed = [payment.order for payment in payments if payment.order.state == "lapsed"]
    await ledger.record(
        tx,
        [
            Entry("order_revived", RECEIVABLE, FEES, order.amount_twd, order_id=order.id)
            for order in lapsed
        ],
    )
    await ledger.record(
        tx,
        [
            Entry(
                "order_paid",
                payment.provider,
                RECEIVABLE,
                payment.order.amount_twd,
                order_id=payment.order.id,
                capture_id=payment.capture_id,
            )
            for payment in payments
        ],
    )
    await outbox.publish(
        tx,
        [
            OrderPaid(
                **payment.order.told,
                amount_twd=payment.order.amount_twd,
                method=payment.method,
                paid_at=payment.paid_at,
            )
            for payment in payments
        ],
    )


async def note_refunds(tx: Tx, *, refunded: Mapping[UUID, int]) -> None:
    """Add what went back of orders' own money."""
    await tx.execute(
        """
        UPDATE orders
           SET refunded_twd = refunded_twd + given.amount_twd,
               state = CASE WHEN refunded_twd + given.amount_twd = orders.amount_twd
                            THEN 'refunded' ELSE 'partly_refunded' END
          FROM unnest($1::uuid[], $2::int[]) AS given (id, amount_twd)
         WHERE orders.id = given.id
        """,
        list(refunded),
        list(refunded.values()),
    )


async def lapse(tx: Tx, *, now: datetime) -> int:
    """Lapse orders whose time is over and whose every attempt has had its last word."""
    rows = await tx.fetch(
        f"""
        WITH over AS (
            SELECT id FROM orders
             WHERE state = 'open' AND pay_by <= $1
               AND NOT EXISTS (SELECT FROM attempts
                                WHERE order_id = orders.id AND closed_at IS NULL)
             ORDER BY id
             LIMIT $2
               FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE orders SET state = 'lapsed', lapsed_at = $1 FROM over WHERE orders.id = over.id
        RETURNING {COLUMNS}
        """,  # noqa: S608 (a constant)
        now,
        LAPSED_AT_ONCE,
    )
    lapsed = [read(row) for row in rows]
    await ledger.record(
        tx,
        [
            Entry("order_lapsed", FEES, RECEIVABLE, order.amount_twd, order_id=order.id)
            for order in lapsed
        ],
    )
    await outbox.publish(tx, [OrderLapsed(**order.told, lapsed_at=now) for order in lapsed])
    return len(lapsed)
