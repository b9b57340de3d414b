"""The refund book: refunds as they stand, with the money they are of."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from shared.db import Row, Tx
from shared.errors import Refused

# How a refund that no provider makes is paid (§玖).
MONEY_ORDER = "money_order"


class NoSuchRefund(Refused):
    """There is no such refund."""

    status = 404


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund, and what is known of the money it gives back."""

    id: UUID
    capture_id: UUID
    order_id: UUID | None
    registration_id: UUID | None
    reason: str
    amount_twd: int
    route: str | None
    state: str
    due_at: datetime
    is_told: bool
    proposed_by: UUID | None
    proposed_at: datetime | None
    approved_by: UUID | None
    approved_at: datetime | None
    completed_at: datetime | None
    money_order_number: str | None
    money_order_on: date | None
    reply: str
    provider: str
    method: str
    trade_number: str
    provider_number: str
    capture_kind: str
    captured_twd: int
    paid_at: datetime
    has_payee: bool

    @property
    def is_of_order(self) -> bool:
        """Whether it gives back what an order was paid with, and not money nobody owed."""
        return self.capture_kind == "order"

    @property
    def is_undecided(self) -> bool:
        """Whether it may come to nothing: nobody was promised anything, and nobody is told."""
        return self.state == "proposed" and not self.is_told


COLUMNS = """
    refunds.id, refunds.capture_id, refunds.order_id, refunds.registration_id, refunds.reason,
    refunds.amount_twd, refunds.route, refunds.state, refunds.due_at, refunds.is_told,
    refunds.proposed_by, refunds.proposed_at, refunds.approved_by, refunds.approved_at,
    refunds.completed_at, refunds.money_order_number, refunds.money_order_on, refunds.reply,
    captures.provider, captures.method, captures.trade_number, captures.provider_number,
    captures.kind AS capture_kind, captures.amount_twd AS captured_twd, captures.paid_at,
    EXISTS (SELECT FROM refund_payees WHERE refund_id = refunds.id) AS has_payee
"""
SOURCE = "refunds JOIN captures ON captures.id = refunds.capture_id"


def read(row: Row) -> Refund:
    return Refund(**{name: row[name] for name in Refund.__slots__})


async def lock(tx: Tx, *, refund_id: UUID) -> Refund:
    """A refund, kept as it is until this transaction ends."""
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM {SOURCE} WHERE refunds.id = $1 FOR NO KEY UPDATE OF refunds
        """,  # noqa: S608 (constants)
        refund_id,
    )
    if row is None:
        raise NoSuchRefund
    return read(row)


async def load(tx: Tx, *, refund_id: UUID) -> Refund:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM {SOURCE} WHERE refunds.id = $1",  # noqa: S608 (constants)
        refund_id,
    )
    if row is None:
        raise NoSuchRefund
    return read(row)


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Refund]:
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM {SOURCE} WHERE refunds.order_id = $1 ORDER BY due_at, refunds.id
        """,  # noqa: S608 (constants)
        order_id,
    )
    return [read(row) for row in rows]
