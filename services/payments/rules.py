"""The rules of money: what goes back, until when, and when a provider has said its last word."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.working_days import add_working_days

# Postage and handling, which the regulations keep (§玖).
HANDLING_TWD = 58

# Why money goes back, and what is kept of it. What nobody owed is an overpayment, whatever its
# story is.
KEPT_TWD: Mapping[str, int] = {
    "overpaid": HANDLING_TWD,
    "late": HANDLING_TWD,
    "wrong_amount": HANDLING_TWD,
    "orphan": HANDLING_TWD,
    "review_failed": HANDLING_TWD,
    "personal": HANDLING_TWD,
    "place_gone": 0,  # who paid in time is not to blame
    "postponed": 0,
    "disaster": 0,
}

# What a candidate may apply for; all but the first two are "personal" and need proof.
APPLICATION_REASONS: Mapping[str, str] = {
    "postponed": "postponed",
    "disaster": "disaster",
    "transport": "personal",
    "military": "personal",
    "health": "personal",
    "family": "personal",
    "other": "personal",
}

# Theirs are unique for ever, of at most 20 letters and digits. Digits spell no word that a firewall
# takes for a program; the letters keep spreadsheets from taking it for a number.
TRADE_NUMBER_BEGINS = "EH"
TRADE_NUMBER_DIGITS = 18

# The slip is reported days late, and stores do not report on holidays.
SLIP_WORKING_DAYS = 3
TAIPEI = ZoneInfo("Asia/Taipei")

# ECPay captures the day's cards between these hours; a refund waits until that is over.
CLOSING_BEGINS = time(20, 15)
CLOSING_ENDS = time(20, 30)


def refundable(paid_twd: int, reason: str) -> int:
    """What goes back of an amount, by the table of §玖."""
    return max(0, paid_twd - KEPT_TWD[reason])


# Whose provider gives money back when it is told to; for the others finance pays by hand.
REFUNDED_BY_PROVIDER = {"card", "line_pay"}


def route_of(method: str) -> str:
    """How money paid in this way usually goes back."""
    return "provider" if method in REFUNDED_BY_PROVIDER else "payee"


def needs_proof(application_reason: str) -> bool:
    return APPLICATION_REASONS[application_reason] == "personal"


def apply_by(exam_date: date, zone: ZoneInfo) -> datetime:
    """Applications are in time until the exam's month ends."""
    return _month_after(exam_date, 1, zone)


def pay_out_by(exam_date: date, zone: ZoneInfo) -> datetime:
    """Money is paid out before the month after the exam's ends."""
    return _month_after(exam_date, 2, zone)


def _month_after(day: date, months: int, zone: ZoneInfo) -> datetime:
    count = day.year * 12 + day.month - 1 + months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=zone)


def new_trade_number() -> str:
    number = secrets.randbelow(10**TRADE_NUMBER_DIGITS)
    return f"{TRADE_NUMBER_BEGINS}{number:0{TRADE_NUMBER_DIGITS}}"


def is_misspelt(trade_number: str) -> bool:
    """Whether it is one of ours but for its case, which ECPay's signature does not cover."""
    return trade_number.upper().startswith(TRADE_NUMBER_BEGINS) and not trade_number.startswith(
        TRADE_NUMBER_BEGINS
    )


def slip_is_reported_by(pay_by: datetime) -> datetime:
    """A slip paid at the last moment is known of when these working days have ended."""
    last_day = (pay_by - timedelta(microseconds=1)).astimezone(TAIPEI).date()
    known: date = add_working_days(last_day, SLIP_WORKING_DAYS)
    return datetime.combine(known + timedelta(days=1), time(), TAIPEI)


def next_ask(
    now: datetime, *, asks: int, first: timedelta, longest: timedelta, last_ask_at: datetime
) -> datetime:
    """When to ask a provider again: less and less often, and at the latest when it may say last."""
    after = now + min(first * int(2 ** min(asks, 20)), longest)
    return min(after, last_ask_at) if now < last_ask_at else after


def card_refund_from(paid_at: datetime) -> datetime:
    """From when a card payment is captured for certain, and can be refunded in any part."""
    closing = datetime.combine(paid_at.astimezone(TAIPEI).date(), CLOSING_ENDS, TAIPEI)
    began = datetime.combine(closing.date(), CLOSING_BEGINS, TAIPEI)
    return closing if paid_at < began else closing + timedelta(days=1)


def outside_closing(now: datetime) -> datetime:
    """Now, or the end of ECPay's closing when that is under way."""
    local = now.astimezone(TAIPEI)
    if CLOSING_BEGINS <= local.time() < CLOSING_ENDS:
        return datetime.combine(local.date(), CLOSING_ENDS, TAIPEI)
    return now
