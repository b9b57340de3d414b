"""Programmes: exam owners' sets of levels and their rules. Sole writer of `programmes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from services.enrollment.changes import ChangedMeanwhile, CodeTaken, find_differences
from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import NoSuchPage, Refused

Titles = Mapping[str, str]  # by language


class StillUsed(Refused):
    """A sitting still uses an area or a dialect that you removed."""


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
    source: str | None = field(default=None, compare=False)
    digest: str | None = field(default=None, compare=False)
    loaded_at: datetime | None = field(default=None, compare=False)
    edited_at: datetime | None = field(default=None, compare=False)


COLUMNS = """code, titles, zone, year, publish_time, entry, fee_rule, fee_twd,
       fee_free_to_birthday, areas, dialects, form, documents, consents, source, digest,
       loaded_at, edited_at"""


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


async def add(tx: Tx, *, programme: Programme, actor: str) -> None:
    added = await tx.fetchval(
        """
        INSERT INTO programmes (code, titles, zone, year, publish_time, entry, fee_rule, fee_twd,
                                fee_free_to_birthday, areas, dialects, form, documents, consents,
                                edited_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT DO NOTHING RETURNING code
        """,
        *_values(programme),
    )
    if added is None:
        raise CodeTaken
    await audit.record(tx, [Line(actor, "programme_added", f"programme {programme.code}", {})])


async def change(tx: Tx, *, old: Programme, new: Programme, actor: str) -> None:
    """Write what is new, unless somebody has changed it since `old` was read."""
    still_used = await tx.fetchval(
        """
        SELECT EXISTS (SELECT FROM places JOIN sittings ON code = sitting
                        WHERE programme = $1 AND area <> ALL ($2::text[]))
            OR EXISTS (SELECT FROM sittings
                        WHERE programme = $1 AND NOT dialects <@ $3::text[])
        """,
        new.code,
        [area.code for area in new.areas],
        [dialect.code for dialect in new.dialects],
    )
    if still_used:
        raise StillUsed
    written = await tx.fetchval(
        """
        UPDATE programmes
           SET titles = $2, zone = $3, year = $4, publish_time = $5, entry = $6, fee_rule = $7,
               fee_twd = $8, fee_free_to_birthday = $9, areas = $10, dialects = $11, form = $12,
               documents = $13, consents = $14, edited_at = $15
         WHERE code = $1 AND edited_at IS NOT DISTINCT FROM $16
        RETURNING code
        """,
        *_values(new),
        old.edited_at,
    )
    if written is None:
        raise ChangedMeanwhile
    changed = find_differences(old, new)
    await audit.record(tx, [Line(actor, "programme_changed", f"programme {new.code}", changed)])


async def note_source(tx: Tx, *, code: str, source: str, digest: str, now: datetime) -> None:
    """Remember which file was loaded, and when."""
    await tx.execute(
        "UPDATE programmes SET source = $2, digest = $3, loaded_at = $4 WHERE code = $1",
        code,
        source,
        digest,
        now,
    )


def _programme(row: Row) -> Programme:
    known = dict(row)
    known["zone"] = ZoneInfo(known["zone"])
    for name in ("areas", "dialects"):
        known[name] = [Choice(**choice) for choice in known[name]]
    return Programme(**known)


def _values(programme: Programme) -> list[Any]:
    return [
        programme.code,
        programme.titles,
        programme.zone.key,
        programme.year,
        programme.publish_time,
        programme.entry,
        programme.fee_rule,
        programme.fee_twd,
        programme.fee_free_to_birthday,
        programme.areas,
        programme.dialects,
        programme.form,
        programme.documents,
        programme.consents,
        programme.edited_at,
    ]
