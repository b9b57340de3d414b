"""Entries: who sits an exam, with ID number and secret number. Sole writer of the `entries` table.

Whatever changes here is published at once and in the same transaction; see docs/decisions/0016.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.enrollment import references
from shared import audit, entry_numbers, outbox
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.enrollment import EntryRecorded
from shared.ids import new_id
from shared.vault import Vault

# Six digits and three letters, like 937803WLC. An I or an O would be taken for a digit.
DIGITS, LETTERS = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ"


class EntryCancelled(Refused):
    """This entry was cancelled. Take that back first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who sits an exam."""

    id: UUID
    id_number: str
    sitting: str
    centre: str | None
    candidate_number: str
    registration_id: UUID | None
    person_name: str
    latin_name: str | None
    birth_date: date
    dialect: str | None
    internal_id: str | None
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate as the list of a centre has them."""

    candidate_number: str
    person_name: str
    latin_name: str | None
    birth_date: date
    internal_id: str | None


@dataclass(frozen=True, slots=True)
class _Secrets:
    id_number: str
    sealed: bytes
    digest: str


COLUMNS = ", ".join(field.name for field in fields(Entry))

# What everybody is told of an entry. Published at each change, and never older than before.
TOLD = """
SELECT entries.id AS entry_id, id_number, secret_digest, sittings.programme, zone,
       sittings.level_group AS exam, level_groups.titles AS exam_titles,
       sitting, sittings.titles AS sitting_titles, exam_date, results_at,
       person_name, latin_name, birth_date, dialect, candidate_number,
       centre AS centre_number, centres.name AS centre_name,
       account_id, registration_id, is_cancelled, recorded_at
  FROM entries
  JOIN sittings ON sittings.code = sitting
  JOIN level_groups ON (level_groups.programme, level_groups.code)
                     = (sittings.programme, sittings.level_group)
  JOIN programmes ON programmes.code = sittings.programme
  LEFT JOIN centres ON centres.number = centre
 WHERE entries.id = ANY($1::uuid[])
"""
# The clocks of two processes differ, and the last change must be the one that counts.
LATER = "GREATEST($1, recorded_at + interval '1 microsecond')"


def read_row(row: Row) -> Entry:
    return Entry(**{field.name: row[field.name] for field in fields(Entry)})


async def enter_registrations(
    tx: Tx, *, registration_ids: Sequence[UUID], vault: Vault, now: datetime
) -> None:
    """Enter everybody whose registration was confirmed."""
    rows = await tx.fetch(
        """
        SELECT id AS registration_id, account_id, number, sitting, person_name, latin_name,
               birth_date, dialect
          FROM registrations WHERE id = ANY($1::uuid[]) AND state = 'confirmed'
        """,
        registration_ids,
    )
    known = [{**row, "candidate_number": references.write(row["number"])} for row in rows]
    await _tell(tx, await _insert(tx, known, vault=vault, now=now))


async def change_list(
    tx: Tx,
    *,
    centre: str,
    sitting: str,
    added: Sequence[Person],
    changed: Mapping[UUID, Person],
    vault: Vault,
    now: datetime,
) -> None:
    """Enter new candidates of a centre, and correct those it has entered before."""
    rows = [
        {
            "sitting": sitting,
            "centre": centre,
            "candidate_number": person.candidate_number,
            "person_name": person.person_name,
            "latin_name": person.latin_name,
            "birth_date": person.birth_date,
            "internal_id": person.internal_id,
        }
        for person in added
    ]
    ids = await _insert(tx, rows, vault=vault, now=now)
    await tx.execute(
        f"""
        UPDATE entries
           SET person_name = said.person_name, latin_name = said.latin_name,
               birth_date = said.birth_date, internal_id = said.internal_id,
               recorded_at = {LATER}
          FROM unnest($2::uuid[], $3::text[], $4::text[], $5::date[], $6::text[])
               AS said (id, person_name, latin_name, birth_date, internal_id)
         WHERE entries.id = said.id
        """,  # noqa: S608
        now,
        list(changed),
        [person.person_name for person in changed.values()],
        [person.latin_name for person in changed.values()],
        [person.birth_date for person in changed.values()],
        [person.internal_id for person in changed.values()],
    )
    await _tell(tx, [*ids, *changed])


