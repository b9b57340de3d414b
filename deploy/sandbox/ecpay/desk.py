"""What happens at ECPay's cashier, at stores and banks, and what the shop is told about it."""

from dataclasses import replace
from sqlite3 import Connection

from deploy.sandbox import faults, notices
from deploy.sandbox.ecpay import messages, trades
from deploy.sandbox.ecpay.mac import NAME, Merchant
from deploy.sandbox.ecpay.trades import KIOSKS, NotPossible, Trade
from deploy.sandbox.faults import Fault, Kind, Moment
from deploy.sandbox.rules import Rules

# What a page may send; more digits than money has.
MOST_TWD = 1_000_000


def issue(
    db: Connection, trade: Trade, rules: Rules, *, bank: str = "ATM_BOT", now: float
) -> Trade:
    """Give out a code, an account or a slip, and tell the shop where it wants to be told."""
    issued = trades.issue(db, trade, bank=bank, now=now)
    happening = faults.take(db, Moment.ISSUED, number=issued.number)
    if url := issued.form.get("PaymentInfoURL"):
        told = messages.issued(issued)
        _tell(db, issued, rules, about="issued", url=url, fields=told, faults=happening, due_at=now)
    return issued


def pay(
    db: Connection,
    trade: Trade,
    rules: Rules,
    *,
    amount_twd: int | None = None,
    paid_from: str = "",
    also_expired: bool = False,
    now: float,
) -> Trade:
    """Take money for a trade; a wrong amount is possible at a bank only, unless it is a fault."""
    _check_payable(trade, also_expired=also_expired, now=now)
    amount = trade.amount_twd if amount_twd is None else amount_twd
    if amount != trade.amount_twd and trade.method != "ATM":
        raise NotPossible("金額由收銀機決定。 The till knows the amount; it cannot be another.")
    if not 0 < amount <= MOST_TWD:
        raise NotPossible("請輸入金額。 Enter an amount.")
    if trade.method not in {"CVS", "BARCODE"}:
        paid_from = ""
    elif paid_from not in KIOSKS:
        paid_from = KIOSKS[0]
    happening = faults.take(db, Moment.PAID, number=trade.number)
    by_kind = {fault.kind: fault for fault in happening}
    if Kind.SIMULATED in by_kind:
        fields = messages.paid(trade, simulated=True, now=now)
        _tell_outcome(db, trade, rules, fields=fields, faults=happening, due_at=now)
        return trade
    if wrong := by_kind.get(Kind.WRONG_AMOUNT):
        amount = wrong.amount
    known_at = now + (rules.slip_delay_seconds if trade.method == "BARCODE" else 0)
    paid = trades.pay(db, trade, amount_twd=amount, paid_from=paid_from, known_at=known_at, now=now)
    fields = messages.paid(paid, now=now)
    _tell_outcome(db, paid, rules, fields=fields, faults=happening, due_at=known_at)
    return paid


def decline(db: Connection, trade: Trade, rules: Rules, *, now: float) -> Trade:
    """A card's bank refuses; the shop is told that, too."""
    if trade.method != "Credit" or not trade.is_open(now):
        raise NotPossible("這筆訂單不能再付款。 This order cannot be paid any more.")
    happening = faults.take(db, Moment.PAID, number=trade.number)
    declined = trades.decline(db, trade, now=now)
    fields = messages.paid(declined, now=now)
    _tell_outcome(db, declined, rules, fields=fields, faults=happening, due_at=now)
    return declined


def send_made_up(
    db: Connection,
    trade: Trade,
    rules: Rules,
    *,
    kind: Kind | None,
    amount_twd: int | None = None,
    now: float,
) -> None:
    """Claim that a trade was paid although nobody paid: forged, simulated, or with its amount."""
    claimed = replace(trade, paid_twd=amount_twd or trade.paid_twd, declined_at=None)
    fields = messages.paid(claimed, simulated=kind is Kind.SIMULATED, now=now)
    happening = [Fault(kind=Kind.FORGED)] if kind is Kind.FORGED else []
    _tell_outcome(db, trade, rules, fields=fields, faults=happening, due_at=now)


def _check_payable(trade: Trade, *, also_expired: bool, now: float) -> None:
    if trade.paid_at:
        raise NotPossible("這筆訂單已經付款。 This order was paid already.")
    if trade.method == "Credit":
        if not trade.is_open(now):
            raise NotPossible("這筆訂單不能再付款。 This order cannot be paid any more.")
    elif trade.code is None:
        raise NotPossible("這筆訂單尚未取號。 No code was issued for this order.")
    elif not also_expired and not trade.is_payable(now):
        raise NotPossible("已超過繳費期限。 The time for payment is over.")


def _tell_outcome(
    db: Connection,
    trade: Trade,
    rules: Rules,
    *,
    fields: dict[str, str],
    faults: list[Fault],
    due_at: float,
) -> None:
    about: notices.About = "declined" if fields["RtnCode"] == messages.DECLINED else "paid"
    url = trade.form["ReturnURL"]
    _tell(db, trade, rules, about=about, url=url, fields=fields, faults=faults, due_at=due_at)


def _tell(
    db: Connection,
    trade: Trade,
    rules: Rules,
    *,
    about: notices.About,
    url: str,
    fields: dict[str, str],
    faults: list[Fault],
    due_at: float,
) -> None:
    by_kind = {fault.kind: fault for fault in faults}
    if Kind.SILENT in by_kind:
        return
    merchant = rules.merchants[trade.merchant]
    signed = _forge(merchant, fields) if Kind.FORGED in by_kind else merchant.sign(fields)
    late, duplicate = by_kind.get(Kind.LATE), by_kind.get(Kind.DUPLICATE)
    at = None if Kind.REORDERED in by_kind else due_at + (late.seconds if late else 0)
    for _ in range(duplicate.copies if duplicate else 1):
        notices.add(db, trade_no=trade.trade_no, about=about, url=url, fields=signed, due_at=at)


def _forge(merchant: Merchant, fields: dict[str, str]) -> dict[str, str]:
    """Sign as somebody who does not know the key would: the form is right, the value is not."""
    return {**fields, NAME: replace(merchant, key=merchant.key[::-1]).sign(fields)[NAME]}
