"""Readings: what a provider's signed notice means for us, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.payments import attempts, ecpay, notices, rules, settlement
from services.payments.attempts import Issued
from services.payments.ecpay import NotUnderstood
from services.payments.notices import Notice
from services.payments.settlement import Capture, Captured
from shared.db import Tx

PROVIDER = "ecpay"
# How ECPay names the ways to pay, for money of which we know nothing else.
METHODS_BY_TYPE = {
    "Credit": "card",
    "ATM": "atm",
    "WebATM": "atm",
    "CVS": "convenience_store",
    "BARCODE": "convenience_store",
}


@dataclass(frozen=True, slots=True)
class NotPaid:
    """A payment was tried and did not succeed."""

    trade_number: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A payment was tried, and whether it succeeded is not known yet."""

    trade_number: str


Meaning: TypeAlias = Captured | Issued | NotPaid | Pending | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A notice, and what it means; nothing, if it is none of our business."""

    notice: Notice
    meaning: Meaning


def read_paid(fields: Mapping[str, str], *, merchant_id: str, received_at: datetime) -> Reading:
    """Read a signed notice of the ReturnURL.

    Fields are joined before they are signed, and in lower case: what is missing may be hidden in
    another field. The forms that we sign for browsers are signed in the same way, too.
    """
    meaning: Meaning = None
    if fields.get("MerchantID") != merchant_id:
        word = "foreign"
    elif not fields.keys() >= {"RtnCode", "SimulatePaid"}:
        word = "unreadable"
    elif fields["SimulatePaid"] != "0":
        word = "simulated"
    elif fields["RtnCode"] == ecpay.RESULT_PENDING:
        word, meaning = "pending", Pending(_claimed(fields, "MerchantTradeNo"))
    elif fields["RtnCode"] != ecpay.PAID:
        word, meaning = "not_paid", NotPaid(_claimed(fields, "MerchantTradeNo"))
    else:
        try:
            word, meaning = "paid", _captured(fields)
        except NotUnderstood:
            word = "unreadable"
    return Reading(_notice(fields, word, received_at), meaning)


def read_issued(fields: Mapping[str, str], *, merchant_id: str, received_at: datetime) -> Reading:
    """Read a signed notice of the PaymentInfoURL."""
    meaning: Meaning = None
    if fields.get("MerchantID") != merchant_id:
        word = "foreign"
    elif fields.get("RtnCode") not in {ecpay.ACCOUNT_ISSUED, ecpay.CODE_ISSUED}:
        word = "not_issued"
    else:
        try:
            word, meaning = "issued", _issued(fields)
        except NotUnderstood:
            word = "unreadable"
    return Reading(_notice(fields, word, received_at), meaning)


def forged(fields: Mapping[str, str], *, received_at: datetime) -> Notice:
    """What somebody sent who cannot sign."""
    return _notice(fields, "forged", received_at)


def read_again(notice: Notice) -> Reading:
    """Read a notice that was verified and stored before."""
    meaning: Meaning = None
    match notice.reading:
        case "paid":
            meaning = _captured(notice.fields)
        case "issued":
            meaning = _issued(notice.fields)
        case "not_paid":
            meaning = NotPaid(notice.trade_number)
        case "pending":
            meaning = Pending(notice.trade_number)
    return Reading(notice, meaning)


async def act(tx: Tx, *, readings: Sequence[Reading], now: datetime) -> list[Capture]:
    """Do what notices mean; return the money that was new. Said again, they change nothing."""
    meanings = [reading.meaning for reading in readings]
    captures = await settlement.settle(
        tx, captured=[meant for meant in meanings if isinstance(meant, Captured)], now=now
    )
    issued = [meant for meant in meanings if isinstance(meant, Issued)]
    if issued:
        await attempts.issue(tx, issued=issued, now=now)
    failed = [meant.trade_number for meant in meanings if isinstance(meant, NotPaid)]
    if failed:
        await attempts.note_failed(tx, trade_numbers=failed)
    pending = [meant.trade_number for meant in meanings if isinstance(meant, Pending)]
    if pending:
        await attempts.note_pending(tx, trade_numbers=pending, now=now)
    return captures


async def store(tx: Tx, *, readings: Sequence[Reading]) -> list[int]:
    """Store what came, before anything is decided; return the notices' numbers."""
    return await notices.record(tx, notices=[reading.notice for reading in readings])


def _captured(fields: Mapping[str, str]) -> Captured:
    paid = ecpay.read_paid(fields)
    if rules.is_misspelt(paid.trade_number):
        raise NotUnderstood("MerchantTradeNo")
    kind = paid.payment_type.partition("_")[0]
    return Captured(
        PROVIDER,
        paid.trade_number,
        paid.provider_number,
        METHODS_BY_TYPE.get(kind, "unknown"),
        paid.amount_twd,
        paid.paid_at,
    )


def _issued(fields: Mapping[str, str]) -> Issued:
    issued = ecpay.read_issued(fields)
    return Issued(
        issued.trade_number, issued.provider_number, issued.instructions, issued.expires_at
    )


def _notice(fields: Mapping[str, str], word: str, received_at: datetime) -> Notice:
    return Notice(
        PROVIDER,
        word,
        _claimed(fields, "MerchantTradeNo"),
        _claimed(fields, "TradeNo"),
        ecpay.masked(fields),
        received_at,
    )


def _claimed(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "")[:40]
