"""The order book: orders as they stand, for everybody who reads them and writes none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.payments.exam_days import EXAM_DATE
from shared.db import Row, Tx
from shared.errors import Refused


class NoSuchOrder(Refused):
    """There is no such order. It may have been typed wrongly, or belong to another account."""

    status = 404


@dataclass(frozen=True, slots=True)
class Item:
    """What one registration owes."""

    registration_id: UUID
    reference: str
    titles: Mapping[str, str]
    sitting: str | None
    programme: str
    exam_date: date
    amount_twd: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands."""

    id: UUID
    account_id: UUID
    reference: str
    titles: Mapping[str, str]
    methods: Sequence[str]
    amount_twd: int
    state: str
    opened_at: datetime
    pay_by: datetime
    paid_at: datetime | None
    paid_method: str | None
    lapsed_at: datetime | None
    refunded_twd: int
    registration_ids: Sequence[UUID]

    @property
    def told(self) -> dict[str, Any]:
        """What every event about an order tells."""
        return {
            "order_id": self.id,
            "account_id": self.account_id,
            "registration_ids": list(self.registration_ids),
            "reference": self.reference,
            "titles": dict(self.titles),
        }

    def is_payable(self, *, now: datetime) -> bool:
        return self.state == "open" and now < self.pay_by


COLUMNS = """
    orders.id, orders.account_id, orders.reference, orders.titles, orders.methods,
    orders.amount_twd, orders.state, orders.opened_at, orders.pay_by, orders.paid_at,
    orders.paid_method, orders.lapsed_at, orders.refunded_twd,
    ARRAY(SELECT registration_id FROM order_items WHERE order_id = orders.id
           ORDER BY registration_id) AS registration_ids
"""


def read(row: Row) -> Order:
    return Order(**{name: row[name] for name in Order.__slots__})


async def find_of_registration(tx: Tx, *, registration_id: UUID, account_id: UUID) -> Order | None:
    """The order of somebody's registration; none as long as its event is on the way."""
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM orders JOIN order_items ON order_items.order_id = orders.id
         WHERE order_items.registration_id = $1 AND account_id = $2
        """,  # noqa: S608 (a constant)
        registration_id,
        account_id,
    )
    return read(row) if row else None


async def load(tx: Tx, *, order_id: UUID, account_id: UUID) -> Order:
    """Somebody's own order."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM orders WHERE id = $1 AND account_id = $2",  # noqa: S608
        order_id,
        account_id,
    )
    if row is None:
        raise NoSuchOrder
    return read(row)


async def load_any(tx: Tx, *, order_id: UUID) -> Order:
    """Anybody's order, for finance."""
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM orders WHERE id = $1", order_id)  # noqa: S608
    if row is None:
        raise NoSuchOrder
    return read(row)


async def list_of_account(tx: Tx, *, account_id: UUID, limit: int) -> list[Order]:
    """Somebody's orders, the newest first."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM orders WHERE account_id = $1 ORDER BY opened_at DESC LIMIT $2
        """,  # noqa: S608 (a constant)
        account_id,
        limit,
    )
    return [read(row) for row in rows]


async def list_items(tx: Tx, *, order_id: UUID) -> list[Item]:
    rows = await tx.fetch(
        f"""
        SELECT registration_id, reference, titles, sitting, programme, {EXAM_DATE} AS exam_date,
               amount_twd
          FROM order_items AS item WHERE order_id = $1 ORDER BY reference
        """,  # noqa: S608 (a constant)
        order_id,
    )
    return [Item(**row) for row in rows]


async def load_all(tx: Tx, *, order_ids: Sequence[UUID]) -> dict[UUID, Order]:
    """Orders by their ids."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM orders WHERE id = ANY($1::uuid[])",  # noqa: S608 (a constant)
        list(order_ids),
    )
    return {row["id"]: read(row) for row in rows}
