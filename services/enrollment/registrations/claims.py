"""Claiming a place: many people at once, each told exactly what became of their own wish."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from services.enrollment import places, references
from services.enrollment.places import Room
from services.enrollment.registrations.openings import Barred, Opening, Openings, was_absent_before
from shared import outbox
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.enrollment import PlaceClaimed
from shared.group_commit import AGAIN


class NoSuchPlace(Refused):
    """There is no such sitting, or it is not held in this area."""

    status: ClassVar[int] = 404


class SittingFull(Refused):
    """All places of this sitting in this area are taken. Some become free when people give up."""


class NotYetOpen(Refused):
    """Registration for this sitting has not begun."""

    status: ClassVar[int] = 425

    def __init__(self, opening: Opening) -> None:
        super().__init__()
        self.opens_at, self.zone = opening.opens_at, opening.zone


class WindowClosed(Refused):
    """Registration for this sitting is over."""

    status: ClassVar[int] = 410


class AlreadyThere(Refused):
    """You hold a place in this sitting, in another area. Give it up first if you want to change."""


class OtherSittingHeld(Refused):
    """You hold a place in the other sitting of this level. Only one of the two can be entered."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One wish: this account wants a place in a sitting, in an area."""

    id: UUID  # what the registration will be called, if it comes to be
    account_id: UUID
    sitting: str
    area: str
    arrived_at: datetime  # by the database's clock


@dataclass(frozen=True, slots=True)
class Claimed:
    """The place that somebody holds: taken just now, or before."""

    id: UUID
    number: int
    submit_by: datetime
    is_new: bool

    @property
    def reference(self) -> str:
        return references.write(self.number)


async def claim(tx: Tx, *, openings: Openings, claims: Sequence[Claim]) -> list[Claimed | Refused]:
    """Give each its place, the place it has already, or the reason why not, as they arrived."""
    answers: list[Claimed | Refused | None] = [
        _look_at(openings.sittings.get(one.sitting), one, openings.now) for one in claims
    ]
    # One try for each account and sitting; whoever clicked twice finds the first one's outcome.
    first: dict[tuple[UUID, str], int] = {}
    for turn, one in enumerate(claims):
        if answers[turn] is None:
            first.setdefault((one.account_id, one.sitting), turn)
    for turn, answer in await _take(tx, openings, {turn: claims[turn] for turn in first.values()}):
        answers[turn] = answer
    in_doubt = [turn for turn, answer in enumerate(answers) if not isinstance(answer, Claimed)]
    for turn, found in await _explain(tx, openings, {turn: claims[turn] for turn in in_doubt}):
        answers[turn] = found or answers[turn]
    await outbox.publish(tx, [*_tell(openings, claims, answers)])
    # Nothing bars them but a wish of their own that was written first and found no room.
    return [answer or AGAIN for answer in answers]


def _look_at(opening: Opening | None, claim: Claim, now: datetime) -> Refused | None:
    """Find a reason that is known before anything is written."""
    if opening is None or claim.area not in opening.areas:
        return NoSuchPlace()
    # Both clocks must agree that it is open: nobody is early because a machine runs fast.
    if min(claim.arrived_at, now) < opening.opens_at:
        return NotYetOpen(opening)
    if claim.arrived_at >= opening.closes_at:
        return WindowClosed()
    if claim.area in opening.full_areas:
        return SittingFull()
    return None


