"""Refunds: telling payments that money has to go back. What was paid, payments knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import uuid5

from services.enrollment.registrations import about
from shared import outbox
from shared.db import Row, Tx
from shared.events.enrollment import RefundDue

# Postage and handling, which the organiser keeps.
KEPT_TWD = 58


async def owe(
    tx: Tx,
    rows: Sequence[Row],
    *,
    reason: Literal["review_failed", "place_gone"],
    less_twd: int,
    due_at: datetime,
) -> None:
    """Say it once: the refund of one registration for one reason always has the same id."""
    await outbox.publish(
        tx,
        [
            RefundDue(
                **about(row),
                refund_id=uuid5(row["id"], reason),
                reason=reason,
                less_twd=less_twd,
                due_at=due_at,
            )
            for row in rows
        ],
    )
