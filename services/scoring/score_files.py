"""Files of scores: looked at first, imported afterwards. Sole writer of `score_files`."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.scoring import releases, scores, sittings
from services.scoring.rules import score_table
from services.scoring.rules.score_table import Known, Report
from services.scoring.scores import Scored
from services.scoring.sittings import Sitting
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx, affected
from shared.errors import Refused

# Files nobody imported in the end go in small bites.
FORGOTTEN_AT_ONCE = 100


class NoSuchFile(Refused):
    """There is no such file, or it was not imported and has been forgotten since."""

    status = 404


class NothingToImport(Refused):
    """No row of this file would change anything."""


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """A file as it was handed in, and what became of it."""

    id: UUID
    sitting: str
    name: str
    looked_by: UUID
    looked_at: datetime
    imported_by: UUID | None
    imported_at: datetime | None
    imported: int | None


_COLUMNS = "id, sitting, name, looked_by, looked_at, imported_by, imported_at, imported"


async def look_at(
    tx: Tx,
    *,
    sitting: Sitting,
    name: str,
    table: Sequence[Sequence[str]],
    actor: UUID,
    now: datetime,
) -> UUID:
    """Keep a file, so that what is imported is what was looked at."""
    await releases.refuse_if_approved(tx, sitting=sitting.code)
    file_id = uuid4()
    await tx.execute(
        """
        INSERT INTO score_files (id, sitting, name, content, looked_by, looked_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        file_id,
        sitting.code,
        name,
        table,
        actor,
        now,
    )
    return file_id


async def load(tx: Tx, *, file_id: UUID) -> ScoreFile:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM score_files WHERE id = $1",  # noqa: S608 (a constant)
        file_id,
    )
    if row is None:
        raise NoSuchFile
    return ScoreFile(**row)


async def list_(tx: Tx, *, sitting: str, limit: int) -> list[ScoreFile]:
    """The newest files that were imported."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM score_files
         WHERE sitting = $1 AND imported_at IS NOT NULL ORDER BY imported_at DESC LIMIT $2
        """,  # noqa: S608 (a constant)
        sitting,
        limit,
    )
    return [ScoreFile(**row) for row in rows]


async def judge(tx: Tx, *, file: ScoreFile, sitting: Sitting) -> Report:
    """Say of every row what its import would do now."""
    content = await tx.fetchval("SELECT content FROM score_files WHERE id = $1", file.id)
    # Thousands of rows: not in the loop, in which others wait for their pages.
    numbers = await asyncio.to_thread(score_table.list_numbers, content, marking=sitting.marking)
    rows = await tx.fetch(
        r"""
        SELECT candidates.entry_id, id_number, candidate_number, is_cancelled, given,
               scores.entry_id IS NOT NULL AS has_scores
          FROM candidates
          LEFT JOIN scores ON scores.entry_id = candidates.entry_id
                          AND scores.sitting = candidates.sitting
         WHERE candidates.sitting = $1
           AND (ltrim(id_number, '0') = ANY($2::text[])
                OR ltrim(upper(regexp_replace(candidate_number, '\s', '', 'g')), '0')
                   = ANY($2::text[]))
        """,
        sitting.code,
        numbers,
    )
    return await asyncio.to_thread(_judge, content, sitting, rows)


def _judge(content: Sequence[Sequence[str]], sitting: Sitting, rows: Sequence[Row]) -> Report:
    by_number: defaultdict[str, list[Known]] = defaultdict(list)
    for row in rows:
        one = Known(row["entry_id"], row["is_cancelled"], row["has_scores"], row["given"])
        numbers = (row["id_number"], row["candidate_number"])
        for number in {*map(score_table.as_compared, numbers)}:
            by_number[number].append(one)
    return score_table.judge(content, marking=sitting.marking, known=by_number)


async def import_(tx: Tx, *, file_id: UUID, actor: UUID, now: datetime) -> int:
    """Import the good rows of a file, as they are judged now; return how many changed something.

    A second click finds it imported; the same file handed in again has nothing to import.
    """
    file = await load(tx, file_id=file_id)
    sitting = await sittings.lock(tx, code=file.sitting)
    file = await load(tx, file_id=file_id)
    if file.imported is not None:
        return file.imported
    report = await judge(tx, file=file, sitting=sitting)
    if not report.to_import:
        raise NothingToImport
    changed = await scores.put(
        tx,
        sitting=sitting.code,
        scored=[Scored(row.entry_id, row.given) for row in report.to_import if row.entry_id],
        file_id=file.id,
        actor=actor,
        now=now,
    )
    await tx.execute(
        """
        UPDATE score_files SET imported_by = $2, imported_at = $3, imported = $4 WHERE id = $1
        """,
        file.id,
        actor,
        now,
        changed,
    )
    details = {"file": str(file.id), "rows": changed, "left_out": len(report.rows) - changed}
    line = Line(str(actor), "scores_imported", f"sitting {sitting.code}", details)
    await audit.record(tx, [line])
    return changed


async def forget_old(tx: Tx, *, before: datetime) -> int:
    """Forget files that were looked at and not imported."""
    forgotten: str = await tx.execute(
        """
        DELETE FROM score_files
         WHERE id IN (SELECT id FROM score_files
                       WHERE imported_at IS NULL AND looked_at < $1 LIMIT $2)
        """,
        before,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
