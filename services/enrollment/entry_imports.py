"""Lists of candidates that centres hand in: read, judged row by row, and imported."""

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ValidationInfo, field_validator

from services.enrollment import centres, entries, entry_lists
from services.enrollment.centres import Centre
from services.enrollment.entries import Entry, Person
from services.enrollment.form_fields import (
    LatinName,
    Line,
    Name,
    ReadBirthDate,
    Text,
    check_birth_date,
)
from services.enrollment.sittings import Sitting
from shared import audit
from shared.audit import Line as AuditLine
from shared.db import Tx
from shared.errors import Refused
from shared.forms import Form, Says
from shared.i18n import mark
from shared.vault import Vault

# More than any centre enters for one sitting; longer lists are divided.
MOST_ROWS = 10_000
LONGEST_CELL = 200

# The columns of a list, and what stands above them, in one of these languages.
COLUMNS: Mapping[str, str] = {
    "candidate_number": mark("Candidate number"),
    "person_name": mark("Name"),
    "latin_name": mark("Name in Latin letters (optional)"),
    "birth_date": mark("Date of birth"),
    "internal_id": mark("Internal ID (optional)"),
}
REQUIRED = ("candidate_number", "person_name", "birth_date")

Verdict: TypeAlias = Literal["new", "changed", "unchanged", "refused"]

REPEATED = mark("This candidate number stands further up in the list")
CLOSED = mark("This sitting takes no new candidates at the moment")
CANCELLED = mark("This entry was cancelled. Take that back on its page first")
NO_NUMBER = mark("Enter a candidate number of at most 6 digits, such as 0001")


class NoColumns(Refused):
    """The first row has to name the columns as the template does: candidate number, name, birth."""

    status = 422


class TooManyRows(Refused):
    """More than 10,000 candidates are too many for one list. Please divide it."""

    status = 422


def _candidate_number(text: str) -> str:
    """Write a number in its one form: spreadsheet programs leave out noughts that come first."""
    number = unicodedata.normalize("NFKC", text).replace(" ", "")
    if not re.fullmatch(r"[0-9]{1,6}", number) or int(number) == 0:
        raise ValueError(NO_NUMBER)
    return f"{int(number):04}"


class RowForm(BaseModel):
    """One candidate as somebody wrote them down."""

    candidate_number: Annotated[
        Line, AfterValidator(_candidate_number), Says(mark("Enter the candidate number"))
    ]
    person_name: Annotated[Name, Says(mark("Enter the name"))]
    latin_name: LatinName | None = None
    birth_date: Annotated[
        date,
        ReadBirthDate,
        Says(
            mark("Enter the date of birth"),
            mark("Write the date as year, month, day: 2012-04-21"),
        ),
    ]
    internal_id: Text | None = None

    @field_validator("birth_date")
    @classmethod
    def _is_of_somebody_alive(cls, birth_date: date, info: ValidationInfo) -> date:
        today: date = info.context["today"] if info.context else birth_date
        return check_birth_date(birth_date, today=today)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list, by the line where it stands and the columns there are."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """What would become of a row, and why it would not be taken."""

    row: Row
    verdict: Verdict
    person: Person | None = None
    entry: Entry | None = None
    faults: Mapping[str, str] | None = None  # by column


def read(table: Sequence[Sequence[str]], *, titles: Mapping[str, str]) -> list[Row]:
    """Take the rows from a table whose first row names the columns; `titles` says what by."""
    if not table:
        raise NoColumns
    columns = [titles.get(_plain(cell)) for cell in table[0]]
    if any(columns.count(name) != 1 for name in REQUIRED):
        raise NoColumns
    rows = []
    for line, cells in enumerate(table[1:], start=2):
        known = {
            name: cell[:LONGEST_CELL].strip()
            for name, cell in zip(columns, cells, strict=False)
            if name is not None
        }
        if any(known.values()):
            rows.append(Row(line, known))
    if len(rows) > MOST_ROWS:
        raise TooManyRows
    return rows


def name_columns(translations: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Collect what may stand above a column: its code, and its title in every language."""
    found = {_plain(code): code for code in COLUMNS}
    for titles in translations:
        found |= {_plain(title): code for code, title in titles.items()}
    return found


