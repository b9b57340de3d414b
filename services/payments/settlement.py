"""Settlement: money that was taken for us is counted once, for whatever it was paid. Writes
`captures`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.payments import attempts, ledger, orders, refund_requests, refunds, rules
from services.payments.ledger import SURPLUS, Entry
from services.payments.order_book import COLUMNS, NoSuchOrder, Order, read
from services.payments.orders import Payment
from services.payments.refunds import NewRefund, NoSuchMoney
from shared import audit
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Captured:
    """Money that a provider took for us, in the provider's words."""

    provider: str
    trade_number: str
    provider_number: str
    method: str
    amount_twd: int
    paid_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """The same key is the same money, however often we hear of it."""
        return self.provider, self.trade_number, self.provider_number


@dataclass(frozen=True, slots=True)
class _Known:
    """The attempt that money came on, and its order."""

    attempt_id: UUID | None  # none: an orphan was matched to the order
    method: str
    amount_twd: int
    in_time_until: datetime
    order: Order


@dataclass(frozen=True, slots=True)
class Capture:
    """Money as it was counted."""

    id: UUID
    captured: Captured
    kind: str  # order, overpaid, wrong_amount, late or orphan
    known: _Known | None


class Contradiction(Exception):
    """Money that was counted is now said to be other money. Among others it might be mistaken for
    theirs, so it is to be settled alone."""


async def settle(tx: Tx, *, captured: Sequence[Captured], now: datetime) -> list[Capture]:
    """Count money; what was counted before has no effect. Return what was new."""
    told = list({each.key: each for each in captured}.values())
    if not told:
        return []
    judged = _judge(told, await _lock_orders(tx, told), now=now)
    captures = await _insert(tx, judged, now=now)
    if len(captures) < len(judged):
        await _look_at_repeated(tx, judged, captures)
    paying = [each for each in captures if each.kind == "order"]
    if paying:
        await orders.pay(tx, payments=[_payment(each) for each in paying])
    await attempts.mark_paid(
        tx,
        provider_numbers={
            each.known.attempt_id: each.captured.provider_number
            for each in captures
            if each.known is not None and each.known.attempt_id is not None
        },
        now=now,
    )
    await _keep_surplus(tx, [each for each in captures if each.kind != "order"], now=now)
    await refund_requests.meet(tx, orders=[each.known.order for each in paying if each.known])
    return captures


