"""Money as finance looks at it: what came, day by day and one by one. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from services.payments.refunds import NoSuchMoney
from shared.days import end_of_day, start_of_day
from shared.db import Row, Tx
from shared.i18n import mark

KINDS = {
    "order": mark("paid the order"),
    "overpaid": mark("paid what was paid already"),
    "wrong_amount": mark("wrong amount"),
    "late": mark("too late"),
    "orphan": mark("nobody's so far"),
}
METHODS = {
    "convenience_store": mark("Convenience store"),
    "atm": mark("ATM or bank transfer"),
    "card": mark("Card"),
    "line_pay": mark("LINE Pay"),
    "unknown": mark("unknown"),
}


@dataclass(frozen=True, slots=True)
class Money:
    """Money that came, as it was counted."""

    id: UUID
    provider: str
    trade_number: str
    provider_number: str
    method: str
    order_id: UUID | None
    kind: str
    amount_twd: int
    paid_at: datetime
    settled_at: datetime
    is_decided: bool  # something becomes of it: it paid an order, or goes back, or is kept


_COLUMNS = """
    id, provider, trade_number, provider_number, method, order_id, kind, amount_twd, paid_at,
    settled_at,
    kind = 'order' OR EXISTS (SELECT FROM refunds WHERE capture_id = captures.id) AS is_decided
"""


def _read(row: Row) -> Money:
    return Money(**row)


async def load(tx: Tx, *, capture_id: UUID) -> Money:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM captures WHERE id = $1",  # noqa: S608 (a constant)
        capture_id,
    )
    if row is None:
        raise NoSuchMoney
    return _read(row)


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Money]:
    """All that came for an order, the oldest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM captures WHERE kind = 'order' AND order_id = $1
         UNION ALL
        SELECT {_COLUMNS} FROM captures WHERE kind <> 'order' AND order_id = $1
         ORDER BY paid_at, id
        """,  # noqa: S608 (a constant)
        order_id,
    )
    return [_read(row) for row in rows]


async def find_orphans(tx: Tx, *, number: str) -> list[Money]:
    """Money of no order that bears this number."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM captures
         WHERE kind = 'orphan' AND (trade_number = $1 OR provider_number = $1) ORDER BY paid_at, id
        """,  # noqa: S608 (a constant)
        number,
    )
    return [_read(row) for row in rows]


async def list_undecided(tx: Tx, *, limit: int, after: UUID | None = None) -> list[Money]:
    """Money nobody owed that finance has to judge, the oldest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM captures
         WHERE kind <> 'order' AND NOT EXISTS (SELECT FROM refunds WHERE capture_id = captures.id)
           AND ($2::uuid IS NULL
                OR (paid_at, id) > (SELECT paid_at, id FROM captures WHERE id = $2))
         ORDER BY paid_at, id
         LIMIT $1
        """,  # noqa: S608 (a constant)
        limit,
        after,
    )
    return [_read(row) for row in rows]


async def count_undecided(tx: Tx) -> int:
    count: int = await tx.fetchval(
        """
        SELECT count(*) FROM captures
         WHERE kind <> 'order' AND NOT EXISTS (SELECT FROM refunds WHERE capture_id = captures.id)
        """
    )
    return count


@dataclass(frozen=True, slots=True)
class Total:
    """What came on one day by one method, or, without a method, what went back."""

    day: date
    method: str | None
    number: int
    amount_twd: int


async def list_totals(tx: Tx, *, first: date, last: date, zone: tzinfo) -> Sequence[Total]:
    """What came and went from one day to another; days on which nothing moved are left out."""
    rows = await tx.fetch(
        """
        SELECT timezone($3, paid_at)::date AS day, method, count(*)::int AS number,
               sum(amount_twd)::bigint AS amount_twd
          FROM captures WHERE paid_at >= $1 AND paid_at < $2 GROUP BY 1, 2
         UNION ALL
        SELECT timezone($3, completed_at)::date, NULL, count(*)::int, sum(amount_twd)::bigint
          FROM refunds
         WHERE completed_at >= $1 AND completed_at < $2 AND route <> 'kept' GROUP BY 1
         ORDER BY 1, 2
        """,
        start_of_day(first, zone),
        end_of_day(last, zone),
        str(zone),
    )
    return [Total(**row) for row in rows]
