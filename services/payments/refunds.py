"""Refunds: money that goes back, proposed by one person and approved by another. Writes `refunds`.

due → proposed → approved → completed. Each of them is of one capture, and all of a capture's
together are never more than it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from asyncpg import UniqueViolationError

from services.payments import ledger, order_book, orders, refund_moves, rules
from services.payments.refund_book import MONEY_ORDER, Refund, lock
from shared import audit, outbox
from shared.db import Tx
from shared.errors import Refused
from shared.events.payments import RefundCompleted, RefundDue


class NoSuchMoney(Refused):
    """There is no such money, or it has been dealt with already."""

    status = 404


class AlreadyDone(Refused):
    """Somebody else has done this step in the meantime. Please look again."""


class FourEyes(Refused):
    """Whoever proposed a refund cannot approve it. Please ask a colleague."""


class NotByProvider(Refused):
    """Money paid this way can only be paid back by hand."""


class MoreThanPaid(Refused):
    """More would go back than was paid."""


class NumberUsed(Refused):
    """Another refund was paid with a money order of this number."""


class PayeeMissing(Refused):
    """It is not known yet to whom this refund is paid."""


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A refund that the rules or finance found due."""

    id: UUID
    capture_id: UUID
    registration_id: UUID | None
    reason: str
    amount_twd: int
    due_at: datetime


async def lock_left(
    tx: Tx, *, capture_id: UUID, registration_id: UUID | None, most_twd: int
) -> int:
    """How much may still go back for a registration of at most so much. Nobody else adds a refund
    of this capture until this transaction ends."""
    row = await tx.fetchrow(
        "SELECT amount_twd FROM captures WHERE id = $1 FOR NO KEY UPDATE", capture_id
    )
    if row is None:
        raise NoSuchMoney
    gone = await tx.fetchrow(
        """
        SELECT COALESCE(sum(amount_twd), 0) AS of_capture,
               COALESCE(sum(amount_twd) FILTER (WHERE registration_id = $2), 0) AS of_registration
          FROM refunds WHERE capture_id = $1
        """,
        capture_id,
        registration_id,
    )
    assert gone is not None
    left: int = min(most_twd - gone["of_registration"], row["amount_twd"] - gone["of_capture"])
    return max(0, left)


async def add(tx: Tx, *, refund: NewRefund) -> Refund:
    """Write down that money has to go back, and tell the person who paid."""
    left = await lock_left(
        tx, capture_id=refund.capture_id, registration_id=None, most_twd=refund.amount_twd
    )
    if left < refund.amount_twd:
        raise MoreThanPaid
    await tx.execute(
        """
        INSERT INTO refunds (id, capture_id, order_id, registration_id, reason, amount_twd, due_at)
        SELECT $1, captures.id, order_id, $3, $4, $5, $6 FROM captures WHERE captures.id = $2
        """,
        refund.id,
        refund.capture_id,
        refund.registration_id,
        refund.reason,
        refund.amount_twd,
        refund.due_at,
    )
    added = await lock(tx, refund_id=refund.id)
    await _record(tx, "rules", "refund_due", added)
    await _tell_due(tx, added)
    return added


async def take_surplus(tx: Tx, *, capture_id: UUID, keep: bool, actor: UUID, now: datetime) -> UUID:
    """Propose what becomes of money nobody owed: it goes back by rule, or it is written off."""
    capture = await tx.fetchrow(
        """
        SELECT kind, amount_twd, method FROM captures
         WHERE id = $1 AND kind <> 'order' FOR NO KEY UPDATE
        """,
        capture_id,
    )
    if capture is None or await tx.fetchval(
        "SELECT EXISTS (SELECT FROM refunds WHERE capture_id = $1)", capture_id
    ):
        raise NoSuchMoney
    amount = 0 if keep else rules.refundable(capture["amount_twd"], capture["kind"])
    refund_id = uuid4()
    await tx.execute(
        """
        INSERT INTO refunds (id, capture_id, order_id, reason, amount_twd, due_at, route, state,
                             proposed_by, proposed_at)
        SELECT $1, captures.id, order_id, kind, $3, $4, $5, 'proposed', $6, $4
          FROM captures WHERE captures.id = $2
        """,
        refund_id,
        capture_id,
        amount,
        now,
        rules.route_of(capture["method"]) if amount else "kept",
        actor,
    )
    await _record(tx, str(actor), "refund_proposed", await lock(tx, refund_id=refund_id))
    return refund_id


async def propose(tx: Tx, *, refund_id: UUID, route: str, actor: UUID, now: datetime) -> None:
    """Propose how a refund that is due goes back: through the provider, or by hand."""
    refund = await lock(tx, refund_id=refund_id)
    if refund.state != "due":
        raise AlreadyDone
    if route == "provider" and rules.route_of(refund.method) != "provider":
        raise NotByProvider
    await tx.execute(
        """
        UPDATE refunds SET state = 'proposed', route = $2, proposed_by = $3, proposed_at = $4
         WHERE id = $1
        """,
        refund_id,
        route,
        actor,
        now,
    )
    await _record(tx, str(actor), "refund_proposed", refund, route=route)


