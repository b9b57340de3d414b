"""A table of scores that somebody hands in: every row judged, before anything is changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from services.scoring.rules.marking import (
    Column,
    Fault,
    Given,
    Marking,
    RowDoesNotFit,
    squeeze,
)
from shared.i18n import mark

ID_NUMBER = Column("id_number", {"zh-Hant-TW": "考生編號", "en": "ID number"})
CANDIDATE_NUMBER = Column("candidate_number", {"zh-Hant-TW": "應考號碼", "en": "Candidate number"})
NAME = Column("name", {"zh-Hant-TW": "姓名", "en": "Name"})
ABSENT = Column("absent", {"zh-Hant-TW": "缺考", "en": "Absent"})
_NUMBERS = (ID_NUMBER.key, CANDIDATE_NUMBER.key)
YES = {"yes", "y", "x", "1", "true", "absent", "是", "缺考", "v"}
NO = {"", "no", "n", "0", "false", "否", "-"}

ABSENT_WITH_SCORES = mark("Somebody who was absent has no scores")
ABSENT_UNCLEAR = mark("Whether somebody was absent is said by yes or nothing, not by %(given)s")

LONGEST_SHOWN = 40

Verdict: TypeAlias = Literal[
    "new",
    "changed",
    "same",
    "unknown",
    "ambiguous",
    "contradictory",
    "repeated",
    "cancelled",
    "wrong",
]
GOOD: tuple[Verdict, ...] = ("new", "changed", "same")


@dataclass(frozen=True)
class Known:
    """A candidate of the sitting, as far as a row has to know them."""

    entry_id: UUID
    is_cancelled: bool
    has_scores: bool
    given: Given | None  # with scores, None: they were absent


@dataclass(frozen=True)
class RowReport:
    """A row, and what its import would do."""

    line: int
    number: str
    verdict: Verdict
    entry_id: UUID | None = None
    given: Given | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def is_good(self) -> bool:
        return self.verdict in GOOD


@dataclass(frozen=True)
class Report:
    """What an import would do, row by row; or which columns it lacks."""

    rows: Sequence[RowReport]
    missing: Sequence[Column] = ()
    ignored: Sequence[str] = ()  # headings that mean nothing to us

    def counts(self) -> dict[str, int]:
        return dict(Counter(row.verdict for row in self.rows))

    @property
    def to_import(self) -> list[RowReport]:
        return [row for row in self.rows if row.verdict in {"new", "changed"}]


def all_columns(marking: Marking) -> tuple[Column, ...]:
    return (ID_NUMBER, CANDIDATE_NUMBER, NAME, *marking.columns, ABSENT)


def list_numbers(table: Sequence[Sequence[str]], *, marking: Marking) -> set[str]:
    """All that may be somebody's number, as it is compared."""
    heads = _read_heads(table[0], marking) if table else []
    places = [at for at, head in enumerate(heads) if head in _NUMBERS]
    return {as_compared(row[at]) for row in table[1:] for at in places if at < len(row)}


def _read_heads(row: Sequence[str], marking: Marking) -> list[str | None]:
    names = {name: column.key for column in all_columns(marking) for name in column.names}
    return [names.get(squeeze(cell)) for cell in row]


def as_compared(number: str) -> str:
    """Write a number as it is compared: spreadsheet programs leave out noughts that come first."""
    return "".join(number.split()).upper().lstrip("0")


def judge(
    table: Sequence[Sequence[str]], *, marking: Marking, known: Mapping[str, Sequence[Known]]
) -> Report:
    """Judge every row. By each number, as it is compared, all candidates are known who have it."""
    if not table:
        return Report([], missing=[ID_NUMBER])
    heads = _read_heads(table[0], marking)
    ignored = [
        cell[:LONGEST_SHOWN]
        for cell, head in zip(table[0], heads, strict=True)
        if cell and not head
    ]
    if not {*_NUMBERS} & {*heads}:
        return Report([], missing=[ID_NUMBER], ignored=ignored)
    return Report([*_judge_rows(table[1:], heads, marking, known)], ignored=ignored)


def _judge_rows(
    rows: Sequence[Sequence[str]],
    heads: Sequence[str | None],
    marking: Marking,
    known: Mapping[str, Sequence[Known]],
) -> Iterator[RowReport]:
    seen: set[UUID] = set()
    for line, row in enumerate(rows, start=2):
        cells = {head: text for head, text in zip(heads, row, strict=False) if head}
        if not any(row):
            continue
        typed = [cells[key] for key in _NUMBERS if cells.get(key)]
        number, candidate = " / ".join(typed)[:LONGEST_SHOWN], _identify(typed, known)
        if not isinstance(candidate, Known):
            yield RowReport(line, number, candidate)
        elif candidate.is_cancelled:
            yield RowReport(line, number, "cancelled", candidate.entry_id)
        elif candidate.entry_id in seen:
            yield RowReport(line, number, "repeated", candidate.entry_id)
        else:
            seen.add(candidate.entry_id)
            yield _judge_cells(line, number, candidate, cells, marking)


def _identify(typed: Sequence[str], known: Mapping[str, Sequence[Known]]) -> Known | Verdict:
    """Find the one candidate who has every number that a row gives."""
    # Centres count their candidates from 0001, each for itself: such a number alone says nothing
    # where two of them share a sitting.
    found = [known.get(as_compared(number), ()) for number in typed]
    if not found or not found[0]:
        return "unknown"
    agreed = [one for one in found[0] if all(one in others for others in found)]
    if not agreed:
        return "contradictory"
    return agreed[0] if len(agreed) == 1 else "ambiguous"


def _judge_cells(
    line: int, number: str, candidate: Known, cells: Mapping[str, str], marking: Marking
) -> RowReport:
    keys = {column.key for column in marking.columns}
    scores = {key: text for key, text in cells.items() if key in keys}
    try:
        given = None if _is_absent(cells, scores) else marking.read(scores)
    except RowDoesNotFit as wrong:
        return RowReport(line, number, "wrong", candidate.entry_id, faults=wrong.faults)
    verdict: Verdict = "new"
    if candidate.has_scores:
        verdict = "same" if candidate.given == given else "changed"
    return RowReport(line, number, verdict, candidate.entry_id, given)


def _is_absent(cells: Mapping[str, str], scores: Mapping[str, str]) -> bool:
    said = cells.get(ABSENT.key, "").strip()
    if said.casefold() in NO:
        return False
    if said.casefold() not in YES:
        raise RowDoesNotFit([Fault(ABSENT_UNCLEAR, {"given": said[:LONGEST_SHOWN]})])
    if any(scores.values()):
        raise RowDoesNotFit([Fault(ABSENT_WITH_SCORES, {})])
    return True


def template(marking: Marking, language: str) -> list[str]:
    """The headings of an empty table, in words."""
    return [column.titles[language] for column in all_columns(marking)]
