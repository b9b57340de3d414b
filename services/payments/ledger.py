"""The ledger: every dollar moves from one account to another, and is never moved in silence.

Writes `ledger_entries`. An entry names the account it debits and the one it credits, so it is
balanced by its shape; the database refuses to change or remove it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Tx

# What candidates owe, and what became of it.
RECEIVABLE = "receivable"
FEES = "fees"
HANDLING = "handling"
# Money that nobody owed: it is somebody's, and not ours.
SURPLUS = "surplus"
WRITTEN_OFF = "written_off"
# Promised to go back, and the purse from which finance pays by hand. What a provider holds for us
# stands under the provider's own name.
REFUNDS_PAYABLE = "refunds_payable"
BANK = "bank"


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount that moves."""

    kind: str
    debit: str
    credit: str
    amount_twd: int
    order_id: UUID | None = None
    capture_id: UUID | None = None
    refund_id: UUID | None = None


async def record(tx: Tx, entries: Sequence[Entry]) -> None:
    """Write entries in the transaction of the facts they follow from."""
    if not entries:
        return
    await tx.execute(
        """
        INSERT INTO ledger_entries
               (kind, debit, credit, amount_twd, order_id, capture_id, refund_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::uuid[],
                             $6::uuid[], $7::uuid[])
        """,
        [entry.kind for entry in entries],
        [entry.debit for entry in entries],
        [entry.credit for entry in entries],
        [entry.amount_twd for entry in entries],
        [entry.order_id for entry in entries],
        [entry.capture_id for entry in entries],
        [entry.refund_id for entry in entries],
    )


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands in the ledger."""

    id: int
    kind: str
    debit: str
    credit: str
    amount_twd: int
    recorded_at: datetime


_LINE = ", ".join(Line.__slots__)


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Line]:
    """The entries about one order, oldest first; also those of before its money was known as its
    own."""
    rows = await tx.fetch(
        f"""
        SELECT {_LINE} FROM ledger_entries WHERE order_id = $1
         UNION ALL
        SELECT {_LINE} FROM ledger_entries
         WHERE order_id IS NULL
           AND capture_id IN (SELECT id FROM captures WHERE captures.order_id = $1)
         ORDER BY id
        """,  # noqa: S608 (a constant)
        order_id,
    )
    return [Line(**row) for row in rows]


async def list_of_capture(tx: Tx, *, capture_id: UUID, order_id: UUID | None) -> list[Line]:
    """The entries about some money, of an order or of none, oldest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_LINE} FROM ledger_entries WHERE order_id = $2 AND capture_id = $1
         UNION ALL
        SELECT {_LINE} FROM ledger_entries WHERE order_id IS NULL AND capture_id = $1
         ORDER BY id
        """,  # noqa: S608 (a constant)
        capture_id,
        order_id,
    )
    return [Line(**row) for row in rows]


async def list_balances(tx: Tx) -> dict[str, int]:
    """What stands in each account; a debit counts up, a credit down."""
    rows = await tx.fetch(
        """
        SELECT account, sum(amount_twd)::bigint AS balance
          FROM ledger_postings GROUP BY account ORDER BY account
        """
    )
    return {row["account"]: row["balance"] for row in rows}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be so: what the ledger says, and what the orders and refunds say."""

    what: str
    ledger: int
    expected: int

    @property
    def holds(self) -> bool:
        return self.ledger == self.expected


# Each compares the ledger with the tables that it tells of, none of which it reads when written.
_CHECKS = {
    "all postings together": (
        "SELECT sum(amount_twd) FROM ledger_postings",
        "SELECT 0",
    ),
    "owed by open orders": (
        "SELECT sum(amount_twd) FROM ledger_postings WHERE account = 'receivable'",
        "SELECT sum(amount_twd) FROM orders WHERE state = 'open'",
    ),
    # What pays an order out of the surplus had come before.
    "money that came": (
        """
        SELECT sum(amount_twd) FROM ledger_entries
         WHERE kind IN ('order_paid', 'surplus_received') AND debit <> 'surplus'
        """,
        "SELECT sum(amount_twd) FROM captures",
    ),
    "paid orders": (
        "SELECT sum(amount_twd) FROM ledger_entries WHERE kind = 'order_paid'",
        "SELECT sum(amount_twd) FROM orders WHERE paid_at IS NOT NULL",
    ),
    "money that paid an order": (
        "SELECT sum(amount_twd) FROM ledger_entries WHERE kind = 'order_paid'",
        "SELECT sum(amount_twd) FROM captures WHERE kind = 'order'",
    ),
    "money nobody owed": (
        "SELECT -sum(amount_twd) FROM ledger_postings WHERE account = 'surplus'",
        """
        SELECT sum(amount_twd) FROM captures
         WHERE kind <> 'order'
           AND NOT EXISTS (SELECT FROM refunds
                            WHERE capture_id = captures.id AND approved_at IS NOT NULL)
        """,
    ),
    "promised to go back": (
        "SELECT -sum(amount_twd) FROM ledger_postings WHERE account = 'refunds_payable'",
        """
        SELECT sum(amount_twd) FROM refunds
         WHERE approved_at IS NOT NULL AND completed_at IS NULL
        """,
    ),
    "gone back": (
        "SELECT sum(amount_twd) FROM ledger_entries WHERE kind = 'refund_paid'",
        "SELECT sum(amount_twd) FROM refunds WHERE completed_at IS NOT NULL",
    ),
    "gone back on orders": (
        """
        SELECT sum(entry.amount_twd) FROM ledger_entries AS entry
          JOIN captures ON captures.id = entry.capture_id
         WHERE entry.kind = 'refund_paid' AND captures.kind = 'order'
        """,
        "SELECT sum(refunded_twd) FROM orders",
    ),
    "orders paid by anything but one capture of their amount": (
        """
        SELECT count(*) FROM orders
          FULL JOIN captures ON captures.order_id = orders.id AND captures.kind = 'order'
         WHERE (orders.paid_at IS NOT NULL OR captures.kind = 'order')
           AND orders.amount_twd IS DISTINCT FROM captures.amount_twd
        """,
        "SELECT 0",
    ),
    "captures without an entry of their amount": (
        """
        SELECT count(*) FROM captures FULL JOIN (
               SELECT capture_id, debit, sum(amount_twd) AS amount_twd FROM ledger_entries
                WHERE kind IN ('order_paid', 'surplus_received') AND debit <> 'surplus'
                GROUP BY capture_id, debit
               ) AS entered ON capture_id = captures.id AND debit = provider
         WHERE entered.amount_twd IS DISTINCT FROM captures.amount_twd
        """,
        "SELECT 0",
    ),
    "captures of which more goes back than came": (
        """
        SELECT count(*) FROM captures JOIN (
               SELECT capture_id, sum(amount_twd) AS amount_twd FROM refunds GROUP BY capture_id
               ) AS back ON capture_id = captures.id
         WHERE back.amount_twd > captures.amount_twd
        """,
        "SELECT 0",
    ),
}


async def verify(tx: Tx) -> list[Check]:
    """Hold the ledger against the orders, captures and refunds; every check has to hold.

    The transaction should see one moment: repeatable read.
    """
    return [
        Check(what, int(await tx.fetchval(ours) or 0), int(await tx.fetchval(theirs) or 0))
        for what, (ours, theirs) in _CHECKS.items()
    ]
