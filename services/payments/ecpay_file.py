"""ECPay's daily file: which money it says it took for us, and gave back. Reads it, whatever was
uploaded.

A refund is a row of its own, with less than nothing as its amount. That is our reading: see
docs/decisions/0015-money.md. What cannot be read for certain is no money: it is kept as a fault,
for a person to look at.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.payments.rules import TAIPEI
from shared import table_file
from shared.i18n import mark

PROVIDER = "ecpay"

# The columns that say something about our money; the others are ECPay's own.
TRADED, PROVIDER_NUMBER, TRADE_NUMBER = "交易日期", "綠界交易序號", "特店訂單編號"
AMOUNT, METHOD, RESULT, PAID = "交易金額", "付款方式", "付款結果", "付款日期"
STORE_FEE, FEE, NET = "通路費", "交易服務費金額", "應收款項(淨額)"
COLUMNS = (
    *(TRADED, PROVIDER_NUMBER, TRADE_NUMBER, AMOUNT, METHOD),
    *(RESULT, PAID, STORE_FEE, FEE, NET),
)
# Titles may stand above the table; not many.
HEADER_WITHIN = 10

# What else stands there is not understood, and not guessed.
PAID_WORDS = {"已付款", "付款成功"}
UNPAID_WORDS = {"未付款", "尚未付款", "付款失敗"}
REFUNDED_WORDS = {"已退款"}
METHODS = {"信用卡": "card", "ATM": "atm", "網路ATM": "atm", "超商": "convenience_store"}
UNKNOWN_METHOD = "unknown"

LONGEST_SHOWN = 300
# Clocks differ; payments of tomorrow do not exist.
CLOCKS_DIFFER = timedelta(hours=1)
EARLIEST_YEAR = 2010

# Of a long number, spreadsheet programs keep so many digits; by chance three zeros are rare.
DIGITS_KEPT = 15
ROUNDED_FROM = 18

_NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")
_AMOUNT = re.compile(r"-?(?:[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.0+)?")
_MOMENT = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?)?"
)

FAULTS = {
    "trade_number": mark("the order number of the shop is none"),
    "provider_number": mark("the provider's number is none; spreadsheet programs round long ones"),
    "amount": mark("the amount is no whole number of dollars above 0, or below 0 of a refund"),
    "result": mark("whether it was paid or refunded is said in words that we do not know"),
    "paid_at": mark("it was paid or refunded at no time that can be"),
    "fees": mark("a fee or the net amount is no whole number of dollars"),
    "repeated": mark("the same payment stands in the file before, with something else in it"),
}


class NotTheFile(ValueError):
    """This is not the provider's file; `missing` names the columns it lacks, if it is a table."""

    def __init__(self, missing: Sequence[str] = ()) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


class _Faulty(Exception):
    """A cell cannot be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A payment in the file, or money that went back of one, which is less than nothing; with
    neither time, a payment that was not made."""

    number: int
    trade_number: str
    provider_number: str
    paid_at: datetime | None
    refunded_at: datetime | None
    amount_twd: int
    fee_twd: int
    net_twd: int
    method: str

    @property
    def key(self) -> tuple[object, ...]:
        """The same payment has it again. Of one payment money may go back several times."""
        numbers = (self.trade_number, self.provider_number)
        return (*numbers, self.refunded_at, self.amount_twd) if self.refunded_at else numbers


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read, as it stood there."""

    number: int
    fault: str
    cells: str


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a file."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(content: bytes, *, now: datetime) -> Table:
    """Read a file; raise NotTheFile or table_file.Unreadable. It takes a while: not for the loop.

    `now` is when it was uploaded: money of the future is none.
    """
    rows = table_file.read(content)
    start, places = _find_header(rows)
    table, seen = Table(), dict[tuple[object, ...], Line]()
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(row):
            continue
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        try:
            line = _read_line(number, cells, now=now)
        except _Faulty as faulty:
            table.faults.append(Fault(number, str(faulty), _show(row)))
            continue
        before = seen.setdefault(line.key, line)
        if before is line:
            table.lines.append(line)
        elif _told(before) != _told(line):
            table.faults.append(Fault(number, "repeated", _show(row)))
    return table


def _find_header(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    """Find the row that names the columns, and where each of ours is."""
    nearest: list[str] = [*COLUMNS]
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        titles = [_plain(cell) for cell in row]
        missing = [name for name in COLUMNS if name not in titles]
        if not missing:
            return number, {name: titles.index(name) for name in COLUMNS}
        nearest = min(nearest, missing, key=len)
    raise NotTheFile(nearest)


def _plain(title: str) -> str:
    """Write a title with narrow brackets and letters and without blanks."""
    return "".join(unicodedata.normalize("NFKC", title).split())


def _read_line(number: int, cells: dict[str, str], *, now: datetime) -> Line:
    trade_number, provider_number = cells[TRADE_NUMBER], cells[PROVIDER_NUMBER]
    if not _NUMBER.fullmatch(trade_number):
        raise _Faulty("trade_number")
    if not _NUMBER.fullmatch(provider_number) or _is_rounded(provider_number):
        raise _Faulty("provider_number")
    amount, result = _dollars(cells[AMOUNT], "amount"), cells[RESULT]
    if result not in PAID_WORDS | UNPAID_WORDS | REFUNDED_WORDS:
        raise _Faulty("result")
    is_refund = result in REFUNDED_WORDS
    if not (amount < 0 if is_refund else amount > 0):
        raise _Faulty("amount")
    return Line(
        number=number,
        trade_number=trade_number,
        provider_number=provider_number,
        paid_at=_moment(cells[PAID], now=now) if result in PAID_WORDS else None,
        refunded_at=_moment(cells[PAID], now=now) if is_refund else None,
        amount_twd=amount,
        fee_twd=_dollars(cells[STORE_FEE] or "0", "fees") + _dollars(cells[FEE] or "0", "fees"),
        net_twd=_dollars(cells[NET] or "0", "fees"),
        method=_method(cells[METHOD]),
    )


def _is_rounded(number: str) -> bool:
    """Whether a spreadsheet program has made zeros of all digits that it does not keep."""
    return len(number) >= ROUNDED_FROM and set(number[DIGITS_KEPT:]) == {"0"}


def _dollars(text: str, fault: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise _Faulty(fault)
    return int(text.partition(".")[0].replace(",", ""))


def _moment(text: str, *, now: datetime) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise _Faulty("paid_at")
    try:
        moment = datetime(*(int(part or 0) for part in found.groups()), tzinfo=TAIPEI)  # type: ignore[arg-type,misc]
    except ValueError:
        raise _Faulty("paid_at") from None
    if moment.year < EARLIEST_YEAR or moment > now + CLOCKS_DIFFER:
        raise _Faulty("paid_at")
    return moment


def _method(text: str) -> str:
    beginnings = (method for word, method in METHODS.items() if text.startswith(word))
    return next(beginnings, UNKNOWN_METHOD)


def _told(line: Line) -> tuple[object, ...]:
    return line.paid_at, line.amount_twd, line.fee_twd, line.net_twd


def _show(row: Sequence[str]) -> str:
    """Write a row in one line that can be kept: no zero bytes, not too long."""
    line = " | ".join(row)
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    return printable[:LONGEST_SHOWN]
