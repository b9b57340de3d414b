"""Orders at ECPay: opened at the cashier, given a code, paid once, or not at all."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection, IntegrityError, Row

from deploy.sandbox import money
from deploy.sandbox.clock import in_taipei
from deploy.sandbox.ecpay import slips
from deploy.sandbox.ecpay.orders import Order, Refused

# Who only opened the cashier and went away has failed after this.
CASHIER_LASTS_SECONDS = 30 * 60
BANKS = {"ATM_BOT": "004", "ATM_TAISHIN": "812", "ATM_ESUN": "808", "ATM_CHINATRUST": "822"}
PAYMENT_TYPES = {"Credit": "Credit_CreditCard", "CVS": "CVS_CVS", "BARCODE": "BARCODE_BARCODE"}
KIOSKS = ("ibon", "family", "okmart", "hilife")
MOST_SHOWN = 200


class NotPossible(Exception):
    """The trade is not in a state in which this can be done; says why."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One order as ECPay knows it."""

    trade_no: str
    merchant: str
    number: str
    method: str
    amount_twd: int
    form: Mapping[str, str]
    opened_at: float
    declined_at: float | None
    code: str | None
    bank: str
    barcode1: str
    barcode3: str
    issued_at: float | None
    expires_at: float | None
    paid_at: float | None
    paid_twd: int | None
    paid_from: str
    known_at: float | None
    to_capture_at: float | None
    abandoned_at: float | None

    @property
    def payment_type(self) -> str:
        return self.bank or PAYMENT_TYPES.get(self.method, "ATM_BOT")

    @property
    def payment(self) -> money.Payment:
        return money.Payment("ecpay", self.method, self.number, self.trade_no)

    @property
    def bank_code(self) -> str:
        return BANKS[self.bank]

    def is_open(self, now: float) -> bool:
        """Whether the cashier's page still does something."""
        begun = self.issued_at or self.paid_at or self.declined_at
        return not begun and now < self.opened_at + CASHIER_LASTS_SECONDS

    def is_payable(self, now: float) -> bool:
        """Whether the code can be paid at a store or a bank."""
        return self.code is not None and not self.paid_at and now <= (self.expires_at or 0)

    def is_known_as_paid(self, now: float) -> bool:
        return self.known_at is not None and self.known_at <= now


def open_(db: Connection, order: Order, *, now: float) -> Trade:
    """Begin a trade. A shop's number is never used twice."""
    try:
        row = db.execute(
            """
            INSERT INTO trades (trade_no, merchant, number, method, amount_twd, form, opened_at)
            VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *
            """,
            (
                f"{in_taipei(now):%y%m%d%H%M%S}{secrets.randbelow(10**8):08d}",
                *(order.merchant, order.number, order.method, order.amount_twd),
                *(json.dumps(dict(order.form), ensure_ascii=False), now),
            ),
        ).fetchone()
    except IntegrityError as repeated:
        raise Refused("10300028", "MerchantTradeNo was used before.") from repeated
    return _read(row)


def issue(db: Connection, trade: Trade, *, bank: str = "ATM_BOT", now: float) -> Trade:
    """Give the trade what it is paid with: a store code, an account or a slip."""
    if trade.method == "Credit" or not trade.is_open(now):
        raise NotPossible("這筆訂單不能再取號。 No code can be issued for this order any more.")
    if trade.method == "ATM" and bank not in BANKS:
        raise NotPossible("請選擇銀行。 Choose a bank.")
    expires_at = Order(
        trade.merchant, trade.number, trade.method, trade.amount_twd, trade.form
    ).expires_at(now)
    barcode1 = barcode3 = ""
    if trade.method == "CVS":
        code = "LLL" + _digits(11)
    elif trade.method == "ATM":
        code = "9103" + _digits(12)
    else:
        barcode1, code, barcode3 = slips.segments(
            due=in_taipei(expires_at),
            payer=slips.COLLECTOR + _digits(12),
            serial=_digits(4),
            amount_twd=trade.amount_twd,
        )
    row = db.execute(
        """
        UPDATE trades
           SET code = ?, barcode1 = ?, barcode3 = ?, bank = ?, issued_at = ?, expires_at = ?
         WHERE trade_no = ?
        RETURNING *
        """,
        (
            *(code, barcode1, barcode3, bank if trade.method == "ATM" else ""),
            *(now, expires_at, trade.trade_no),
        ),
    ).fetchone()
    return _read(row)


