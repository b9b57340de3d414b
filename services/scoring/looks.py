"""Looks: who was shown whose result, and when. Sole writer of `looks`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.scoring.results import Result
from shared.db import Tx

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a result."""

    looked_at: datetime
    looked_by: str
    label: str | None  # of the link that was used; None: an organisation looked it up


async def note(
    tx: Tx,
    *,
    result: Result,
    looked_by: str,
    now: datetime,
    share_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> None:
    """Write a look down, in the transaction that reads what is shown."""
    await tx.execute(
        """
        INSERT INTO looks (id, entry_id, result_id, share_id, organisation_id, looked_by, looked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        uuid4(),
        result.entry_id,
        result.id,
        share_id,
        organisation_id,
        looked_by,
        now,
    )


async def list_of_entry(tx: Tx, *, entry_id: UUID) -> list[Look]:
    """Who looked at a candidate's result, the newest first."""
    rows = await tx.fetch(
        """
        SELECT looked_at, looked_by, label FROM looks LEFT JOIN shares ON shares.id = share_id
         WHERE looks.entry_id = $1 ORDER BY looked_at DESC, looks.id LIMIT $2
        """,
        entry_id,
        SHOWN,
    )
    return [Look(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Checked:
    """A candidate whose result an organisation looked at."""

    looked_at: datetime
    id_number: str
    exam_titles: Mapping[str, str]


async def list_of_organisation(tx: Tx, *, organisation_id: UUID) -> list[Checked]:
    """At what an organisation looked, the newest first."""
    rows = await tx.fetch(
        """
        SELECT looked_at, id_number, exam_titles
          FROM looks JOIN candidates USING (entry_id) JOIN sittings ON code = candidates.sitting
         WHERE organisation_id = $1 ORDER BY looked_at DESC, looks.id LIMIT $2
        """,
        organisation_id,
        SHOWN,
    )
    return [Checked(**row) for row in rows]
