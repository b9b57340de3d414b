"""What the page of an order is about: worked out from the order, its attempts and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.payments.attempt_book import Attempt
from services.payments.order_book import Order

# Whoever went to a cashier has come back by then, or has given up.
CASHIER_TAKES = timedelta(minutes=15)

# What is given out to pay with, by a label that only it has.
PHASES_BY_LABEL = {"code": "code", "account": "account", "barcode1": "slip", "web": "line_pay"}


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an order stands for whoever owes it."""

    phase: str
    # What the page is about: the newest attempt, if it has not come to nothing.
    attempt: Attempt | None = None
    # What else one could pay with right now.
    others: Sequence[Attempt] = ()
    # By when the last report of a payment in time has arrived.
    settled_by: datetime | None = None


def find(order: Order, tried: Sequence[Attempt], *, now: datetime) -> Outlook:
    """Say how an order stands; its attempts come newest first."""
    if order.state != "open":
        return Outlook(order.state)
    if now >= order.pay_by:
        waited_for = [attempt.last_ask_at for attempt in tried if attempt.closed_at is None]
        return Outlook("over", settled_by=max(waited_for, default=None))
    newest = tried[0] if tried else None
    phase = _phase_of(newest, now) if newest else "choose"
    about = newest if phase != "choose" else None
    usable = [attempt for attempt in tried if attempt.is_usable(now=now) and attempt is not about]
    return Outlook(phase, about, usable)


def _phase_of(attempt: Attempt, now: datetime) -> str:
    if attempt.state == "failed":
        return "failed"
    if attempt.instructions:
        label = next(name for name in PHASES_BY_LABEL if name in attempt.instructions)
        # Approved, perhaps taken: nobody should pay once more before we know.
        if attempt.state == "unknown" and label == "web":
            return "asking"
        if attempt.is_usable(now=now):
            return PHASES_BY_LABEL[label]
        return "choose" if attempt.closed_at else "expired"
    # LINE Pay is asked at once: without an address to pay at nothing can have been paid there.
    at_cashier = attempt.method != "line_pay" and now < attempt.created_at + CASHIER_TAKES
    return "waiting" if at_cashier and attempt.closed_at is None else "choose"
