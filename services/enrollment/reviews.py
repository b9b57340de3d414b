"""Reviews: who has which registration before them. Sole writer of the `reviews` table.

Whoever takes a registration has it alone for a while, and longer when they ask again. Once the
while is over a colleague may take it; until one does, it can still be decided.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.enrollment.registrations.deciding import NotWaiting
from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import Refused

TAKEN_FOR = timedelta(minutes=20)
# Colleagues may take the one we were about to, so many times in a row before we give up.
TRIES = 5


class TakenByColleague(Refused):
    """A colleague is reviewing this registration. Take another one, or wait until it is free."""


class NotTaken(Refused):
    """You do not have this registration any more: a colleague took it. Nothing was decided."""


class NothingWaits(Refused):
    """No registration waits for you here: all are decided, or colleagues are at them."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A member of staff who reviews."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Review:
    """Somebody has a registration before them."""

    registration_id: UUID
    reviewer: UUID
    name: str
    taken_until: datetime


async def find(tx: Tx, *, registration_id: UUID, now: datetime) -> Review | None:
    """Find who has a registration now."""
    row = await tx.fetchrow(
        """
        SELECT registration_id, reviewer, name, taken_until FROM reviews
         WHERE registration_id = $1 AND taken_until > $2
        """,
        registration_id,
        now,
    )
    return Review(**row) if row else None


async def take(tx: Tx, *, registration_id: UUID, reviewer: Reviewer, now: datetime) -> Review:
    """Take a registration that waits, or keep one that was taken for longer."""
    row = await tx.fetchrow(
        """
        INSERT INTO reviews AS held (registration_id, reviewer, name, taken_until)
        SELECT id, $2::uuid, $3::text, $4::timestamptz
          FROM registrations WHERE id = $1 AND state = 'in_review'
        ON CONFLICT (registration_id) DO UPDATE
           SET reviewer = EXCLUDED.reviewer, name = EXCLUDED.name,
               taken_until = EXCLUDED.taken_until
         WHERE held.reviewer = EXCLUDED.reviewer OR held.taken_until <= $5
        RETURNING registration_id, reviewer, name, taken_until
        """,
        registration_id,
        reviewer.id,
        reviewer.name,
        now + TAKEN_FOR,
        now,
    )
    if row is None:
        held = await find(tx, registration_id=registration_id, now=now)
        raise TakenByColleague if held else NotWaiting
    await _record(tx, reviewer, "review_taken", registration_id)
    return Review(**row)


async def take_next(tx: Tx, *, sitting: str, area: str, reviewer: Reviewer, now: datetime) -> UUID:
    """Take what has waited longest and nobody has; an empty sitting or area means any."""
    for _ in range(TRIES):
        row = await tx.fetchrow(
            """
            WITH next AS (
                SELECT id FROM registrations
                 WHERE state = 'in_review'
                   AND ($1 = '' OR sitting = $1) AND ($2 = '' OR area = $2)
                   AND NOT EXISTS (SELECT FROM reviews
                                    WHERE registration_id = id AND taken_until > $6)
                 ORDER BY waiting_since, number
                 LIMIT 1
                   FOR UPDATE SKIP LOCKED
            ), taken AS (
                INSERT INTO reviews AS held (registration_id, reviewer, name, taken_until)
                SELECT id, $3::uuid, $4::text, $5::timestamptz FROM next
                ON CONFLICT (registration_id) DO UPDATE
                   SET reviewer = EXCLUDED.reviewer, name = EXCLUDED.name,
                       taken_until = EXCLUDED.taken_until
                 WHERE held.taken_until <= $6
                RETURNING registration_id
            )
            SELECT id, registration_id AS taken FROM next LEFT JOIN taken ON registration_id = id
            """,
            sitting,
            area,
            reviewer.id,
            reviewer.name,
            now + TAKEN_FOR,
            now,
        )
        if row is None:
            break
        if row["taken"] is None:
            continue  # a colleague's taking was committed between our looking and our writing
        taken: UUID = row["taken"]
        await _record(tx, reviewer, "review_taken", taken)
        return taken
    raise NothingWaits


async def finish(tx: Tx, *, registration_id: UUID, reviewer: UUID) -> None:
    """Put a registration out of one's hands, in the transaction in which it is decided."""
    held = await tx.fetchval(
        "DELETE FROM reviews WHERE registration_id = $1 AND reviewer = $2 RETURNING reviewer",
        registration_id,
        reviewer,
    )
    if held is None:
        waits = await tx.fetchval(
            "SELECT state = 'in_review' FROM registrations WHERE id = $1", registration_id
        )
        raise NotTaken if waits else NotWaiting


async def release(tx: Tx, *, registration_id: UUID, reviewer: Reviewer) -> None:
    """Give a registration back undecided. A second click finds it given back."""
    held = await tx.fetchval(
        "DELETE FROM reviews WHERE registration_id = $1 AND reviewer = $2 RETURNING reviewer",
        registration_id,
        reviewer.id,
    )
    if held is not None:
        await _record(tx, reviewer, "review_released", registration_id)


async def _record(tx: Tx, reviewer: Reviewer, act: str, registration_id: UUID) -> None:
    subject = f"registration {registration_id}"
    await audit.record(tx, [Line(str(reviewer.id), act, subject, {})])
