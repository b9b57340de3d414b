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
TOLD_AT_ONCE = 5_000

# To whom a result is owed: whoever held it before it could be seen in any version, and was not
# told yet. Where no instant is set, that is everybody.
_SEEN_SINCE = "GREATEST(COALESCE(releases.released_at, 'infinity'), first.approved_at)"
_OWED = f"""
      FROM results
      JOIN results AS first ON first.entry_id = results.entry_id AND first.version = 1
      JOIN releases ON releases.sitting = results.sitting
      JOIN candidates ON candidates.entry_id = results.entry_id AND NOT candidates.is_cancelled
      JOIN holders ON holders.entry_id = results.entry_id
       AND holders.registered_at < {_SEEN_SINCE}
     WHERE results.sitting = $1 AND results.replaced_at IS NULL
       AND NOT EXISTS (SELECT FROM told WHERE told.result_id = results.id
                                          AND told.account_id = holders.account_id)
"""


async def tell(tx: Tx) -> int:
    """Tell some of those who are owed the results of a release that is out; return how many.

    Only whoever this marks is told, in the same transaction, so nobody is told twice.
    """
    release = await releases.take_untold(tx)
    if release is None:
        return 0
    sitting = await sittings.load(tx, code=release.sitting)
    rows = await tx.fetch(
        f"""
        WITH owed AS (
            SELECT results.id AS result_id, holders.account_id, candidates.entry_id, id_number,
                   {_SEEN_SINCE} AS released_at
            {_OWED}
             LIMIT $2
        ), marked AS (
            INSERT INTO told (result_id, account_id) SELECT result_id, account_id FROM owed
            ON CONFLICT DO NOTHING
            RETURNING result_id, account_id
        )
        SELECT owed.* FROM owed JOIN marked USING (result_id, account_id)
        """,  # noqa: S608 (a constant)
        release.sitting,
        TOLD_AT_ONCE,
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
    if len(rows) < TOLD_AT_ONCE:
        await releases.note_told(tx, sitting=release.sitting)
    return len(rows)


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
    to_tell = await tx.fetchval(f"SELECT count(*) {_OWED}", sitting)
    return Progress(told, to_tell)
