"""Paying: what payments' news makes of registrations, in whatever order it arrives."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.enrollment import places
from services.enrollment.registrations import about, refunds
from shared import outbox
from shared.db import Row, Tx
from shared.events.enrollment import RegistrationLapsed


async def pay(tx: Tx, *, paid: Mapping[UUID, datetime]) -> None:
    """Note when each was paid, once, and let registrars have those that waited for it.

    Somebody who paid in time keeps the place even when we were told so late that it had lapsed,
    if it is still there; otherwise the money goes back.
    """
    rows = await tx.fetch(
        """
        UPDATE registrations
           SET paid_at = payment.paid_at,
               state = CASE state WHEN 'awaiting_payment' THEN 'in_review' ELSE state END,
               waiting_since = CASE state WHEN 'awaiting_payment' THEN payment.paid_at
                                          ELSE waiting_since END
          FROM unnest($1::uuid[], $2::timestamptz[]) AS payment (id, paid_at), sittings
         WHERE registrations.id = payment.id AND registrations.paid_at IS NULL
           AND sittings.code = sitting
        RETURNING registrations.id, registrations.number, account_id, sitting, area, state,
                  ended_why, registrations.paid_at, sittings.titles
        """,
        list(paid),
        list(paid.values()),
    )
    # One by one: this happens to a handful of people in a year.
    for row in rows:
        if row["state"] == "lapsed" and not await _revive(tx, row):
            await refunds.owe(tx, [row], reason="place_gone", less_twd=0, due_at=row["paid_at"])
        elif row["state"] in {"void", "withdrawn"}:
            await refunds.owe(
                tx,
                [row],
                reason="review_failed",
                less_twd=refunds.KEPT_TWD,
                due_at=row["paid_at"],
            )


async def _revive(tx: Tx, row: Row) -> bool:
    """Take the place again, unless others have it or the person took another meanwhile."""
    revived = await tx.fetchval(
        """
        UPDATE registrations AS late
           SET state = 'in_review', waiting_since = paid_at, ended_at = NULL, ended_why = NULL
         WHERE id = $1 AND ended_why = 'not_paid'
           AND NOT EXISTS (
               SELECT FROM registrations AS other
                WHERE other.state NOT IN ('lapsed', 'void', 'withdrawn')
                  AND (other.sitting = late.sitting OR other.one_of = late.one_of)
                  AND (other.account_id = late.account_id OR other.person = late.person))
        RETURNING id
        """,
        row["id"],
    )
    if revived is None:
        return False
    room = (row["sitting"], row["area"])
    granted = await places.take(tx, wanted={room: 1})
    if granted[room]:
        return True
    await tx.execute(
        """
        UPDATE registrations
           SET state = 'lapsed', ended_at = pay_by, ended_why = 'not_paid', waiting_since = NULL
         WHERE id = $1
        """,
        row["id"],
    )
    return False


async def lapse(tx: Tx, *, lapsed: Mapping[UUID, datetime]) -> None:
    """End those that were not paid in time. What was paid after all stays."""
    rows = await tx.fetch(
        """
        UPDATE registrations
           SET state = 'lapsed', ended_at = lapse.at, ended_why = 'not_paid'
          FROM unnest($1::uuid[], $2::timestamptz[]) AS lapse (id, at), sittings
         WHERE registrations.id = lapse.id AND state = 'awaiting_payment'
           AND sittings.code = sitting
        RETURNING registrations.id, registrations.number, account_id, sitting, area, ended_at,
                  sittings.titles
        """,
        list(lapsed),
        list(lapsed.values()),
    )
    await outbox.publish(
        tx,
        [
            RegistrationLapsed(**about(row), why="not_paid", lapsed_at=row["ended_at"])
            for row in rows
        ],
    )
    await places.give_back(tx, rooms=[(row["sitting"], row["area"]) for row in rows])
