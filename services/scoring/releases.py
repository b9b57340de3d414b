"""Releases: which sittings' results are approved, and from when on they are seen. Sole writer of
`releases`.

Nothing is switched on at the instant: whoever reads results asks the database whether it has come,
so they appear for everybody at once, whether or not any job of ours is running.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.scoring import contributors
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused

# Stopping takes a moment to be written: later than this it might undo what somebody has seen.
STOPPED_BEFORE = timedelta(seconds=5)
LOOKED_AHEAD = timedelta(days=366)
# Whoever holds a result holds it since later.
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class ResultsApproved(Refused):
    """The results of this sitting are approved. What is wrong is changed by a correction."""


class NotApproved(Refused):
    """The results of this sitting are not approved yet."""


class AlreadyReleased(Refused):
    """These results are released, or will be within seconds: that cannot be changed any more."""


class NotAhead(Refused):
    """This instant has passed, or is more than a year ahead. Choose a later one, or release the
    results at once."""


@dataclass(frozen=True, slots=True)
class Release:
    """A sitting's approval, and its release as far as it is set."""

    sitting: str
    digest_id: UUID
    approved_by: UUID
    approved_at: datetime
    released_at: datetime | None
    ordered_by: UUID | None
    told_through: UUID | None
    told_at: datetime | None
    is_out: bool  # by the clock of the database


_COLUMNS = (
    "sitting, digest_id, approved_by, approved_at, released_at, ordered_by,"
    " told_through, told_at, COALESCE(released_at <= now(), false) AS is_out"
)


def _read(row: Row) -> Release:
    return Release(**row)


async def find(tx: Tx, *, sitting: str) -> Release | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM releases WHERE sitting = $1",  # noqa: S608 (a constant)
        sitting,
    )
    return _read(row) if row else None


async def lock(tx: Tx, *, sitting: str) -> Release:
    """A release that nobody else changes, and nobody is told of, until this transaction ends."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM releases WHERE sitting = $1 FOR NO KEY UPDATE
        """,  # noqa: S608 (a constant)
        sitting,
    )
    if row is None:
        raise NotApproved
    return _read(row)


async def refuse_if_approved(tx: Tx, *, sitting: str) -> None:
    if await tx.fetchval("SELECT EXISTS (SELECT FROM releases WHERE sitting = $1)", sitting):
        raise ResultsApproved


async def open_(tx: Tx, *, sitting: str, digest_id: UUID, actor: UUID, now: datetime) -> None:
    """Approve a sitting's results. When they appear is set apart from this."""
    await tx.execute(
        """
        INSERT INTO releases (sitting, digest_id, approved_by, approved_at)
        VALUES ($1, $2, $3, $4)
        """,
        sitting,
        digest_id,
        actor,
        now,
    )


async def order(tx: Tx, *, sitting: str, released_at: datetime, actor: UUID, now: datetime) -> None:
    """Set the instant of a release, or another one, as long as the first has not come."""
    await contributors.refuse(tx, sitting=sitting, account_id=actor)
    if not now < released_at < now + LOOKED_AHEAD:
        raise NotAhead
    await _set(tx, sitting=sitting, released_at=released_at, actor=actor)
    await _record(tx, actor, "release_ordered", sitting, released_at)


async def order_at_once(tx: Tx, *, sitting: str, actor: UUID) -> None:
    """Release now. The instant is the database's, whose clock decides what is seen."""
    await contributors.refuse(tx, sitting=sitting, account_id=actor)
    released_at = await _set(tx, sitting=sitting, released_at=None, actor=actor)
    await _record(tx, actor, "released_at_once", sitting, released_at)


async def _set(tx: Tx, *, sitting: str, released_at: datetime | None, actor: UUID) -> datetime:
    """Write the instant, or this one; refuse where another has come or is about to."""
    await lock(tx, sitting=sitting)
    instant: datetime | None = await tx.fetchval(
        """
        UPDATE releases
           SET released_at = COALESCE($2, clock_timestamp()), ordered_by = $3,
               told_through = NULL, told_at = NULL
         WHERE sitting = $1
           AND (released_at IS NULL OR released_at > clock_timestamp() + $4::interval)
        RETURNING released_at
        """,
        sitting,
        released_at,
        actor,
        STOPPED_BEFORE,
    )
    if instant is None:
        raise AlreadyReleased
    return instant


async def stop(tx: Tx, *, sitting: str, actor: UUID) -> None:
    """Take the instant back, unless it has come or is about to."""
    await lock(tx, sitting=sitting)
    stopped = await tx.fetchval(
        """
        UPDATE releases SET released_at = NULL, ordered_by = NULL
         WHERE sitting = $1 AND (released_at IS NULL OR released_at > clock_timestamp() + $2)
        RETURNING sitting
        """,
        sitting,
        STOPPED_BEFORE,
    )
    if stopped is None:
        raise AlreadyReleased
    await _record(tx, actor, "release_stopped", sitting, None)


async def take_untold(tx: Tx) -> Release | None:
    """Take a release that is out, and of which somebody may not have been told."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM releases
         WHERE told_at IS NULL AND released_at <= now()
         ORDER BY released_at, sitting
         LIMIT 1
           FOR NO KEY UPDATE SKIP LOCKED
        """  # noqa: S608 (a constant)
    )
    return _read(row) if row else None


async def note_progress(tx: Tx, *, sitting: str, through: UUID | None) -> None:
    """Note as far as which entry everybody was told; None: to the end."""
    await tx.execute(
        """
        UPDATE releases
           SET told_through = $2, told_at = CASE WHEN $2::uuid IS NULL THEN now() END
         WHERE sitting = $1
        """,
        sitting,
        through,
    )


async def look_again(tx: Tx, *, held: Sequence[tuple[UUID, datetime]]) -> None:
    """Have it looked once more, from the first entry on, whether somebody is to be told: of these
    entries is news, of holders since then. Those who came after the release are no news.

    Not only of releases that are done: whoever is telling holds the row, and so either finds the
    news, or goes on after this is written, and from the first entry on.
    """
    await tx.execute(
        """
        UPDATE releases SET told_through = NULL, told_at = NULL
         WHERE EXISTS (
               SELECT FROM unnest($1::uuid[], $2::timestamptz[]) AS news (entry_id, since)
                 JOIN candidates ON candidates.entry_id = news.entry_id
                WHERE candidates.sitting = releases.sitting
                  AND since < COALESCE(releases.released_at, 'infinity'))
        """,
        [entry_id for entry_id, _ in held],
        [since for _, since in held],
    )


async def _record(
    tx: Tx, actor: UUID, act: str, sitting: str, released_at: datetime | None
) -> None:
    details = {"released_at": released_at.isoformat()} if released_at else {}
    await audit.record(tx, [Line(str(actor), act, f"sitting {sitting}", details)])