async def renew_secret(tx: Tx, *, entry: Entry, vault: Vault, actor: str, now: datetime) -> None:
    """Make another secret number; the one there was stops."""
    if entry.is_cancelled:
        raise EntryCancelled
    done = None
    while done is None:  # once in ten thousand times the number that is drawn is the old one
        fresh = _seal(vault, entry.id_number)
        done = await tx.fetchval(
            f"""
            UPDATE entries SET secret_number = $2, secret_digest = $3, recorded_at = {LATER}
             WHERE id = $4 AND secret_digest <> $3
            RETURNING id
            """,  # noqa: S608
            now,
            fresh.sealed,
            fresh.digest,
            entry.id,
        )
    await _tell(tx, [entry.id])
    await audit.record(tx, [Line(actor, "entry_secret_renewed", f"entry {entry.id}", {})])


async def set_cancelled(
    tx: Tx, *, entry: Entry, is_cancelled: bool, actor: str, now: datetime
) -> None:
    """Take a centre's entry back, or take that back."""
    done = await tx.fetchval(
        f"""
        UPDATE entries SET is_cancelled = $2, recorded_at = {LATER}
         WHERE id = $3 AND is_cancelled <> $2 AND centre IS NOT NULL
        RETURNING id
        """,  # noqa: S608
        now,
        is_cancelled,
        entry.id,
    )
    if done is not None:  # a second click finds it done
        await _tell(tx, [entry.id])
        act = "entry_cancelled" if is_cancelled else "entry_restored"
        await audit.record(tx, [Line(actor, act, f"entry {entry.id}", {})])


async def cancel_registrations(tx: Tx, *, registration_ids: Sequence[UUID], now: datetime) -> None:
    """Cancel the entries of registrations that became void."""
    rows = await tx.fetch(
        f"""
        UPDATE entries SET is_cancelled = true, recorded_at = {LATER}
         WHERE registration_id = ANY($2::uuid[]) AND NOT is_cancelled
        RETURNING id
        """,  # noqa: S608
        now,
        registration_ids,
    )
    await _tell(tx, [row["id"] for row in rows])


async def tell_again(
    tx: Tx, *, now: datetime, sitting: str | None = None, centre: str | None = None
) -> None:
    """Publish entries again, since what is told of their sitting or their centre changed."""
    rows = await tx.fetch(
        f"""
        UPDATE entries SET recorded_at = {LATER}
         WHERE ($2::text IS NULL OR sitting = $2) AND ($3::text IS NULL OR centre = $3)
        RETURNING id
        """,  # noqa: S608
        now,
        sitting,
        centre,
    )
    await _tell(tx, [row["id"] for row in rows])


async def _insert(
    tx: Tx, rows: Sequence[Mapping[str, Any]], *, vault: Vault, now: datetime
) -> list[UUID]:
    """Write new entries, all in one statement, and again those whose ID number was taken."""
    waiting = {new_id(now): row for row in rows}
    ids = list(waiting)
    while waiting:
        made = await asyncio.to_thread(_make, vault, len(waiting))
        names = (
            "sitting", "centre", "candidate_number", "registration_id", "account_id",
            "person_name", "latin_name", "birth_date", "dialect", "internal_id",
        )  # fmt: skip
        written = await tx.fetch(
            """
            INSERT INTO entries (id, id_number, secret_number, secret_digest, sitting, centre,
                                 candidate_number, registration_id, account_id, person_name,
                                 latin_name, birth_date, dialect, internal_id, recorded_at)
            SELECT *, $15 FROM unnest(
                $1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::uuid[], $9::uuid[], $10::text[],
                $11::text[], $12::date[], $13::text[], $14::text[])
            ON CONFLICT (id_number) DO NOTHING
            RETURNING id
            """,
            list(waiting),
            [one.id_number for one in made],
            [one.sealed for one in made],
            [one.digest for one in made],
            *([row.get(name) for row in waiting.values()] for name in names),
            now,
        )
        for row in written:
            del waiting[row["id"]]
    return ids


def draw_id_number() -> str:
    """Draw one of 13,824,000,000: nobody finds others' by trying."""
    digits = (secrets.choice(DIGITS) for _ in range(6))
    return "".join([*digits, *(secrets.choice(LETTERS) for _ in range(3))])


def _make(vault: Vault, count: int) -> list[_Secrets]:
    return [_seal(vault, draw_id_number()) for _ in range(count)]


def _seal(vault: Vault, id_number: str) -> _Secrets:
    number = f"{secrets.randbelow(10_000):04}"
    return _Secrets(
        id_number,
        vault.encrypt(number.encode(), purpose=entry_numbers.PURPOSE),
        entry_numbers.digest(vault, id_number=id_number, secret_number=number),
    )


async def _tell(tx: Tx, ids: Sequence[UUID]) -> None:
    if ids:
        rows = await tx.fetch(TOLD, ids)
        await outbox.publish(tx, [EntryRecorded(**row) for row in rows])