async def _take(
    tx: Tx, openings: Openings, claims: Mapping[int, Claim]
) -> Iterator[tuple[int, Claimed | Refused]]:
    """Write those that nothing speaks against, then count them; who is one too many goes again."""
    if not claims:
        return iter(())
    # In one order whoever writes, so that two processes never wait for each other.
    ordered = sorted(claims.items(), key=lambda turn: (turn[1].account_id.int, turn[1].sitting))
    deadlines = {
        turn: openings.sittings[one.sitting].submit_by(one.arrived_at) for turn, one in ordered
    }
    rows = await tx.fetch(
        f"""
        INSERT INTO registrations
               (id, account_id, sitting, area, one_of, claimed_at, submit_by)
        SELECT id, account_id, sitting, area, one_of, claimed_at, submit_by
          FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[],
                      $6::timestamptz[], $7::timestamptz[])
               AS wish (id, account_id, sitting, area, one_of, claimed_at, submit_by)
         WHERE NOT {was_absent_before("account_id")}
            ON CONFLICT DO NOTHING
        RETURNING id, number
        """,  # noqa: S608
        [one.id for _, one in ordered],
        [one.account_id for _, one in ordered],
        [one.sitting for _, one in ordered],
        [one.area for _, one in ordered],
        [openings.sittings[one.sitting].one_of for _, one in ordered],
        [one.arrived_at for _, one in ordered],
        [deadlines[turn] for turn, _ in ordered],
    )
    numbers = {row["id"]: row["number"] for row in rows}
    written = {turn: one for turn, one in claims.items() if one.id in numbers}
    granted = await places.take(
        tx, wanted=Counter((one.sitting, one.area) for one in written.values())
    )
    surplus = [turn for turn in written if not _sits(granted, written[turn])]
    if surplus:
        await tx.execute(
            "DELETE FROM registrations WHERE id = ANY($1::uuid[])",
            [written[turn].id for turn in surplus],
        )
    return (
        (turn, SittingFull())
        if turn in surplus
        else (turn, Claimed(one.id, numbers[one.id], deadlines[turn], is_new=True))
        for turn, one in written.items()
    )


def _sits(granted: dict[Room, int], claim: Claim) -> bool:
    """Hand out what was granted in the order of asking."""
    granted[claim.sitting, claim.area] -= 1
    return granted[claim.sitting, claim.area] >= 0


async def _explain(
    tx: Tx, openings: Openings, claims: Mapping[int, Claim]
) -> Iterator[tuple[int, Claimed | Refused | None]]:
    """Look what those without a place hold already, or what bars them."""
    if not claims:
        return iter(())
    known = {turn: openings.sittings.get(one.sitting) for turn, one in claims.items()}
    rows = await tx.fetch(
        f"""
        SELECT turn, held.id, held.number, held.area, held.submit_by,
               EXISTS (
                   SELECT FROM registrations AS other
                    WHERE other.one_of = wish.one_of
                      AND other.account_id = wish.account_id
                      AND other.state NOT IN ('lapsed', 'void', 'withdrawn')
               ) AS holds_other,
               {was_absent_before("account_id")} AS is_barred
          FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[])
               AS wish (turn, account_id, sitting, one_of)
          LEFT JOIN registrations AS held
            ON held.sitting = wish.sitting AND held.account_id = wish.account_id
           AND held.state NOT IN ('lapsed', 'void', 'withdrawn')
        """,  # noqa: S608
        list(claims),
        [one.account_id for one in claims.values()],
        [one.sitting for one in claims.values()],
        [opening.one_of if opening else None for opening in known.values()],
    )
    return ((row["turn"], _judge(row, claims[row["turn"]])) for row in rows)


def _judge(row: Row, claim: Claim) -> Claimed | Refused | None:
    if row["id"] is not None and row["area"] == claim.area:
        return Claimed(row["id"], row["number"], row["submit_by"], is_new=False)
    if row["id"] is not None:
        return AlreadyThere()
    if row["holds_other"]:
        return OtherSittingHeld()
    return Barred() if row["is_barred"] else None


def _tell(
    openings: Openings, claims: Sequence[Claim], answers: Sequence[Claimed | Refused | None]
) -> Iterator[PlaceClaimed]:
    for one, answer in zip(claims, answers, strict=True):
        if isinstance(answer, Claimed) and answer.is_new:
            yield PlaceClaimed(
                registration_id=answer.id,
                account_id=one.account_id,
                reference=answer.reference,
                sitting=one.sitting,
                sitting_titles=dict(openings.sittings[one.sitting].titles),
                area=one.area,
                claimed_at=one.arrived_at,
                submit_by=answer.submit_by,
            )
