"""Registrations as staff look at them: searched, counted, the queue for review. Writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.enrollment import references
from services.enrollment.registrations import (
    COLUMNS,
    OWN_COLUMNS,
    Registration,
    read_row,
)
from shared.db import Tx
from shared.i18n import mark

# In the order of a registration's life, as staff call them.
STATES = {
    "drafting": mark("being filled in"),
    "awaiting_payment": mark("waiting for payment"),
    "in_review": mark("waiting for review"),
    "returned": mark("returned to the candidate"),
    "confirmed": mark("confirmed"),
    "absent": mark("absent"),
    "lapsed": mark("lapsed"),
    "void": mark("void"),
    "withdrawn": mark("withdrawn"),
}
# A file somebody opens in a spreadsheet; more than this is asked for in parts.
LONGEST_EXPORT = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody searches for; what is empty does not matter."""

    sitting: str = ""
    area: str = ""
    state: str = ""


async def search(
    tx: Tx, *, wanted: Wanted, limit: int, after: int | None = None
) -> list[Registration]:
    """Find registrations, newest first, those after the number that was shown last."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM registrations
         WHERE ($1 = '' OR sitting = $1) AND ($2 = '' OR area = $2) AND ($3 = '' OR state = $3)
           AND ($4::bigint IS NULL OR number < $4)
         ORDER BY number DESC
         LIMIT $5
        """,  # noqa: S608
        wanted.sitting,
        wanted.area,
        wanted.state,
        after,
        limit,
    )
    return [read_row(row) for row in rows]


async def find(tx: Tx, *, reference: str) -> Registration | None:
    """Find the one whose reference number somebody typed."""
    number = references.read(reference)
    if number is None:
        return None
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM registrations WHERE number = $1", number)  # noqa: S608
    return read_row(row) if row else None


async def find_of_person(tx: Tx, *, person: bytes) -> Registration | None:
    """Find what a person holds, the newest first; its page leads to the others."""
    row = await tx.fetchrow(
        f"""
        SELECT {OWN_COLUMNS} FROM sittings JOIN registrations
            ON registrations.sitting = sittings.code AND person = $1
           AND state NOT IN ('lapsed', 'void', 'withdrawn')
         ORDER BY number DESC LIMIT 1
        """,  # noqa: S608
        person,
    )
    return read_row(row) if row else None


async def list_related(tx: Tx, *, registration: Registration) -> list[Registration]:
    """List the others of the same account, and those that the same person holds, newest first.

    Sitting by sitting, as the indexes are made for claims; see registrations.list_own.
    """
    rows = await tx.fetch(
        f"""
        SELECT {OWN_COLUMNS} FROM sittings JOIN registrations
            ON registrations.sitting = sittings.code AND account_id = $2
           AND state NOT IN ('lapsed', 'void', 'withdrawn')
         UNION
        SELECT {OWN_COLUMNS} FROM sittings JOIN registrations
            ON registrations.sitting = sittings.code
           AND person = (SELECT person FROM registrations WHERE id = $1)
           AND state NOT IN ('lapsed', 'void', 'withdrawn')
         UNION
        SELECT {OWN_COLUMNS} FROM registrations
         WHERE account_id = $2 AND state IN ('lapsed', 'void', 'withdrawn')
         ORDER BY number DESC
        """,  # noqa: S608
        registration.id,
        registration.account_id,
    )
    return [found for row in rows if (found := read_row(row)).id != registration.id]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A registration in the queue, and who is at it."""

    id: UUID
    number: int
    sitting: str
    area: str
    waiting_since: datetime
    reviewer: UUID | None
    name: str | None  # the reviewer's

    @property
    def reference(self) -> str:
        return references.write(self.number)

    @property
    def place(self) -> "PlaceInQueue":
        return self.waiting_since, self.number


# Where the next page of the queue begins, though what stood there may be decided by then.
PlaceInQueue: TypeAlias = tuple[datetime, int]


async def list_queue(
    tx: Tx,
    *,
    wanted: Wanted,
    waiting_before: datetime,
    now: datetime,
    limit: int,
    after: PlaceInQueue | None = None,
) -> list[Waiting]:
    """List what has waited for a decision since some time, the longest first."""
    rows = await tx.fetch(
        """
        SELECT id, number, sitting, area, waiting_since, reviewer, name
          FROM registrations
          LEFT JOIN reviews ON registration_id = id AND taken_until > $4
         WHERE state = 'in_review' AND waiting_since <= $3
           AND ($1 = '' OR sitting = $1) AND ($2 = '' OR area = $2)
           AND ($5::timestamptz IS NULL OR (waiting_since, number) > ($5, $6::bigint))
         ORDER BY waiting_since, number
         LIMIT $7
        """,
        wanted.sitting,
        wanted.area,
        waiting_before,
        now,
        *(after or (None, None)),
        limit,
    )
    return [Waiting(**row) for row in rows]


async def count_queue(tx: Tx) -> int:
    count: int = await tx.fetchval("SELECT count(*) FROM registrations WHERE state = 'in_review'")
    return count