async def approve(tx: Tx, *, refund_id: UUID, actor: UUID, now: datetime) -> None:
    """Approve what a colleague proposed. What is kept is done with; the rest goes back."""
    refund = await lock(tx, refund_id=refund_id)
    if refund.state != "proposed":
        raise AlreadyDone
    if refund.proposed_by == actor:
        raise FourEyes
    is_kept = refund.route == "kept"
    await tx.execute(
        """
        UPDATE refunds
           SET state = $4, approved_by = $2, approved_at = $3, send_from = $5, completed_at = $6
         WHERE id = $1
        """,
        refund_id,
        actor,
        now,
        "completed" if is_kept else "approved",
        max(now, rules.card_refund_from(refund.paid_at)) if refund.method == "card" else now,
        now if is_kept else None,
    )
    await ledger.record(tx, refund_moves.when_approved(refund))
    await _record(tx, str(actor), "refund_approved", refund)
    if not is_kept and not refund.is_told:
        await _tell_due(tx, refund)


async def grant(
    tx: Tx, *, refund: NewRefund, proposed_by: UUID, approved_by: UUID, now: datetime
) -> None:
    """Write down and approve at once what two people have decided on an application."""
    added = await add(tx, refund=refund)
    await propose(
        tx, refund_id=added.id, route=rules.route_of(added.method), actor=proposed_by, now=now
    )
    await approve(tx, refund_id=added.id, actor=approved_by, now=now)


async def send_back(tx: Tx, *, refund_id: UUID, actor: UUID, words: str) -> None:
    """Do not approve; whoever proposed it may propose otherwise."""
    refund = await lock(tx, refund_id=refund_id)
    if refund.state != "proposed":
        raise AlreadyDone
    if refund.is_undecided:
        await tx.execute("DELETE FROM refunds WHERE id = $1", refund_id)
    else:
        await _make_due_again(tx, refund, reply=words)
    await _record(tx, str(actor), "refund_sent_back", refund, words=words)


async def mark_paid(
    tx: Tx, *, refund_id: UUID, number: str, paid_on: date, actor: UUID, now: datetime
) -> None:
    """Record that finance paid it by hand, by a postal money order of this number."""
    refund = await lock(tx, refund_id=refund_id)
    if refund.state != "approved" or refund.route != "payee":
        raise AlreadyDone
    if not refund.has_payee:
        raise PayeeMissing
    await complete(tx, refund=refund, actor=str(actor), now=now)
    sent = "UPDATE refunds SET money_order_number = $2, money_order_on = $3 WHERE id = $1"
    try:
        await tx.execute(sent, refund_id, number, paid_on)
    except UniqueViolationError:
        raise NumberUsed from None


async def complete(tx: Tx, *, refund: Refund, actor: str, now: datetime) -> None:
    """Record that the money went back, and tell everybody. The refund is held locked."""
    await tx.execute(
        "UPDATE refunds SET state = 'completed', completed_at = $2 WHERE id = $1",
        refund.id,
        now,
    )
    await ledger.record(tx, refund_moves.when_paid(refund))
    if refund.is_of_order and refund.order_id is not None:
        await orders.note_refunds(tx, refunded={refund.order_id: refund.amount_twd})
    await _record(tx, actor, "refund_completed", refund)
    if refund.order_id is not None:
        order = await order_book.load_any(tx, order_id=refund.order_id)
        told = RefundCompleted(
            **order.told,
            refund_id=refund.id,
            amount_twd=refund.amount_twd,
            method=refund.method if refund.route == "provider" else MONEY_ORDER,
            completed_at=now,
        )
        await outbox.publish(tx, [told])


async def take_back(tx: Tx, *, refund: Refund, reply: str) -> None:
    """Undo an approval, because the provider refused: finance proposes another way."""
    await ledger.record(tx, refund_moves.when_taken_back(refund))
    await _make_due_again(tx, refund, reply=reply)
    await _record(tx, "provider", "refund_refused", refund, reply=reply)


async def put_off(tx: Tx, *, refund: Refund, send_from: datetime) -> None:
    """Send it later: the provider does not take it now."""
    await tx.execute("UPDATE refunds SET send_from = $2 WHERE id = $1", refund.id, send_from)


async def _make_due_again(tx: Tx, refund: Refund, *, reply: str) -> None:
    await tx.execute(
        """
        UPDATE refunds
           SET state = 'due', route = NULL, reply = $2, send_from = NULL,
               proposed_by = NULL, proposed_at = NULL, approved_by = NULL, approved_at = NULL
         WHERE id = $1
        """,
        refund.id,
        reply,
    )


async def _tell_due(tx: Tx, refund: Refund) -> None:
    if refund.order_id is None:
        return  # nobody knows whose it is
    order = await order_book.load_any(tx, order_id=refund.order_id)
    told = RefundDue(
        **order.told,
        refund_id=refund.id,
        amount_twd=refund.amount_twd,
        reason=refund.reason,
        due_at=refund.due_at,
    )
    await outbox.publish(tx, [told])
    await tx.execute("UPDATE refunds SET is_told = true WHERE id = $1", refund.id)


async def _record(tx: Tx, actor: str, act: str, refund: Refund, **details: object) -> None:
    facts = {"capture": str(refund.capture_id), "amount_twd": refund.amount_twd, **details}
    await audit.record(tx, [audit.Line(actor, act, f"refund {refund.id}", facts)])
