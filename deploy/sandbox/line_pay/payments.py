"""Payments at LINE Pay: requested, approved by the payer, confirmed by the shop, refunded."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection, IntegrityError, Row
from typing import Any

from deploy.sandbox import money
from deploy.sandbox.clock import in_taipei
from deploy.sandbox.line_pay.requests import Confirmation, PaymentAsked, Refused

NOT_APPROVED = "0000"
APPROVED = "0110"
CANCELLED = "0121"
FAILED = "0122"
COMPLETED = "0123"
METHOD = "LINE Pay"
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Payment:
    """One request to pay, and what became of it."""

    transaction_id: str
    order_id: str
    page: str
    amount_twd: int
    request: Mapping[str, Any]
    requested_at: float
    approved_at: float | None
    cancelled_at: float | None
    failed_at: float | None
    completed_at: float | None

    def state(self, *, lasts_seconds: float, now: float) -> str:
        """The code that `check` answers with."""
        if self.completed_at:
            return COMPLETED
        if self.failed_at:
            return FAILED
        if self.cancelled_at or now >= self.requested_at + lasts_seconds:
            return CANCELLED
        return APPROVED if self.approved_at else NOT_APPROVED

    @property
    def payment(self) -> money.Payment:
        return money.Payment("line_pay", METHOD, self.order_id, self.transaction_id)

    @property
    def confirm_url(self) -> str:
        return str(self.request["redirectUrls"]["confirmUrl"])

    @property
    def cancel_url(self) -> str:
        return str(self.request["redirectUrls"]["cancelUrl"])


def open_(db: Connection, asked: PaymentAsked, *, now: float) -> Payment:
    """Begin a payment. A shop's orderId is never used twice."""
    try:
        row = db.execute(
            """
            INSERT INTO line_payments
                   (transaction_id, order_id, page, amount_twd, request, requested_at)
            VALUES (?, ?, ?, ?, ?, ?) RETURNING *
            """,
            (
                *(new_number(now), asked.orderId, secrets.token_urlsafe(24), asked.amount),
                *(asked.model_dump_json(), now),
            ),
        ).fetchone()
    except IntegrityError as repeated:
        raise Refused("1172", "There is a transaction with this orderId already.") from repeated
    return _read(row)


def approve(db: Connection, payment: Payment, *, now: float) -> None:
    _set(db, payment, "approved_at", now)


def cancel(db: Connection, payment: Payment, *, now: float) -> None:
    _set(db, payment, "cancelled_at", now)


def fail(db: Connection, payment: Payment, *, now: float) -> None:
    _set(db, payment, "failed_at", now)


def confirm(
    db: Connection,
    transaction_id: str,
    confirmation: Confirmation,
    *,
    lasts_seconds: float,
    now: float,
) -> Payment:
    """Take the money, once, if the payer approved and the shop names the right amount."""
    payment = load(db, transaction_id)
    state = payment.state(lasts_seconds=lasts_seconds, now=now)
    if state == COMPLETED:
        raise Refused("1152", "This transaction was processed already.")
    if state == NOT_APPROVED:
        raise Refused("1169", "The payer must choose how to pay first.")
    if state != APPROVED:
        raise Refused("1150", "The transaction is over.")
    if confirmation.amount != payment.amount_twd:
        raise Refused("1153", "The amount is not the one that was requested.")
    money.capture(db, payment.payment, amount_twd=payment.amount_twd, now=now)
    _set(db, payment, "completed_at", now)
    return load(db, transaction_id)


def refund(
    db: Connection, transaction_id: str, *, amount_twd: int | None, now: float
) -> tuple[str, float]:
    """Give money back, never more than was taken; return the refund's number and time."""
    payment = load(db, transaction_id)
    if not payment.completed_at:
        raise Refused("1150", "There is no such payment.")
    left = payment.amount_twd - money.refunded_of(db, provider_number=transaction_id)
    if not left:
        raise Refused("1165", "All of it was refunded already.")
    amount = left if amount_twd is None else amount_twd
    if amount > left:
        raise Refused("1164", "That is more than can be refunded.")
    number = new_number(now)
    money.refund(db, payment.payment, amount_twd=amount, number=number, now=now)
    return number, now


def load(db: Connection, transaction_id: str) -> Payment:
    query = "SELECT * FROM line_payments WHERE transaction_id = ?"
    row = db.execute(query, (transaction_id,)).fetchone()
    if row is None:
        raise Refused("1150", "There is no such transaction.")
    return _read(row)


def find_by_page(db: Connection, page: str) -> Payment | None:
    row = db.execute("SELECT * FROM line_payments WHERE page = ?", (page,)).fetchone()
    return _read(row) if row else None


def find_by_order(db: Connection, order_id: str) -> Payment | None:
    row = db.execute("SELECT * FROM line_payments WHERE order_id = ?", (order_id,)).fetchone()
    return _read(row) if row else None


def list_completed(db: Connection, *, numbers: Sequence[str]) -> list[Payment]:
    """What was paid under these transaction or order numbers."""
    marks = ", ".join("?" * len(numbers))
    rows = db.execute(
        f"""
        SELECT * FROM line_payments
         WHERE completed_at IS NOT NULL
           AND (transaction_id IN ({marks}) OR order_id IN ({marks}))
         ORDER BY requested_at
        """,  # noqa: S608 only question marks are put in
        (*numbers, *numbers),
    )
    return [_read(row) for row in rows]


def list_latest(db: Connection) -> list[Payment]:
    query = "SELECT * FROM line_payments ORDER BY requested_at DESC LIMIT ?"
    return [_read(row) for row in db.execute(query, (MOST_SHOWN,))]


def new_number(now: float) -> str:
    """19 digits, the day first: more than fits into a float."""
    return f"{in_taipei(now):%Y%m%d}{secrets.randbelow(10**11):011d}"


def iso(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _set(db: Connection, payment: Payment, column: str, now: float) -> None:
    db.execute(
        f"UPDATE line_payments SET {column} = ? WHERE transaction_id = ?",  # noqa: S608 our own words
        (now, payment.transaction_id),
    )


def _read(row: Row) -> Payment:
    values = dict(row)
    return Payment(**{**values, "request": json.loads(values["request"])})