def _plain(title: str) -> str:
    without_hint = re.sub(r"[(（].*", "", unicodedata.normalize("NFKC", title))
    return re.sub(r"[\s_]", "", without_hint).casefold()


async def judge(
    tx: Tx, *, centre: Centre, sitting: Sitting, rows: Sequence[Row], now: datetime
) -> list[Judged]:
    """Say of every row what importing it would do."""
    known = {
        entry.candidate_number: entry
        for entry in await entry_lists.list_(tx, centre=centre.number, sitting=sitting.code)
    }
    today = now.astimezone(sitting.zone).date()
    is_open = sitting.window(now) == "open"
    # A long list takes a second to judge; others' requests go on meanwhile.
    return await asyncio.to_thread(_judge_all, rows, known, today=today, is_open=is_open)


def _judge_all(
    rows: Sequence[Row], known: Mapping[str, Entry], *, today: date, is_open: bool
) -> list[Judged]:
    seen: set[str] = set()
    judged = []
    for row in rows:
        form = Form.of(RowForm, {k: v for k, v in row.cells.items() if v}, context={"today": today})
        if form.value is None:
            judged.append(Judged(row, "refused", faults=form.errors))
            continue
        person = Person(**form.value.model_dump())
        one = _judge(row, person, known.get(person.candidate_number), is_open=is_open)
        if person.candidate_number in seen:
            one = _refuse(row, REPEATED)
        seen.add(person.candidate_number)
        judged.append(one)
    return judged


def _judge(row: Row, person: Person, entry: Entry | None, *, is_open: bool) -> Judged:
    if entry is None:
        return Judged(row, "new", person) if is_open else _refuse(row, CLOSED)
    if entry.is_cancelled:
        return _refuse(row, CANCELLED)
    # A column that the list does not have says nothing about what was there before.
    for name in ("latin_name", "internal_id"):
        if name not in row.cells:
            person = replace(person, **{name: getattr(entry, name)})
    is_same = all(getattr(entry, name) == getattr(person, name) for name in COLUMNS)
    return Judged(row, "unchanged" if is_same else "changed", person, entry)


def _refuse(row: Row, sentence: str) -> Judged:
    return Judged(row, "refused", faults={"candidate_number": sentence})


def count(judged: Sequence[Judged]) -> dict[Verdict, int]:
    return dict(Counter(one.verdict for one in judged))


async def carry_out(
    tx: Tx,
    *,
    centre: Centre,
    sitting: Sitting,
    rows: Sequence[Row],
    vault: Vault,
    actor: str,
    now: datetime,
) -> list[Judged]:
    """Import the rows that can be; one list after the other, so that nobody is entered twice."""
    await centres.lock(tx, number=centre.number)
    judged = await judge(tx, centre=centre, sitting=sitting, rows=rows, now=now)
    added = [one.person for one in judged if one.verdict == "new" and one.person]
    changed: dict[UUID, Person] = {}
    lines = []
    for one in judged:
        if one.verdict == "changed" and one.entry and one.person:
            changed[one.entry.id] = one.person
            what = [n for n in COLUMNS if getattr(one.entry, n) != getattr(one.person, n)]
            lines.append(AuditLine(actor, "entry_changed", f"entry {one.entry.id}", {"what": what}))
    await entries.change_list(
        tx,
        centre=centre.number,
        sitting=sitting.code,
        added=added,
        changed=changed,
        vault=vault,
        now=now,
    )
    facts: dict[str, object] = {"centre": centre.number, "rows": count(judged)}
    lines.append(AuditLine(actor, "entries_imported", f"sitting {sitting.code}", facts))
    await audit.record(tx, lines)
    return judged