async def match(
    tx: Tx, *, capture_id: UUID, order_id: UUID, note: str, actor: UUID, now: datetime
) -> str:
    """Say whose an orphan is. It counts as if that had been known at once; return as what."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM orders WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608 (a constant)
        order_id,
    )
    money = await tx.fetchrow(
        """
        SELECT provider, trade_number, provider_number, method, amount_twd, paid_at FROM captures
         WHERE id = $1 AND kind = 'orphan' FOR NO KEY UPDATE
        """,
        capture_id,
    )
    if row is None:
        raise NoSuchOrder
    # Asked once the money is locked, as whoever decides on it locks it first.
    if money is None or await tx.fetchval(
        "SELECT EXISTS (SELECT FROM refunds WHERE capture_id = $1)", capture_id
    ):
        raise NoSuchMoney
    order, captured = read(row), Captured(**money)
    known = _Known(None, captured.method, order.amount_twd, order.pay_by, order)
    [judged] = _judge([captured], {(captured.provider, captured.trade_number): known}, now=now)
    capture = replace(judged, id=capture_id)
    await tx.execute(
        "UPDATE captures SET kind = $2, order_id = $3 WHERE id = $1",
        capture_id,
        capture.kind,
        order_id,
    )
    facts = {"order": str(order_id), "as": capture.kind, "note": note}
    line = audit.Line(str(actor), "money_matched", f"capture {capture_id}", facts)
    await audit.record(tx, [line])
    if capture.kind == "order":
        # It was kept as surplus; now it pays what is owed.
        await orders.pay(tx, payments=[replace(_payment(capture), provider=SURPLUS)])
        await refund_requests.meet(tx, orders=[order])
    else:
        await _give_back(tx, [capture], now=now)
    return capture.kind


async def _lock_orders(tx: Tx, captured: Sequence[Captured]) -> dict[tuple[str, str], _Known]:
    """Find what money came on. Orders stay as they are until this transaction ends.

    They are locked in the order of their ids, so that two settlements never wait for each other.
    """
    rows = await tx.fetch(
        f"""
        SELECT attempts.id AS attempt_id, attempts.provider, attempts.trade_number,
               attempts.method, attempts.amount_twd AS attempt_twd, attempts.in_time_until,
               {COLUMNS}
          FROM attempts JOIN orders ON orders.id = attempts.order_id
         WHERE attempts.trade_number = ANY($1::text[])
         ORDER BY orders.id
           FOR NO KEY UPDATE OF orders
        """,  # noqa: S608 (a constant)
        [each.trade_number for each in captured],
    )
    return {
        (row["provider"], row["trade_number"]): _Known(
            row["attempt_id"], row["method"], row["attempt_twd"], row["in_time_until"], read(row)
        )
        for row in rows
    }


def _judge(
    captured: Sequence[Captured], known: dict[tuple[str, str], _Known], *, now: datetime
) -> list[Capture]:
    """Say what each money is. The first in time that fits pays an order; orders are paid once.

    What counts is when it was paid: an order that has lapsed before we were told is paid, too.
    """
    judged, paid = [], set()
    for each in sorted(captured, key=lambda each: each.paid_at):
        on = known.get((each.provider, each.trade_number))
        if on is None:
            kind = "orphan"
        elif on.order.paid_at is not None or on.order.id in paid:
            kind = "overpaid"
        elif each.amount_twd != on.amount_twd:
            kind = "wrong_amount"
        elif each.paid_at >= on.in_time_until:
            kind = "late"
        else:
            kind = "order"
            paid.add(on.order.id)
        judged.append(Capture(new_id(now), each, kind, on))
    return judged


async def _insert(tx: Tx, captures: Sequence[Capture], *, now: datetime) -> list[Capture]:
    """Count captures, but for those that were counted before or are being counted right now."""
    rows = await tx.fetch(
        """
        INSERT INTO captures (id, provider, trade_number, provider_number, method, attempt_id,
                              order_id, kind, amount_twd, paid_at, settled_at)
        SELECT id, provider, trade_number, provider_number, method, attempt_id, order_id, kind,
               amount_twd, paid_at, $11
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                      $7::uuid[], $8::text[], $9::int[], $10::timestamptz[])
               AS given (id, provider, trade_number, provider_number, method, attempt_id, order_id,
                         kind, amount_twd, paid_at)
        ON CONFLICT (trade_number, provider_number, provider) DO NOTHING
        RETURNING id
        """,
        [each.id for each in captures],
        [each.captured.provider for each in captures],
        [each.captured.trade_number for each in captures],
        [each.captured.provider_number for each in captures],
        [each.known.method if each.known else each.captured.method for each in captures],
        [each.known.attempt_id if each.known else None for each in captures],
        [each.known.order.id if each.known else None for each in captures],
        [each.kind for each in captures],
        [each.captured.amount_twd for each in captures],
        [each.captured.paid_at for each in captures],
        now,
    )
    inserted = {row["id"] for row in rows}
    return [each for each in captures if each.id in inserted]


def _payment(capture: Capture) -> Payment:
    assert capture.known is not None
    return Payment(
        capture.known.order,
        capture.id,
        capture.captured.provider,
        capture.known.method,
        capture.captured.paid_at,
    )


async def _keep_surplus(tx: Tx, captures: Sequence[Capture], *, now: datetime) -> None:
    """Keep money nobody owed apart. An overpayment goes back; the rest is for finance to judge."""
    if not captures:
        return
    await ledger.record(
        tx,
        [
            Entry(
                "surplus_received",
                each.captured.provider,
                SURPLUS,
                each.captured.amount_twd,
                order_id=each.known.order.id if each.known else None,
                capture_id=each.id,
            )
            for each in captures
        ],
    )
    await audit.record(
        tx,
        [
            audit.Line(
                "settlement",
                f"money_{each.kind}",
                f"capture {each.id}",
                {
                    "order": str(each.known.order.id) if each.known else None,
                    "trade_number": each.captured.trade_number,
                    "amount_twd": each.captured.amount_twd,
                },
            )
            for each in captures
        ],
    )
    await _give_back(tx, captures, now=now)


async def _give_back(tx: Tx, captures: Sequence[Capture], *, now: datetime) -> None:
    """Make what was paid twice due to go back."""
    for each in captures:
        amount = rules.refundable(each.captured.amount_twd, each.kind)
        if each.kind == "overpaid" and each.known is not None and amount:
            due = NewRefund(new_id(now), each.id, None, each.kind, amount, now)
            await refunds.add(tx, refund=due)


async def _look_at_repeated(tx: Tx, judged: Sequence[Capture], captures: Sequence[Capture]) -> None:
    """Look at money that was counted before; put on record where it is now said to be another
    amount."""
    new = {each.id for each in captures}
    repeated = [each for each in judged if each.id not in new]
    # What was counted and paid nothing, and could pay now, has changed since.
    if len(judged) > 1 and any(each.kind == "order" for each in repeated):
        raise Contradiction
    rows = await tx.fetch(
        """
        SELECT provider, trade_number, provider_number, amount_twd FROM captures
         WHERE trade_number = ANY($1::text[])
        """,
        [each.captured.trade_number for each in repeated],
    )
    counted = {
        (row["provider"], row["trade_number"], row["provider_number"]): row["amount_twd"]
        for row in rows
    }
    lines = [
        audit.Line(
            "settlement",
            "money_contradicted",
            f"trade {each.trade_number}",
            {"counted_twd": counted[each.key], "told_twd": each.amount_twd},
        )
        for each in (one.captured for one in repeated)
        if counted.get(each.key, each.amount_twd) != each.amount_twd
    ]
    if lines:
        await audit.record(tx, lines)
