"""Refunds on their way through a provider: intent, call, outcome. Writes `refund_sends`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.payments import refunds
from services.payments.refund_book import COLUMNS, SOURCE, Refund, lock, read
from services.payments.refunds import AlreadyDone
from shared import audit
from shared.db import Tx

LONGEST_WAIT = timedelta(hours=1)
FIRST_WAIT = timedelta(minutes=1)


class Fate(StrEnum):
    """What became of telling a provider to give money back."""

    DONE = "done"
    REFUSED = "refused"  # for certain: nothing moved
    LATER = "later"  # nothing moved; the provider does not take it now
    UNKNOWN = "unknown"  # to be asked for
    STUCK = "stuck"  # nobody but a person can find out


@dataclass(frozen=True, slots=True)
class Sending:
    """A refund that is this worker's to send, or to ask about."""

    refund: Refund
    sends: int
    # What had gone back of the same payment before this refund.
    refunded_before_twd: int

    @property
    def is_first(self) -> bool:
        """Whether the provider cannot have heard of it yet."""
        return self.sends == 1


async def claim(tx: Tx, *, now: datetime, again_at: datetime) -> Sending | None:
    """Take one refund; the intent is on record before the provider is called.

    Of one payment only one refund is under way, so that what has gone back can be compared; and
    a provider that is left alone is left alone with refunds, too.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS},
               (SELECT COALESCE(sum(amount_twd), 0) FROM refunds AS other
                 WHERE other.capture_id = refunds.capture_id AND other.route = 'provider'
                   AND other.state = 'completed')::int AS refunded_before_twd
          FROM {SOURCE} LEFT JOIN refund_sends AS send ON send.refund_id = refunds.id
         WHERE refunds.state = 'approved' AND refunds.route = 'provider'
           AND COALESCE(send.due_at, send_from) <= $1 AND send.state IS DISTINCT FROM 'stuck'
           AND NOT EXISTS (
               SELECT FROM provider_pauses AS pause
                WHERE pause.provider = captures.provider AND pause.until_at > $1)
           AND NOT EXISTS (
               SELECT FROM refund_sends JOIN refunds AS other ON other.id = refund_id
                WHERE other.capture_id = refunds.capture_id AND other.id <> refunds.id)
         ORDER BY send_from, refunds.id
         LIMIT 1
           FOR NO KEY UPDATE OF refunds, captures SKIP LOCKED
        """,  # noqa: S608 (constants)
        now,
    )
    if row is None:
        return None
    refund = read(row)
    sends = await tx.fetchval(
        """
        INSERT INTO refund_sends (refund_id, state, sends, due_at) VALUES ($1, 'sending', 1, $2)
        ON CONFLICT (refund_id) DO UPDATE
           SET state = 'sending', sends = refund_sends.sends + 1, due_at = EXCLUDED.due_at
        RETURNING sends
        """,
        refund.id,
        again_at,
    )
    await audit.record(tx, [_line("refund_sent", refund, sends=sends)])
    return Sending(refund, sends, row["refunded_before_twd"])


async def record(
    tx: Tx, *, sending: Sending, fate: Fate, reply: str, again_at: datetime | None, now: datetime
) -> None:
    """Record what became of it. Somebody who was faster is believed."""
    refund = await lock(tx, refund_id=sending.refund.id)
    if refund.state != "approved":
        return
    if fate in {Fate.DONE, Fate.REFUSED, Fate.LATER}:
        await tx.execute("DELETE FROM refund_sends WHERE refund_id = $1", refund.id)
    match fate:
        case Fate.DONE:
            await refunds.complete(tx, refund=refund, actor="provider", now=now)
        case Fate.REFUSED:
            await refunds.take_back(tx, refund=refund, reply=reply)
        case Fate.LATER:
            await refunds.put_off(tx, refund=refund, send_from=again_at or now + FIRST_WAIT)
        case Fate.UNKNOWN | Fate.STUCK:
            wait = min(FIRST_WAIT * 2 ** min(sending.sends, 10), LONGEST_WAIT)
            await tx.execute(
                "UPDATE refund_sends SET state = $2, due_at = $3, reply = $4 WHERE refund_id = $1",
                refund.id,
                str(fate),
                now + wait,
                reply,
            )
            await audit.record(tx, [_line(f"refund_{fate}", refund, reply=reply)])


async def settle_stuck(
    tx: Tx, *, refund_id: UUID, happened: bool, actor: UUID, now: datetime
) -> None:
    """Record what a person found out about a refund at a provider that cannot be asked."""
    refund = await lock(tx, refund_id=refund_id)
    found = await tx.fetchval(
        "DELETE FROM refund_sends WHERE refund_id = $1 AND state = 'stuck' RETURNING true",
        refund_id,
    )
    if not found:
        raise AlreadyDone
    line = audit.Line(str(actor), "refund_looked_up", f"refund {refund_id}", {"happened": happened})
    await audit.record(tx, [line])
    if happened:
        await refunds.complete(tx, refund=refund, actor=str(actor), now=now)
    else:
        await refunds.take_back(tx, refund=refund, reply="looked up: it did not happen")


async def list_states(tx: Tx) -> dict[UUID, str]:
    """Refunds under way, and how each stands: sending, unknown or stuck."""
    rows = await tx.fetch("SELECT refund_id, state FROM refund_sends")
    return {row["refund_id"]: row["state"] for row in rows}


def _line(act: str, refund: Refund, **details: object) -> audit.Line:
    facts = {"amount_twd": refund.amount_twd, "trade_number": refund.trade_number, **details}
    return audit.Line("job", act, f"refund {refund.id}", facts)
