"""Refunds as finance works through them: by state, with deadlines, and the list of payees. Writes
nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.payments import payees, rules
from services.payments.exam_days import EXAM_DATE
from services.payments.payees import Payee
from services.payments.refund_book import COLUMNS, SOURCE, NoSuchRefund, Refund, read
from shared import audit
from shared.db import Row, Tx
from shared.i18n import mark
from shared.vault import Vault

STATES = {
    "due": mark("due"),
    "proposed": mark("proposed"),
    "approved": mark("approved"),
    "completed": mark("completed"),
}
REASONS = {
    "overpaid": mark("paid twice"),
    "late": mark("paid too late"),
    "wrong_amount": mark("wrong amount paid"),
    "orphan": mark("money of nobody we know"),
    "review_failed": mark("review failed"),
    "place_gone": mark("the place was gone"),
    "personal": mark("personal reason"),
    "postponed": mark("exam postponed"),
    "disaster": mark("natural disaster"),
}
ROUTES = {
    "provider": mark("through the provider"),
    "payee": mark("by postal money order"),
    "kept": mark("written off"),
}
# A list for one visit to the post office; more is asked for in parts.
LONGEST_LIST = 5_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A refund, whose it is, and how far its provider is."""

    refund: Refund
    reference: str | None
    exam_date: date | None
    send_state: str | None  # sending, unknown or stuck
    send_reply: str | None

    def pay_out_by(self, zone: ZoneInfo) -> datetime | None:
        """When it has to be paid out; nobody knows the exam of an orphan."""
        return rules.pay_out_by(self.exam_date, zone) if self.exam_date else None


_SELECT = f"""
    SELECT {COLUMNS}, orders.reference AS order_reference, send.state AS send_state,
           send.reply AS send_reply,
           (SELECT max({EXAM_DATE}) FROM order_items AS item
             WHERE item.order_id = refunds.order_id
               AND item.registration_id = COALESCE(refunds.registration_id, item.registration_id)
           ) AS exam_date
      FROM {SOURCE}
      LEFT JOIN orders ON orders.id = refunds.order_id
      LEFT JOIN refund_sends AS send ON send.refund_id = refunds.id
"""  # noqa: S608 (constants)


def _read(row: Row) -> Listed:
    return Listed(
        read(row), row["order_reference"], row["exam_date"], row["send_state"], row["send_reply"]
    )


async def list_(
    tx: Tx, *, state: str, route: str = "", limit: int, after: UUID | None = None
) -> list[Listed]:
    """Refunds in a state, the longest due first, those after the one that was shown last."""
    rows = await tx.fetch(
        f"""
        {_SELECT}
         WHERE refunds.state = $1 AND ($2 = '' OR refunds.route = $2)
           AND ($3::uuid IS NULL OR (refunds.due_at, refunds.id) >
                (SELECT due_at, id FROM refunds WHERE id = $3))
         ORDER BY refunds.due_at, refunds.id
         LIMIT $4
        """,  # noqa: S608 (a constant)
        state,
        route,
        after,
        limit,
    )
    return [_read(row) for row in rows]


async def load(tx: Tx, *, refund_id: UUID) -> Listed:
    row = await tx.fetchrow(f"{_SELECT} WHERE refunds.id = $1", refund_id)
    if row is None:
        raise NoSuchRefund
    return _read(row)


async def list_of_capture(tx: Tx, *, capture_id: UUID) -> list[Listed]:
    rows = await tx.fetch(
        f"{_SELECT} WHERE refunds.capture_id = $1 ORDER BY refunds.due_at, refunds.id", capture_id
    )
    return [_read(row) for row in rows]


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Listed]:
    rows = await tx.fetch(
        f"{_SELECT} WHERE refunds.order_id = $1 ORDER BY refunds.due_at, refunds.id", order_id
    )
    return [_read(row) for row in rows]


async def count_states(tx: Tx) -> dict[str, int]:
    """How many refunds wait in each state; what is completed waits for nobody."""
    rows = await tx.fetch(
        "SELECT state, count(*) AS number FROM refunds WHERE state <> 'completed' GROUP BY state"
    )
    counts = {row["state"]: row["number"] for row in rows}
    return {state: counts.get(state, 0) for state in STATES if state != "completed"}


async def count_stuck(tx: Tx) -> int:
    """How many are with a provider, and only a person can find out what became of them."""
    count: int = await tx.fetchval("SELECT count(*) FROM refund_sends WHERE state = 'stuck'")
    return count


async def open_payees(
    tx: Tx, *, vault: Vault, actor: UUID
) -> Sequence[tuple[Listed, Payee | None]]:
    """Everybody to whom a money order is to be sent. That somebody read this is on record."""
    waiting = await list_(tx, state="approved", route="payee", limit=LONGEST_LIST)
    rows = await tx.fetch(
        "SELECT refund_id, sealed FROM refund_payees WHERE refund_id = ANY($1::uuid[])",
        [each.refund.id for each in waiting],
    )
    opened = {row["refund_id"]: payees.unseal(row["sealed"], vault) for row in rows}
    line = audit.Line(str(actor), "payees_exported", "refunds", {"count": len(waiting)})
    await audit.record(tx, [line])
    return [(each, opened.get(each.refund.id)) for each in waiting]
