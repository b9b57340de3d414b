"""Registrations: from the claim of a place to a confirmed candidate.

This folder is the sole writer of the `registrations` table, one module for each turn of its life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.enrollment import references
from shared.db import Row, Tx
from shared.errors import Refused

# States in which a place is given up; in all others it is held.
ENDED = ("lapsed", "void", "withdrawn")


class NoSuchRegistration(Refused):
    """There is no such registration in your account."""

    status = 404


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration as it stands, with what is told of its sitting."""

    id: UUID
    number: int
    account_id: UUID
    sitting: str
    area: str
    state: str
    claimed_at: datetime
    submit_by: datetime
    submitted_at: datetime | None
    dialect: str | None
    person_name: str | None
    latin_name: str | None
    birth_date: date | None
    fee_twd: int | None
    pay_by: datetime | None
    paid_at: datetime | None
    waiting_since: datetime | None
    fix_by: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None

    @property
    def reference(self) -> str:
        return references.write(self.number)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


COLUMNS = ", ".join(field.name for field in fields(Registration))
# Qualified, for a statement that joins sittings.
OWN_COLUMNS = ", ".join(f"registrations.{field.name}" for field in fields(Registration))


def read_row(row: Row) -> Registration:
    return Registration(**{field.name: row[field.name] for field in fields(Registration)})


def about(row: Row | Mapping[str, Any]) -> dict[str, Any]:
    """Say what every event about a registration says, from a row that has its sitting's titles."""
    return {
        "registration_id": row["id"],
        "account_id": row["account_id"],
        "reference": references.write(row["number"]),
        "sitting": row["sitting"],
        "sitting_titles": row["titles"],
    }


async def load_own(tx: Tx, *, registration_id: UUID, account_id: UUID) -> Registration:
    """Load one of an account's registrations; others' do not exist for it."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM registrations WHERE id = $1 AND account_id = $2",  # noqa: S608
        registration_id,
        account_id,
    )
    if row is None:
        raise NoSuchRegistration
    return read_row(row)


async def load(tx: Tx, *, registration_id: UUID) -> Registration:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM registrations WHERE id = $1",  # noqa: S608
        registration_id,
    )
    if row is None:
        raise NoSuchRegistration
    return read_row(row)


async def list_own(tx: Tx, *, account_id: UUID) -> Sequence[Registration]:
    """List an account's registrations, the newest first.

    Those that hold a place are looked up sitting by sitting: there are few of those, and an index
    by account alone would cost every claim of a midnight a page of its own.
    """
    rows = await tx.fetch(
        f"""
        SELECT {OWN_COLUMNS} FROM sittings JOIN registrations
            ON registrations.sitting = sittings.code AND account_id = $1
           AND state NOT IN ('lapsed', 'void', 'withdrawn')
         UNION ALL
        SELECT {COLUMNS} FROM registrations
         WHERE account_id = $1 AND state IN ('lapsed', 'void', 'withdrawn')
         ORDER BY claimed_at DESC, number DESC
        """,  # noqa: S608
        account_id,
    )
    return [read_row(row) for row in rows]
