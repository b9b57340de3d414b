"""Exam centres, and who enters candidates for them. Sole writer of `centres` and `centre_staff`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.enrollment.changes import ChangedMeanwhile, CodeTaken, find_differences
from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import NoSuchPage

COLUMNS = "number, name, venue, venue_address, edited_at"


@dataclass(frozen=True, slots=True)
class Centre:
    """A place that enters candidates and holds their exams."""

    number: str  # such as TW940
    name: str
    venue: str
    venue_address: str
    edited_at: datetime = field(compare=False)


async def list_(tx: Tx) -> list[Centre]:
    rows = await tx.fetch(f"SELECT {COLUMNS} FROM centres ORDER BY number")  # noqa: S608
    return [Centre(**row) for row in rows]


async def list_own(tx: Tx, *, account_id: UUID) -> list[Centre]:
    """List those for which somebody enters candidates."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM centres
         WHERE number IN (SELECT centre FROM centre_staff
                            JOIN contacts ON lower(contacts.email) = centre_staff.email
                           WHERE account_id = $1)
         ORDER BY number
        """,  # noqa: S608
        account_id,
    )
    return [Centre(**row) for row in rows]


async def load(tx: Tx, *, number: str) -> Centre:
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM centres WHERE number = $1", number)  # noqa: S608
    if row is None:
        raise NoSuchPage
    return Centre(**row)


async def load_own(tx: Tx, *, number: str, account_id: UUID) -> Centre:
    """Load a centre for one of its staff; others' do not exist for them."""
    own = await list_own(tx, account_id=account_id)
    centre = next((one for one in own if one.number == number), None)
    if centre is None:
        raise NoSuchPage
    return centre


async def lock(tx: Tx, *, number: str) -> None:
    """Let one at a time change what a centre has entered."""
    await tx.execute("SELECT FROM centres WHERE number = $1 FOR NO KEY UPDATE", number)


async def add(tx: Tx, *, centre: Centre, actor: str) -> None:
    added = await tx.fetchval(
        """
        INSERT INTO centres (number, name, venue, venue_address, edited_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING RETURNING number
        """,
        centre.number,
        centre.name,
        centre.venue,
        centre.venue_address,
        centre.edited_at,
    )
    if added is None:
        raise CodeTaken
    await audit.record(tx, [Line(actor, "centre_added", f"centre {centre.number}", {})])


async def change(tx: Tx, *, old: Centre, new: Centre, actor: str) -> None:
    """Write what is new, unless somebody has changed it since `old` was read."""
    written = await tx.fetchval(
        """
        UPDATE centres SET name = $2, venue = $3, venue_address = $4, edited_at = $5
         WHERE number = $1 AND edited_at = $6
        RETURNING number
        """,
        new.number,
        new.name,
        new.venue,
        new.venue_address,
        new.edited_at,
        old.edited_at,
    )
    if written is None:
        raise ChangedMeanwhile
    changed = find_differences(old, new)
    await audit.record(tx, [Line(actor, "centre_changed", f"centre {new.number}", changed)])


async def list_staff(tx: Tx, *, number: str) -> Sequence[str]:
    """List the e-mail addresses of those who enter its candidates."""
    rows = await tx.fetch("SELECT email FROM centre_staff WHERE centre = $1 ORDER BY email", number)
    return [row["email"] for row in rows]


async def admit(tx: Tx, *, number: str, email: str, actor: str) -> None:
    """Let whoever has this address, now or later, enter its candidates."""
    admitted = await tx.fetchval(
        """
        INSERT INTO centre_staff (centre, email) VALUES ($1, lower($2))
        ON CONFLICT DO NOTHING RETURNING centre
        """,
        number,
        email,
    )
    if admitted is not None:
        await _record_staff(tx, actor, "centre_staff_admitted", number, email)


async def dismiss(tx: Tx, *, number: str, email: str, actor: str) -> None:
    """Let somebody enter its candidates no more."""
    dismissed = await tx.fetchval(
        "DELETE FROM centre_staff WHERE centre = $1 AND email = lower($2) RETURNING centre",
        number,
        email,
    )
    if dismissed is not None:
        await _record_staff(tx, actor, "centre_staff_dismissed", number, email)


async def _record_staff(tx: Tx, actor: str, act: str, number: str, email: str) -> None:
    """Say whose address it was by the account, where it is known: addresses are personal."""
    accounts = await tx.fetch(
        "SELECT account_id FROM contacts WHERE lower(email) = lower($1)", email
    )
    details = {"accounts": [str(row["account_id"]) for row in accounts]}
    await audit.record(tx, [Line(actor, act, f"centre {number}", details)])
