"""Facts published by payments."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events import Event


class OrderEvent(Event):
    """Something happened to one order. Whoever owes it is reached through the account."""

    order_id: UUID
    account_id: UUID
    registration_ids: list[UUID]
    reference: str  # what people quote on the telephone
    titles: dict[str, str]  # what it is for, by language


class InstructionsIssued(OrderEvent):
    """A code, an account number or a slip exists, with which this order can be paid."""

    name: ClassVar[str] = "payments.instructions_issued.v1"

    attempt_id: UUID
    method: str
    amount_twd: int
    # What to type at the kiosk or the bank, as label and value: "code" → "LLL17355880822".
    instructions: dict[str, str]
    pay_by: datetime
    issued_at: datetime


class OrderPaid(OrderEvent):
    """The whole amount was paid, once; `paid_at` is when the candidate paid, not when we heard."""

    name: ClassVar[str] = "payments.order_paid.v1"

    amount_twd: int
    method: str
    paid_at: datetime


class OrderLapsed(OrderEvent):
    """Not paid in time, as far as is known; if it was after all, `OrderPaid` follows."""

    name: ClassVar[str] = "payments.order_lapsed.v1"

    lapsed_at: datetime


class RefundDue(OrderEvent):
    """Money has to go back to the person who paid."""

    name: ClassVar[str] = "payments.refund_due.v1"

    refund_id: UUID
    amount_twd: int
    reason: Literal[
        "overpaid",
        "review_failed",
        "place_gone",
        "postponed",
        "disaster",
        "personal",
        "late",
        "wrong_amount",
    ]
    due_at: datetime


class RefundCompleted(OrderEvent):
    """Money went back."""

    name: ClassVar[str] = "payments.refund_completed.v1"

    refund_id: UUID
    amount_twd: int
    method: str
    completed_at: datetime


class ApplicationRefused(OrderEvent):
    """Somebody applied for money back, and it was refused by two people."""

    name: ClassVar[str] = "payments.application_refused.v1"

    application_id: UUID
    words: str  # finance's, to whoever applied
    refused_at: datetime
