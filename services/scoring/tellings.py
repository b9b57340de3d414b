"""Tellings: who was told of which result, each once. Sole writer of `told`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scoring import holders, releases, sittings
from services.scoring.candidates import Candidate
from services.scoring.sittings import Sitting
from shared import outbox
from shared.db import Tx
from shared.events.scoring import ResultCorrected, ResultsReleased

# A transaction of some hundred milliseconds: killed in between, no more than that is done again.
RESULTS_AT_ONCE = 2_000

# To whom a result is owed: whoever held it before it could be seen in any version, and was not
# told yet. Where no instant is set, that is everybody.
_SEEN_SINCE = "GREATEST(COALESCE(releases.released_at, 'infinity'), first.approved_at)"
_OWED = f"""
      JOIN releases ON releases.sitting = result.sitting
      JOIN results AS first ON first.entry_id = result.entry_id AND first.version = 1
      JOIN candidates ON candidates.entry_id = result.entry_id AND NOT candidates.is_cancelled
      JOIN holders ON holders.entry_id = result.entry_id AND holders.registered_at < {_SEEN_SINCE}
     WHERE NOT EXISTS (SELECT FROM told WHERE told.result_id = result.id
                                          AND told.account_id = holders.account_id)
"""


async def tell(tx: Tx) -> int:
    """Tell those who are owed the next results of a release that is out; return how many results
    were gone through, so that there may be more as long as that is not zero.

    Only whoever this marks is told, in the same transaction, so nobody is told twice.
    """
    release = await releases.take_untold(tx)
    if release is None:
        return 0
    page = await tx.fetch(
        """
        SELECT id, entry_id FROM results
         WHERE sitting = $1 AND replaced_at IS NULL AND ($2::uuid IS NULL OR entry_id > $2)
         ORDER BY entry_id
         LIMIT $3
        """,
        release.sitting,
        release.told_through,
        RESULTS_AT_ONCE,
    )
    await _tell_page(tx, release.sitting, [row["id"] for row in page])
    through = page[-1]["entry_id"] if len(page) == RESULTS_AT_ONCE else None
    await releases.note_progress(tx, sitting=release.sitting, through=through)
    return len(page)


async def _tell_page(tx: Tx, code: str, result_ids: Sequence[UUID]) -> None:
    sitting = await sittings.load(tx, code=code)
    rows = await tx.fetch(
        f"""
        WITH owed AS (
            SELECT result.id AS result_id, holders.account_id, candidates.entry_id, id_number,
                   {_SEEN_SINCE} AS released_at
              FROM (SELECT id, entry_id, sitting FROM results WHERE id = ANY($1::uuid[])) AS result
            {_OWED}
        ), marked AS (
            INSERT INTO told (result_id, account_id) SELECT result_id, account_id FROM owed
            ON CONFLICT DO NOTHING
            RETURNING result_id, account_id
        )
        SELECT owed.* FROM owed JOIN marked USING (result_id, account_id)
        """,  # noqa: S608 (a constant)
        result_ids,
    )
    await outbox.publish(
        tx,
        [
            ResultsReleased(
                **row,
                sitting=sitting.code,
                programme=sitting.programme,
                exam_titles=dict(sitting.exam_titles),
                sitting_titles=dict(sitting.titles),
            )
            for row in rows
        ],
    )


async def tell_corrected(
    tx: Tx,
    *,
    result_id: UUID,
    sitting: Sitting,
    candidate: Candidate,
    reason: str,
    now: datetime,
) -> None:
    """Tell everybody who holds a result that was out already: it is another one now."""
    accounts = await holders.list_of(tx, entry_id=candidate.entry_id)
    await _mark(tx, result_id, accounts)
    await outbox.publish(
        tx,
        [
            ResultCorrected(
                result_id=result_id,
                entry_id=candidate.entry_id,
                account_id=account_id,
                id_number=candidate.id_number,
                sitting=sitting.code,
                programme=sitting.programme,
                exam_titles=dict(sitting.exam_titles),
                sitting_titles=dict(sitting.titles),
                reason=reason,
                corrected_at=now,
            )
            for account_id in accounts
        ],
    )


async def _mark(tx: Tx, result_id: UUID, accounts: Sequence[UUID]) -> None:
    await tx.execute(
        """
        INSERT INTO told (result_id, account_id) SELECT $1, unnest($2::uuid[])
        ON CONFLICT DO NOTHING
        """,
        result_id,
        accounts,
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How many were told of a sitting's results, and how many are still to be."""

    told: int
    to_tell: int


async def measure(tx: Tx, *, sitting: str) -> Progress:
    told = await tx.fetchval(
        """
        SELECT count(*) FROM told JOIN results ON results.id = result_id WHERE results.sitting = $1
        """,
        sitting,
    )
    to_tell = await tx.fetchval(
        f"""
        SELECT count(*)
          FROM (SELECT id, entry_id, sitting FROM results
                 WHERE sitting = $1 AND replaced_at IS NULL) AS result
        {_OWED}
        """,  # noqa: S608 (a constant)
        sitting,
    )
    return Progress(told, to_tell)
