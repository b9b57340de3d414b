"""The calendar as everybody sees it: all programmes, their sittings and places, read at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.enrollment import levels, places, programmes, sittings
from services.enrollment.levels import LevelGroup
from services.enrollment.places import Place
from services.enrollment.programmes import Programme, Titles
from services.enrollment.sittings import Sitting, Window
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Listed:
    """A sitting with what it belongs to, and the areas where it is held, in their order."""

    sitting: Sitting
    programme: Programme
    level: LevelGroup
    series_titles: Titles
    places: Sequence[Place]
    area_titles: Mapping[str, Titles]

    @property
    def is_full(self) -> bool:
        return all(place.left == 0 for place in self.places)

    @property
    def is_limited(self) -> bool:
        return any(place.capacity is not None for place in self.places)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything that stood in it at one moment."""

    read_at: datetime
    programmes: Sequence[Programme]
    levels: Sequence[LevelGroup]
    listed: Mapping[str, Listed]  # by the sitting's code, in the order of the exams

    def of_level(self, level: LevelGroup) -> list[Listed]:
        return [one for one in self.listed.values() if one.level == level]

    def in_window(self, window: Window, now: datetime) -> list[Listed]:
        """Those that candidates enter themselves, and whose registration stands so."""
        return [
            one
            for one in self.listed.values()
            if one.programme.entry == "candidate" and one.sitting.window(now) == window
        ]

    def next_turn(self, now: datetime) -> datetime | None:
        """When the next window opens or closes: until then a page about windows stays right."""
        turns = [
            turn
            for one in self.listed.values()
            for turn in (one.sitting.opens_at, one.sitting.closes_at)
            if turn > now
        ]
        return min(turns, default=None)


async def read(tx: Tx, *, now: datetime) -> Calendar:
    known = {programme.code: programme for programme in await programmes.list_(tx)}
    level_of = {(level.programme, level.code): level for level in await levels.list_(tx)}
    series_of = {(s.programme, s.level_group, s.code): s for s in await levels.list_series(tx)}
    found = await sittings.list_(tx)
    held: dict[str, list[Place]] = {sitting.code: [] for sitting in found}
    for place in await places.list_(tx, sittings=list(held)):
        held[place.sitting].append(place)
    listed = {}
    for sitting in found:
        programme = known[sitting.programme]
        titles = {area.code: area.titles for area in programme.areas}
        order = list(titles)
        listed[sitting.code] = Listed(
            sitting,
            programme,
            level_of[sitting.programme, sitting.level_group],
            series_of[sitting.belongs_to].titles,
            sorted(held[sitting.code], key=lambda place: order.index(place.area)),
            titles,
        )
    return Calendar(now, list(known.values()), list(level_of.values()), listed)
