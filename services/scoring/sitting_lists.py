"""Sittings as staff look at them: how far each is on its way to results. Writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from services.scoring import sittings
from services.scoring.errands import Act
from services.scoring.sittings import NoSuchSitting, Sitting
from shared.db import Row, Tx
from shared.i18n import mark

State: TypeAlias = Literal[
    "to_import",
    "to_compute",
    "computing",
    "to_approve",
    "approving",
    "to_release",
    "set",
    "out",
]

STATES: dict[State, str] = {
    "to_import": mark("scores to be imported"),
    "to_compute": mark("to be computed"),
    "computing": mark("being computed"),
    "to_approve": mark("to be approved"),
    "approving": mark("being approved"),
    "to_release": mark("approved, no instant set"),
    "set": mark("release is set"),
    "out": mark("released"),
}
UNDER_WAY: dict[Act, State] = {"compute": "computing", "approve": "approving"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A sitting and its counts."""

    sitting: Sitting
    candidates: int
    scored: int  # or known to have been absent
    computed: int
    under_way: Act | None  # what a worker was asked to do, and has not done yet
    is_approved: bool
    released_at: datetime | None
    is_out: bool
    corrections: int  # that wait for a decision

    @property
    def state(self) -> State:
        if self.is_approved:
            if self.released_at is None:
                return "to_release"
            return "out" if self.is_out else "set"
        if self.under_way:
            return UNDER_WAY[self.under_way]
        if self.scored < self.candidates or not self.candidates:
            return "to_import"
        return "to_approve" if self.computed else "to_compute"


_SELECT = """
    SELECT code, programme, zone, exam, exam_titles, titles, exam_date, results_at,
           (SELECT count(*) FROM candidates
             WHERE candidates.sitting = code AND NOT is_cancelled) AS candidates,
           (SELECT count(*) FROM scores JOIN candidates USING (entry_id)
             WHERE scores.sitting = code AND NOT is_cancelled) AS scored,
           (SELECT count(*) FROM drafts
             WHERE drafts.sitting = code AND outcome IS NOT NULL) AS computed,
           (SELECT act FROM errands
             WHERE errands.sitting = code AND ended_at IS NULL) AS under_way,
           releases.sitting IS NOT NULL AS is_approved, released_at,
           COALESCE(released_at <= now(), false) AS is_out,
           (SELECT count(*) FROM corrections
             WHERE corrections.sitting = code AND decided_at IS NULL) AS corrections
      FROM sittings LEFT JOIN releases ON releases.sitting = code
"""


def _read(row: Row) -> Listed:
    names = ("candidates", "scored", "computed", "under_way", "is_approved", "released_at")
    told = {name: row[name] for name in (*names, "is_out", "corrections")}
    return Listed(sitting=sittings.read(row), **told)


async def list_(tx: Tx) -> list[Listed]:
    """All sittings: those whose results are not out come first, the most urgent before others."""
    rows = await tx.fetch(
        f"""
        {_SELECT} ORDER BY COALESCE(released_at <= now(), false), results_at, code
        """
    )
    return [_read(row) for row in rows]


async def load(tx: Tx, *, code: str) -> Listed:
    row = await tx.fetchrow(f"{_SELECT} WHERE code = $1", code)
    if row is None:
        raise NoSuchSitting
    return _read(row)
