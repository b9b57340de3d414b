"""What can still be done with a card's payment: capture, refund, cancel the capture, abandon."""

from datetime import datetime, time, timedelta
from sqlite3 import Connection

from deploy.sandbox import money
from deploy.sandbox.clock import TAIPEI, in_taipei
from deploy.sandbox.ecpay import trades
from deploy.sandbox.ecpay.trades import NotPossible, Trade
from deploy.sandbox.rules import Rules

# Every evening what is due for capture is captured; meanwhile nothing can be changed.
CLOSES = time(20, 15)
OPENS = time(20, 30)


def act(
    db: Connection, trade: Trade, action: str, *, amount_twd: int, rules: Rules, now: float
) -> None:
    """Do what the shop asks for, if the payment's state allows it."""
    if rules.closes_daily and CLOSES <= in_taipei(now).time() < OPENS:
        raise NotPossible("Closed from 20:15 to 20:30.")
    if trade.method != "Credit" or trade.paid_twd is None:
        raise NotPossible("There is no card payment.")
    if trade.abandoned_at:
        raise NotPossible("The authorisation was abandoned.")
    left = trade.paid_twd - money.refunded_of(db, provider_number=trade.trade_no)
    is_authorised = trade.to_capture_at is None
    is_captured = trade.to_capture_at is not None and now >= captured_at(trade.to_capture_at)
    if amount_twd > left:
        raise NotPossible("TotalAmount is more than is left.")
    is_whole = amount_twd == trade.paid_twd
    match action:
        case "C" if is_authorised and is_whole:
            trades.set_capture(db, trade, at=now)
        case "E" if not is_authorised and not is_captured and left == amount_twd and is_whole:
            trades.set_capture(db, trade, at=None)
        case "N" if is_authorised and is_whole:
            trades.abandon(db, trade, now=now)
            money.refund(db, trade.payment, amount_twd=amount_twd, now=now)
        case "R" if is_captured or (not is_authorised and not is_whole):
            money.refund(db, trade.payment, amount_twd=amount_twd, now=now)
        case "C" | "E" | "N" | "R":
            raise NotPossible("Trade Status Error.")
        case _:
            raise NotPossible("Action Error.")


def captured_at(to_capture_at: float) -> float:
    """When the evening's capture takes what has been due since then."""
    due = in_taipei(to_capture_at)
    evening = datetime.combine(due.date(), CLOSES, TAIPEI)
    return (evening if due < evening else evening + timedelta(days=1)).timestamp()
