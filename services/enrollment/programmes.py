"""Programmes with their level groups and series. Sole writer of these three tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from shared.db import Row, Tx
from shared.errors import NoSuchPage, Refused

Titles = Mapping[str, str]  # by language


class CodeTaken(Refused):
    """There is one with this code already. Choose another code."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An area or a dialect: what is stored, and what people read."""

    code: str
    titles: Titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """An exam owner's set of levels and its rules."""

    code: str
    titles: Titles
    zone: ZoneInfo
    year: int
    publish_time: time  # when tickets and results appear on their days
    entry: str  # candidate: on the web; centre: from a list
    fee_rule: str  # free_to_birthday, flat, centre
    fee_twd: int
    fee_free_to_birthday: int | None
    areas: Sequence[Choice]
    dialects: Sequence[Choice]
    form: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]
    consents: Sequence[Mapping[str, Any]]
    source: str | None = None
    digest: str | None = None
    loaded_at: datetime | None = None
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelGroup:
    """What one registers for; a pass may award one of several levels."""

    programme: str
    code: str
    titles: Titles
    position: int
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A family of sittings of a level group that share entry rules."""

    programme: str
    level_group: str
    code: str
    titles: Titles
    submit_within_days: int | None  # None: until the window ends
    one_only: bool  # a person enters one of its sittings
    absence_bars: bool  # who was absent enters no later one of that year
    position: int
    edited_at: datetime | None = None


COLUMNS = (
    "code, titles, zone, year, publish_time, entry, fee_rule, fee_twd, fee_free_to_birthday, "
    "areas, dialects, form, documents, consents, source, digest, loaded_at, edited_at"
)
LEVEL_COLUMNS = "programme, code, titles, position, edited_at"
SERIES_COLUMNS = (
    "programme, level_group, code, titles, submit_within_days, one_only, absence_bars, position, "
    "edited_at"
)


async def list_(tx: Tx) -> list[Programme]:
    rows = await tx.fetch(f"SELECT {COLUMNS} FROM programmes ORDER BY code")  # noqa: S608
    return [_programme(row) for row in rows]


async def find(tx: Tx, *, code: str) -> Programme | None:
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM programmes WHERE code = $1", code)  # noqa: S608
    return _programme(row) if row else None


async def load(tx: Tx, *, code: str) -> Programme:
    programme = await find(tx, code=code)
    if programme is None:
        raise NoSuchPage
    return programme


async def list_levels(tx: Tx) -> list[LevelGroup]:
    rows = await tx.fetch(
        f"SELECT {LEVEL_COLUMNS} FROM level_groups ORDER BY programme, position, code"  # noqa: S608
    )
    return [LevelGroup(**row) for row in rows]


async def load_level(tx: Tx, *, programme: str, code: str) -> LevelGroup:
    row = await tx.fetchrow(
        f"SELECT {LEVEL_COLUMNS} FROM level_groups WHERE programme = $1 AND code = $2",  # noqa: S608
        programme,
        code,
    )
    if row is None:
        raise NoSuchPage
    return LevelGroup(**row)


async def list_series(tx: Tx) -> list[Series]:
    rows = await tx.fetch(
        f"SELECT {SERIES_COLUMNS} FROM series ORDER BY programme, level_group, position, code"  # noqa: S608
    )
    return [Series(**row) for row in rows]


def _programme(row: Row) -> Programme:
    fields = dict(row)
    fields["zone"] = ZoneInfo(fields["zone"])
    for name in ("areas", "dialects"):
        fields[name] = [Choice(**choice) for choice in fields[name]]
    return Programme(**fields)