def pay(
    db: Connection, trade: Trade, *, amount_twd: int, paid_from: str, known_at: float, now: float
) -> Trade:
    """Take the money, once."""
    if trade.paid_at:
        raise NotPossible("這筆訂單已經付款。 This order was paid already.")
    money.capture(db, trade.payment, amount_twd=amount_twd, now=now)
    row = db.execute(
        """
        UPDATE trades
           SET paid_at = ?, paid_twd = ?, paid_from = ?, known_at = ?, to_capture_at = ?
         WHERE trade_no = ?
        RETURNING *
        """,
        (now, amount_twd, paid_from, known_at, now, trade.trade_no),
    ).fetchone()
    return _read(row)


def decline(db: Connection, trade: Trade, *, now: float) -> Trade:
    """The card's bank says no; the shop needs a new number to try again."""
    row = db.execute(
        "UPDATE trades SET declined_at = ? WHERE trade_no = ? RETURNING *", (now, trade.trade_no)
    ).fetchone()
    return _read(row)


def set_capture(db: Connection, trade: Trade, *, at: float | None) -> None:
    """A card's payment is due for capture from then on, or only authorised."""
    db.execute("UPDATE trades SET to_capture_at = ? WHERE trade_no = ?", (at, trade.trade_no))


def abandon(db: Connection, trade: Trade, *, now: float) -> None:
    """A card's authorisation is given up."""
    db.execute("UPDATE trades SET abandoned_at = ? WHERE trade_no = ?", (now, trade.trade_no))


def find(db: Connection, trade_no: str) -> Trade | None:
    return _find(db.execute("SELECT * FROM trades WHERE trade_no = ?", (trade_no,)).fetchone())


def find_by_number(db: Connection, merchant: str, number: str) -> Trade | None:
    query = "SELECT * FROM trades WHERE merchant = ? AND number = ?"
    return _find(db.execute(query, (merchant, number)).fetchone())


def find_by_code(db: Connection, code: str) -> Trade | None:
    """What is paid with this code, account or slip, or has this number at one shop only."""
    words = code.split()
    segment = words[1] if len(words) == 3 else code
    rows = db.execute("SELECT * FROM trades WHERE code = ?", (segment,))
    found = [_read(row) for row in rows] or list_by_number(db, code)
    if len(words) == 3:
        found = [one for one in found if words == [one.barcode1, one.code, one.barcode3]]
    return found[0] if len(found) == 1 else None


def list_payable(db: Connection, *, now: float) -> list[Trade]:
    """What can be paid at a store or a bank now, the newest first."""
    rows = db.execute(
        """
        SELECT * FROM trades
         WHERE code IS NOT NULL AND paid_at IS NULL AND expires_at >= ?
         ORDER BY issued_at DESC LIMIT ?
        """,
        (now, MOST_SHOWN),
    )
    return [_read(row) for row in rows]


def list_latest(db: Connection) -> list[Trade]:
    rows = db.execute("SELECT * FROM trades ORDER BY opened_at DESC LIMIT ?", (MOST_SHOWN,))
    return [_read(row) for row in rows]


def list_by_number(db: Connection, number: str) -> list[Trade]:
    """Whatever bears this number, at any shop."""
    return [_read(row) for row in db.execute("SELECT * FROM trades WHERE number = ?", (number,))]


def list_paid_between(
    db: Connection, merchant: str, since: float, until: float, *, known_at: float
) -> list[Trade]:
    """What was paid in this time, as far as the shop is told of it by then."""
    rows = db.execute(
        """
        SELECT * FROM trades
         WHERE merchant = ? AND paid_at >= ? AND paid_at < ? AND known_at <= ?
         ORDER BY paid_at, trade_no
        """,
        (merchant, since, until, known_at),
    )
    return [_read(row) for row in rows]


def list_refunded_between(
    db: Connection, merchant: str, since: float, until: float
) -> list[tuple[Trade, money.Refund]]:
    """What went back in this time, each time by itself."""
    rows = db.execute(
        """
        SELECT trades.*, refund_number, money.amount_twd AS refunded_twd, at
          FROM money JOIN trades ON trade_no = provider_number
         WHERE kind = 'refunded' AND provider = 'ecpay' AND merchant = ? AND at >= ? AND at < ?
         ORDER BY money.id
        """,
        (merchant, since, until),
    )
    return [_read_refund(row) for row in rows]


def _read_refund(row: Row) -> tuple[Trade, money.Refund]:
    values = dict(row)
    told = [values.pop(name) for name in ("refund_number", "refunded_twd", "at")]
    return Trade(**{**values, "form": json.loads(values["form"])}), money.Refund(*told)


def _find(row: Row | None) -> Trade | None:
    return _read(row) if row else None


def _read(row: Row) -> Trade:
    values = dict(row)
    return Trade(**{**values, "form": json.loads(values["form"])})


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"
