"""The event the benchmarks of messages carry, as large as the real ones, and where it ends up."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

from shared.db import Tx
from shared.events import Event

HANDLED = """
CREATE TABLE handled (
    registration_id uuid        PRIMARY KEY,
    sitting_id      uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    fee_twd         integer     NOT NULL,
    submitted_at    timestamptz NOT NULL,
    pay_by          timestamptz NOT NULL
)
"""


class RegistrationSubmitted(Event):
    """A candidate holds a place until the payment deadline."""

    name: ClassVar[str] = "bench.registration_submitted.v1"

    registration_id: UUID
    sitting_id: UUID
    account_id: UUID
    fee_twd: int
    submitted_at: datetime
    pay_by: datetime


def make(count: int) -> list[RegistrationSubmitted]:
    sitting_id, now = uuid4(), datetime.now(UTC)
    return [
        RegistrationSubmitted(
            registration_id=uuid4(),
            sitting_id=sitting_id,
            account_id=uuid4(),
            fee_twd=2_400,
            submitted_at=now + timedelta(microseconds=number),
            pay_by=now + timedelta(days=3),
        )
        for number in range(count)
    ]


async def on_registration_submitted(tx: Tx, events: list[RegistrationSubmitted]) -> None:
    await tx.execute(
        """
        INSERT INTO handled
               (registration_id, sitting_id, account_id, fee_twd, submitted_at, pay_by)
        SELECT * FROM unnest(
               $1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[], $6::timestamptz[])
        """,
        [event.registration_id for event in events],
        [event.sitting_id for event in events],
        [event.account_id for event in events],
        [event.fee_twd for event in events],
        [event.submitted_at for event in events],
        [event.pay_by for event in events],
    )
