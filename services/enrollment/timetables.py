"""Timetables: where and when a centre holds a sitting. Sole writer of the `timetables` table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.enrollment.centres import Centre
from services.enrollment.levels import LevelGroup
from services.enrollment.programmes import Titles
from services.enrollment.sittings import Sitting
from shared import audit
from shared.audit import Line
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class PaperTime:
    """When and in which room a paper begins, by the centre's clock."""

    code: str
    titles: Titles
    on: date
    starts_at: str  # "09:00"
    room: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """A sitting at a centre."""

    venue: str
    venue_address: str
    papers: Sequence[PaperTime]


async def load(tx: Tx, *, centre: Centre, sitting: Sitting, level: LevelGroup) -> Timetable:
    """Load what the centre said; what it did not say is as usual."""
    row = await tx.fetchrow(
        """
        SELECT venue, venue_address, papers FROM timetables WHERE centre = $1 AND sitting = $2
        """,
        centre.number,
        sitting.code,
    )
    said = row["papers"] if row else {}
    papers = []
    for paper in level.papers:
        usual = {"on": sitting.exam_date.isoformat(), "starts_at": paper.starts_at, "room": ""}
        time = said.get(paper.code, usual)
        on = date.fromisoformat(time["on"])
        papers.append(PaperTime(paper.code, paper.titles, on, time["starts_at"], time["room"]))
    if row is None:
        return Timetable(centre.venue, centre.venue_address, papers)
    return Timetable(row["venue"], row["venue_address"], papers)


async def keep(
    tx: Tx, *, centre: str, sitting: str, timetable: Timetable, actor: str, now: datetime
) -> None:
    """Keep what a centre says instead of what it said before."""
    papers = {
        paper.code: {
            "on": paper.on.isoformat(),
            "starts_at": paper.starts_at,
            "room": paper.room,
        }
        for paper in timetable.papers
    }
    await tx.execute(
        """
        INSERT INTO timetables (centre, sitting, venue, venue_address, papers, edited_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (centre, sitting) DO UPDATE
           SET venue = EXCLUDED.venue, venue_address = EXCLUDED.venue_address,
               papers = EXCLUDED.papers, edited_at = EXCLUDED.edited_at
        """,
        centre,
        sitting,
        timetable.venue,
        timetable.venue_address,
        papers,
        now,
    )
    said = {"centre": centre, "venue": timetable.venue, "papers": papers}
    await audit.record(tx, [Line(actor, "timetable_changed", f"sitting {sitting}", said)])
