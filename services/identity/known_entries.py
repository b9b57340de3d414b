"""Known entries: who is to sit an exam, as enrollment tells. Sole writer of `known_entries`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who is to sit an exam, as of an instant."""

    entry_id: UUID
    id_number: str
    secret_digest: str
    person_name: str
    is_cancelled: bool
    recorded_at: datetime


_COLUMNS = "entry_id, id_number, secret_digest, person_name, is_cancelled, recorded_at"


def _read(row: Row | None) -> Entry | None:
    return Entry(**row) if row else None


async def record(tx: Tx, *, entries: Sequence[Entry]) -> list[Entry]:
    """Remember the newest word about each; return those that are news."""
    newest = {entry.entry_id: entry for entry in sorted(entries, key=lambda e: e.recorded_at)}
    rows = await tx.fetch(
        f"""
        INSERT INTO known_entries ({_COLUMNS})
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[],
                             $6::timestamptz[])
         ORDER BY 1
        ON CONFLICT (entry_id) DO UPDATE
           SET id_number = EXCLUDED.id_number, secret_digest = EXCLUDED.secret_digest,
               person_name = EXCLUDED.person_name, is_cancelled = EXCLUDED.is_cancelled,
               recorded_at = EXCLUDED.recorded_at
         WHERE known_entries.recorded_at < EXCLUDED.recorded_at
        RETURNING {_COLUMNS}
        """,  # noqa: S608 (a constant)
        list(newest),
        [entry.id_number for entry in newest.values()],
        [entry.secret_digest for entry in newest.values()],
        [entry.person_name for entry in newest.values()],
        [entry.is_cancelled for entry in newest.values()],
        [entry.recorded_at for entry in newest.values()],
    )
    return [Entry(**row) for row in rows]


async def find_by_id_number(tx: Tx, *, id_number: str) -> Entry | None:
    return _read(
        await tx.fetchrow(
            f"""
            SELECT {_COLUMNS} FROM known_entries WHERE id_number = $1
             ORDER BY recorded_at DESC LIMIT 1
            """,  # noqa: S608 (a constant)
            id_number,
        )
    )


async def hold(tx: Tx, *, entry_id: UUID) -> Entry | None:
    """Read an entry as it is now; what is told of it meanwhile waits for this transaction."""
    return _read(
        await tx.fetchrow(
            f"SELECT {_COLUMNS} FROM known_entries WHERE entry_id = $1 FOR SHARE",  # noqa: S608
            entry_id,
        )
    )
