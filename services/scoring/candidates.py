"""Everybody who sits an exam, as enrollment tells. Sole writer of `candidates`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.enrollment import EntryRecorded

COLUMNS = (
    "entry_id, sitting, id_number, secret_digest, person_name, latin_name, birth_date, dialect,"
    " candidate_number, centre_number, centre_name, account_id, registration_id, is_cancelled"
)


class NoSuchCandidate(Refused):
    """There is no such candidate."""

    status = 404


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody entered for a sitting."""

    entry_id: UUID
    sitting: str
    id_number: str
    secret_digest: str
    person_name: str
    latin_name: str | None
    birth_date: date
    dialect: str | None
    candidate_number: str
    centre_number: str | None
    centre_name: str | None
    account_id: UUID | None
    registration_id: UUID | None
    is_cancelled: bool


def read(row: Row) -> Candidate:
    return Candidate(**{name: row[name] for name in Candidate.__slots__})


async def note(tx: Tx, *, recorded: Sequence[EntryRecorded]) -> list[UUID]:
    """Take over the newest news of each entry, in whatever order it comes. Return those that were
    cancelled until now, and count again."""
    newest = {e.entry_id: e for e in sorted(recorded, key=lambda e: e.recorded_at)}
    told = [newest[entry_id] for entry_id in sorted(newest)]
    columns = [
        [getattr(event, name) for event in told] for name in (*COLUMNS.split(", "), "recorded_at")
    ]
    # Locked, so that a cancellation that is just being written is seen.
    cancelled = await tx.fetch(
        """
        SELECT entry_id FROM candidates
         WHERE entry_id = ANY($1::uuid[]) AND is_cancelled ORDER BY entry_id FOR UPDATE
        """,
        columns[0],
    )
    changed = await tx.fetch(
        f"""
        INSERT INTO candidates AS known ({COLUMNS}, recorded_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[],
                             $6::text[], $7::date[], $8::text[], $9::text[], $10::text[],
                             $11::text[], $12::uuid[], $13::uuid[], $14::boolean[],
                             $15::timestamptz[])
        ON CONFLICT (entry_id) DO UPDATE
           SET sitting = EXCLUDED.sitting, id_number = EXCLUDED.id_number,
               secret_digest = EXCLUDED.secret_digest, person_name = EXCLUDED.person_name,
               latin_name = EXCLUDED.latin_name, birth_date = EXCLUDED.birth_date,
               dialect = EXCLUDED.dialect, candidate_number = EXCLUDED.candidate_number,
               centre_number = EXCLUDED.centre_number, centre_name = EXCLUDED.centre_name,
               account_id = EXCLUDED.account_id, registration_id = EXCLUDED.registration_id,
               is_cancelled = EXCLUDED.is_cancelled, recorded_at = EXCLUDED.recorded_at
         WHERE known.recorded_at < EXCLUDED.recorded_at
        RETURNING entry_id, is_cancelled
        """,  # noqa: S608 (a constant)
        *columns,
    )
    hidden = {row["entry_id"] for row in cancelled}
    return [
        row["entry_id"] for row in changed if row["entry_id"] in hidden and not row["is_cancelled"]
    ]


async def load(tx: Tx, *, entry_id: UUID) -> Candidate:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM candidates WHERE entry_id = $1",  # noqa: S608 (a constant)
        entry_id,
    )
    if row is None:
        raise NoSuchCandidate
    return read(row)


async def list_(tx: Tx, *, sitting: str) -> list[Candidate]:
    """Everybody entered for a sitting, also those whose entry was cancelled."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM candidates WHERE sitting = $1 ORDER BY candidate_number, entry_id
        """,  # noqa: S608 (a constant)
        sitting,
    )
    return [read(row) for row in rows]


async def list_these(tx: Tx, *, entry_ids: Sequence[UUID]) -> list[Candidate]:
    """The candidates of some entries, in the order of those."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM candidates WHERE entry_id = ANY($1::uuid[]) ORDER BY entry_id
        """,  # noqa: S608 (a constant)
        entry_ids,
    )
    return [read(row) for row in rows]


async def search(tx: Tx, *, sitting: str, text: str, limit: int) -> list[Candidate]:
    """Find candidates of a sitting by a number or a part of a name; all of them by nothing."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM candidates
         WHERE sitting = $1
           AND ($2 = '' OR id_number = upper($2) OR candidate_number ILIKE $2
                OR strpos(lower(person_name), lower($2)) > 0
                OR strpos(lower(latin_name), lower($2)) > 0)
         ORDER BY candidate_number, entry_id
         LIMIT $3
        """,  # noqa: S608 (a constant)
        sitting,
        text,
        limit,
    )
    return [read(row) for row in rows]
