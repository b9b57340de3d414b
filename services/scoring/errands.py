"""Errands: what staff ask for and a worker does, and what became of it. Sole writer of `errands`.

Computing and approving go through every result of a sitting. Whoever asks is answered at once and
sees on the page what comes of it; a worker that is killed meanwhile has changed nothing, and the
next one begins again.

The audit log has both instants: a line of the click, written with it, and one of what came of that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from services.scoring import contributors, releases, sittings
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused

Act: TypeAlias = Literal["compute", "approve"]

ASKED: dict[Act, str] = {"compute": "computation_asked", "approve": "approval_asked"}
REFUSED: dict[Act, str] = {"compute": "computation_refused", "approve": "approval_refused"}


class UnderWay(Refused):
    """The results of this sitting are being computed or approved at this moment. Look at what comes
    of that first."""


class Failed(Refused):
    """This was not done because of a fault in the system. Whoever runs it finds the fault in its
    log."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Something a worker is asked to do with the results of a sitting."""

    id: int
    sitting: str
    act: Act
    number: int | None
    asked_by: UUID
    asked_at: datetime
    ended_at: datetime | None
    refusal: str | None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


_COLUMNS = "id, sitting, act, number, asked_by, asked_at, ended_at, refusal"


def _read(row: Row) -> Errand:
    return Errand(**row)


async def ask_to_compute(tx: Tx, *, code: str, actor: UUID, now: datetime) -> None:
    """Ask for everybody's result. What can be refused without working it out is refused now."""
    sitting = await sittings.load(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    _ = sitting.marking  # refuses an exam that nobody planned for
    await _ask(tx, code, "compute", None, actor, now)


async def ask_to_approve(tx: Tx, *, code: str, number: int, actor: UUID, now: datetime) -> None:
    """Ask for approval of the computation that was looked at. All of it is checked once more."""
    await sittings.load(tx, code=code)
    await releases.refuse_if_approved(tx, sitting=code)
    await contributors.refuse(tx, sitting=code, account_id=actor)
    await _ask(tx, code, "approve", number, actor, now)


async def _ask(tx: Tx, code: str, act: Act, number: int | None, actor: UUID, now: datetime) -> None:
    asked = await tx.fetchval(
        """
        INSERT INTO errands (sitting, act, number, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (sitting) WHERE ended_at IS NULL DO NOTHING
        RETURNING id
        """,
        code,
        act,
        number,
        actor,
        now,
    )
    if asked is None:
        newest = await find_newest(tx, sitting=code)
        if newest is None or (newest.act, newest.number) != (act, number):
            raise UnderWay
        return
    details = {"errand": asked} if number is None else {"errand": asked, "number": number}
    await audit.record(tx, [Line(str(actor), ASKED[act], f"sitting {code}", details)])


async def find_newest(tx: Tx, *, sitting: str) -> Errand | None:
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM errands WHERE sitting = $1 ORDER BY id DESC LIMIT 1
        """,  # noqa: S608 (a constant)
        sitting,
    )
    return _read(row) if row else None


async def take(tx: Tx) -> Errand | None:
    """Take the oldest errand that is open and nobody else's."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM errands
         WHERE ended_at IS NULL ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """  # noqa: S608 (a constant)
    )
    return _read(row) if row else None


async def end(tx: Tx, *, errand: Errand, refusal: Refused | None, now: datetime) -> None:
    """Write down that an errand was done, or why not."""
    await tx.execute(
        "UPDATE errands SET ended_at = $2, refusal = $3 WHERE id = $1",
        errand.id,
        now,
        refusal.sentence if refusal else None,
    )
    if refusal:  # what was done has its line already
        details = {"errand": errand.id, "refusal": refusal.sentence}
        subject = f"sitting {errand.sitting}"
        await audit.record(tx, [Line("job", REFUSED[errand.act], subject, details)])
