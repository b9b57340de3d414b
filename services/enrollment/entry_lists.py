"""Entries as centres and candidates look at them: searched, counted, with their secret numbers."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.enrollment.entries import COLUMNS, Entry, read_row
from shared import entry_numbers
from shared.db import Tx
from shared.errors import Refused
from shared.vault import Vault


class NoSuchEntry(Refused):
    """There is no such entry of this centre and sitting."""

    status = 404


@dataclass(frozen=True, slots=True)
class Count:
    """How many a centre has entered for a sitting."""

    entered: int
    cancelled: int


async def count(tx: Tx, *, centre: str) -> Mapping[str, Count]:
    """Count a centre's entries by sitting; where there is none, the sitting is left out."""
    rows = await tx.fetch(
        """
        SELECT sitting, count(*) FILTER (WHERE NOT is_cancelled) AS entered,
               count(*) FILTER (WHERE is_cancelled) AS cancelled
          FROM entries WHERE centre = $1 GROUP BY sitting
        """,
        centre,
    )
    return {row["sitting"]: Count(row["entered"], row["cancelled"]) for row in rows}


async def list_(tx: Tx, *, centre: str, sitting: str) -> list[Entry]:
    """List all that a centre entered for a sitting, in the order of their numbers."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM entries WHERE centre = $1 AND sitting = $2 ORDER BY candidate_number
        """,  # noqa: S608
        centre,
        sitting,
    )
    return [read_row(row) for row in rows]


async def search(
    tx: Tx, *, centre: str, sitting: str, words: str, limit: int, after: str = ""
) -> list[Entry]:
    """Find those whose number or name says the words, after the number that was shown last."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM entries
         WHERE centre = $1 AND sitting = $2 AND candidate_number > $4
           AND position(lower($3) IN lower(concat_ws(' ', candidate_number, id_number, person_name,
                                                      latin_name, internal_id))) > 0
         ORDER BY candidate_number
         LIMIT $5
        """,  # noqa: S608
        centre,
        sitting,
        words,
        after,
        limit,
    )
    return [read_row(row) for row in rows]


async def load(tx: Tx, *, entry_id: UUID, centre: str, sitting: str) -> Entry:
    """Load one that a centre entered for a sitting; others' do not exist for it."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM entries WHERE id = $1 AND centre = $2 AND sitting = $3",  # noqa: S608
        entry_id,
        centre,
        sitting,
    )
    if row is None:
        raise NoSuchEntry
    return read_row(row)


async def find_own(tx: Tx, *, registration_id: UUID) -> Entry | None:
    """Find the one of a registration, as long as it counts."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM entries WHERE registration_id = $1 AND NOT is_cancelled",  # noqa: S608
        registration_id,
    )
    return read_row(row) if row else None


async def take_unentered(tx: Tx, *, limit: int) -> list[UUID]:
    """Take registrations that were confirmed when there were no entries yet, to enter them."""
    rows = await tx.fetch(
        """
        SELECT id FROM registrations
         WHERE state = 'confirmed'
           AND NOT EXISTS (SELECT FROM entries WHERE registration_id = registrations.id)
         LIMIT $1
           FOR NO KEY UPDATE SKIP LOCKED
        """,
        limit,
    )
    return [row["id"] for row in rows]


async def reveal(tx: Tx, *, entries: Iterable[Entry], vault: Vault) -> Mapping[UUID, str]:
    """Read their secret numbers, to be printed for whom they belong to."""
    rows = await tx.fetch(
        "SELECT id, secret_number FROM entries WHERE id = ANY($1::uuid[])",
        [entry.id for entry in entries],
    )

    def read() -> dict[UUID, str]:
        purpose = entry_numbers.PURPOSE
        return {
            row["id"]: vault.decrypt(row["secret_number"], purpose=purpose).decode() for row in rows
        }

    return await asyncio.to_thread(read)
