"""ECPay's codec: what is sent to its cashier, and what its signed words mean. No network here."""

import hashlib
import hmac
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from services.payments.rules import TAIPEI

MAC = "CheckMacValue"
SECOND = "%Y/%m/%d %H:%M:%S"
# Their notices have some 20 fields, 60 with everything one can ask for.
MOST_FIELDS = 100

PAID = "1"
# The card's bank has not decided: neither paid nor declined.
RESULT_PENDING = "10300066"
ACCOUNT_ISSUED = "2"
CODE_ISSUED = "10100073"

# What proves a payment, or tells of somebody's card or account, is not kept.
MASKED = frozenset(
    {MAC, "auth_code", "card4no", "card6no", "ATMAccNo", "WebATMAccNo", "WebATMBankName"}
)
MASK = "***"

_STAYS = string.ascii_letters + string.digits + "-_.!*()"
_TRADE_NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")
_DAY = re.compile(r"20[0-9]{2}/[0-9]{2}/[0-9]{2}")
_SECOND = re.compile(r"20[0-9]{2}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,8}")


class NotUnderstood(Exception):
    """These are not the words that the protocol knows."""


# As .NET encodes an address, lower-cased: these stay, a space is a plus, all other bytes are hex.
_ENCODED = {
    byte: chr(byte).lower() if chr(byte) in _STAYS else "+" if byte == 0x20 else f"%{byte:02x}"
    for byte in range(256)
}


def check_mac_value(fields: Mapping[str, str], *, key: str, iv: str) -> str:
    """Sign fields as ECPay does: all but the signature itself, empty ones too."""
    names = sorted((name for name in fields if name != MAC), key=str.lower)
    pairs = "&".join([f"{name}={fields[name]}" for name in names])
    octets = f"HashKey={key}&{pairs}&HashIV={iv}".encode()
    encoded = octets.decode("latin-1").translate(_ENCODED)
    return hashlib.sha256(encoded.encode()).hexdigest().upper()


def is_signed(fields: Mapping[str, str], *, key: str, iv: str) -> bool:
    """Tell whether these are ECPay's words, in a time that tells nothing else."""
    expected = check_mac_value(fields, key=key, iv=iv)
    given = fields.get(MAC, "")
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def parse(body: bytes) -> dict[str, str]:
    """Read url-encoded pairs, each name once; raise NotUnderstood when they are anything else."""
    fields: dict[str, str] = {}
    try:
        text = body.decode("ascii")
        pairs = [pair.split("=") for pair in text.split("&")] if text else []
        if len(pairs) > MOST_FIELDS:
            raise NotUnderstood("too many fields")
        for name, value in pairs:  # two parts each, or it is a ValueError
            fields[_decode(name)] = _decode(value)
    except ValueError as error:  # UnicodeDecodeError among them
        raise NotUnderstood("not url-encoded") from error
    if len(fields) < len(pairs):
        raise NotUnderstood("a name comes twice")
    if "%00" in text or "\0" in text:
        raise NotUnderstood("a zero byte")  # which no database of ours can keep
    return fields


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


def masked(fields: Mapping[str, str]) -> dict[str, str]:
    """Everything but what must not be kept."""
    return {name: MASK if name in MASKED and value else value for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class PaidNotice:
    """What a ReturnURL notice, or the answer of QueryTradeInfo, says of a payment."""

    trade_number: str
    provider_number: str
    amount_twd: int
    paid_at: datetime
    payment_type: str


@dataclass(frozen=True, slots=True)
class IssuedNotice:
    """What a PaymentInfoURL notice, or the answer of QueryPaymentInfo, gives out."""

    trade_number: str
    provider_number: str
    amount_twd: int
    instructions: Mapping[str, str]
    expires_at: datetime


def read_paid(fields: Mapping[str, str]) -> PaidNotice:
    """Read the money that a signed notice tells of."""
    return PaidNotice(
        trade_number=_number(fields, "MerchantTradeNo"),
        provider_number=_number(fields, "TradeNo"),
        amount_twd=_amount(fields, "TradeAmt"),
        paid_at=_instant(fields, "PaymentDate"),
        payment_type=fields.get("PaymentType", ""),
    )


def read_issued(fields: Mapping[str, str]) -> IssuedNotice:
    """Read the code, account or slip that a signed notice gives out."""
    if fields.get("RtnCode") == ACCOUNT_ISSUED:
        instructions = {"bank": _text(fields, "BankCode"), "account": _text(fields, "vAccount")}
        expires_at = _end_of_day(fields, "ExpireDate")
    elif fields.get("Barcode1"):
        instructions = {f"barcode{n}": _text(fields, f"Barcode{n}") for n in (1, 2, 3)}
        expires_at = _instant(fields, "ExpireDate")
    else:
        instructions = {"code": _text(fields, "PaymentNo")}
        expires_at = _instant(fields, "ExpireDate")
    return IssuedNotice(
        trade_number=_number(fields, "MerchantTradeNo"),
        provider_number=_number(fields, "TradeNo"),
        amount_twd=_amount(fields, "TradeAmt"),
        instructions=instructions,
        expires_at=expires_at,
    )


def stamp(instant: datetime) -> str:
    """A moment as their fields hold it."""
    return instant.astimezone(TAIPEI).strftime(SECOND)


def _text(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value or len(value) > 50 or not value.isascii() or not value.isalnum():
        raise NotUnderstood(name)
    return value


def _number(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not _TRADE_NUMBER.fullmatch(value):
        raise NotUnderstood(name)
    return value


def _amount(fields: Mapping[str, str], name: str) -> int:
    value = fields.get(name, "")
    if not _AMOUNT.fullmatch(value):
        raise NotUnderstood(name)
    return int(value)


def _instant(fields: Mapping[str, str], name: str) -> datetime:
    value = fields.get(name, "")
    if not _SECOND.fullmatch(value):
        raise NotUnderstood(name)
    return _moment(value.replace("/", "-"), name)


def _end_of_day(fields: Mapping[str, str], name: str) -> datetime:
    value = fields.get(name, "")
    if not _DAY.fullmatch(value):
        raise NotUnderstood(name)
    return _moment(value.replace("/", "-"), name) + timedelta(days=1)


def _moment(value: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=TAIPEI)
    except ValueError as error:
        raise NotUnderstood(name) from error
