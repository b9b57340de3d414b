"""The two ways to a result: points worked out by a scheme, and results taken as they are given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias

from services.scoring.rules import outcomes
from services.scoring.rules.awards import award
from services.scoring.rules.conduct import Conduct
from services.scoring.rules.data_file import Titles
from services.scoring.rules.layout import GRADE, OVERALL, Layout, ResultDoesNotFit, read_result
from services.scoring.rules.outcomes import GivenOutcome, ScoredOutcome
from services.scoring.rules.points import ScoresDoNotFit, read_points
from services.scoring.rules.scheme import WHOLE, Scheme
from shared.i18n import mark

NO_WHOLE_NUMBER = mark("%(field)s is not a whole number: %(given)s")

# What is kept of somebody's scores: points by section and part, or grade, overall and papers.
Given: TypeAlias = dict[str, Any]

_POINTS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
_WHOLE = re.compile(r"[0-9]{1,5}")
_WORDS = {
    GRADE: {"zh-Hant-TW": "等第", "en": "Grade"},
    OVERALL: {"zh-Hant-TW": "總分", "en": "Overall score"},
}
PAPER = "paper"
_WHOLE_SECTION = {"zh-Hant-TW": "整體", "en": "the whole"}


@dataclass(frozen=True)
class Column:
    """A column of a table of scores. It may be headed by its key or by any of its titles."""

    key: str
    titles: Titles

    @property
    def names(self) -> set[str]:
        return {squeeze(name) for name in (self.key, *self.titles.values())}


def squeeze(name: str) -> str:
    """Write a heading as it is compared."""
    return "".join(name.casefold().split())


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a row; the sentence is translated and then filled in."""

    sentence: str
    # Words by language, or the same in all.
    told: Mapping[str, Titles | str]
    column: str = ""  # the key of the one that it is about

    def write(self, sentence: str, language: str) -> str:
        words = {
            name: words if isinstance(words, str) else words[language]
            for name, words in self.told.items()
        }
        return sentence % words


class RowDoesNotFit(ValueError):
    """These cells are no scores of this exam; each fault says why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.write(fault.sentence, "en") for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class SchemeMarking:
    """Points of sections and parts, from which a scheme works out a level."""

    scheme: Scheme

    @property
    def file(self) -> str:
        """The file and its version, as a result remembers it."""
        return f"{self.scheme.name}.v{self.scheme.version}"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every part; and every section as a whole, where no level looks into it."""
        found = []
        for name, section in self.scheme.sections.items():
            if not self.scheme.needs_parts(name):
                found.append(Column(name, section.titles))
            found += [
                Column(f"{name}.{part}", _joined(section.titles, rule.titles))
                for part, rule in section.parts.items()
            ]
        return tuple(found)

    def read(self, cells: Mapping[str, str]) -> Given:
        """Read a row's cells by column, or say all that is wrong with them."""
        scores: dict[str, dict[str, Any]] = {}
        for key, text in cells.items():
            section, _, part = key.partition(".")
            if text:
                scores.setdefault(section, {})[part or WHOLE] = _read_points(text)
        try:
            points = read_points(self.scheme, scores, ())
        except ScoresDoNotFit as wrong:
            raise RowDoesNotFit(
                [
                    Fault(
                        problem.sentence,
                        {
                            "section": self._name(problem.section),
                            "part": self._name(problem.section, problem.part),
                            "maximum": str(problem.maximum),
                            "points": str(problem.points),
                        },
                        self._column(problem.section, problem.part),
                    )
                    for problem in wrong.problems
                ]
            ) from None
        return {
            section: {part: outcomes.write_points(number) for part, number in parts.items()}
            for section, parts in points.items()
        }

    def _column(self, section: str, part: str) -> str:
        """The column of a part, or the first of its section."""
        wanted = f"{section}.{part}" if part not in ("", WHOLE) else section
        keys = [column.key for column in self.columns]
        of_section = [key for key in keys if key.partition(".")[0] == section]
        return wanted if wanted in of_section else next(iter(of_section), "")

    def _name(self, section: str, part: str = "") -> Titles | str:
        known = self.scheme.sections.get(section)
        if known is None:
            return section
        if not part:
            return known.titles
        if part == WHOLE:
            return _WHOLE_SECTION
        return known.parts[part].titles if part in known.parts else part

    def write(self, given: Given) -> dict[str, str]:
        """Write what was read as cells again."""
        return {
            section if part == WHOLE else f"{section}.{part}": points
            for section, parts in given.items()
            for part, points in parts.items()
        }

    def work_out(self, given: Given, conduct: Sequence[Conduct] = ()) -> ScoredOutcome:
        scores = {
            section: {part: Decimal(points) for part, points in parts.items()}
            for section, parts in given.items()
        }
        worked_out = award(self.scheme.name, scores, conduct, version=self.scheme.version)
        return outcomes.of_award(worked_out)

    def absent(self) -> ScoredOutcome:
        return ScoredOutcome(scheme=self.scheme.name, version=self.scheme.version, is_absent=True)


@dataclass(frozen=True)
class GivenMarking:
    """Results of an exam of a layout: nothing is worked out."""

    layout: Layout
    exam: str

    @property
    def file(self) -> str:
        return f"{self.layout.name}.v{self.layout.version}"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        rules = self.layout.exams[self.exam]
        found = [Column(GRADE, _WORDS[GRADE])] if rules.grades else []
        if rules.overall is not None:
            found.append(Column(OVERALL, _WORDS[OVERALL]))
        found += [Column(f"{PAPER}.{name}", paper.titles) for name, paper in rules.papers.items()]
        return tuple(found)

    def read(self, cells: Mapping[str, str]) -> Given:
        titles = {column.key: column.titles for column in self.columns}
        faults, numbers = [], {}
        for key, text in cells.items():
            if key == GRADE or not text:
                continue
            if not _WHOLE.fullmatch(text):
                told: dict[str, Titles | str] = {"field": titles.get(key, key), "given": text[:40]}
                faults.append(Fault(NO_WHOLE_NUMBER, told, key if key in titles else ""))
            else:
                numbers[key] = int(text)
        if faults:
            raise RowDoesNotFit(faults)
        papers = {
            key.removeprefix(f"{PAPER}."): number
            for key, number in numbers.items()
            if key != OVERALL
        }
        given: Given = {
            "grade": cells.get(GRADE) or None,
            "overall": numbers.get(OVERALL),
            "papers": papers,
        }
        try:
            result = read_result(self.layout, exam=self.exam, **given)
        except ResultDoesNotFit as wrong:
            raise RowDoesNotFit(
                [
                    Fault(
                        misfit.sentence,
                        {
                            "field": self._title(titles, misfit.field),
                            "given": str(misfit.given)[:40],
                        },
                        self._column(misfit.field),
                    )
                    for misfit in wrong.misfits
                ]
            ) from None
        return given | {"grade": result.grade}

    def _column(self, field: str) -> str:
        keys = {column.key for column in self.columns}
        return next((key for key in (field, f"{PAPER}.{field}") if key in keys), "")

    @staticmethod
    def _title(titles: Mapping[str, Titles], field: str) -> Titles | str:
        return titles.get(field) or titles.get(f"{PAPER}.{field}") or field

    def write(self, given: Given) -> dict[str, str]:
        cells = {GRADE: given["grade"], OVERALL: given["overall"]}
        cells |= {f"{PAPER}.{name}": score for name, score in given["papers"].items()}
        return {key: str(value) for key, value in cells.items() if value is not None}

    def work_out(self, given: Given, conduct: Sequence[Conduct] = ()) -> GivenOutcome:
        return outcomes.of_given(read_result(self.layout, exam=self.exam, **given))

    def absent(self) -> GivenOutcome:
        return GivenOutcome(
            layout=self.layout.name, version=self.layout.version, exam=self.exam, is_absent=True
        )


Marking: TypeAlias = SchemeMarking | GivenMarking


def _joined(section: Titles, part: Titles) -> Titles:
    return {language: f"{title} – {part[language]}" for language, title in section.items()}


def _read_points(text: str) -> Any:
    """Read points; what are none stays what it was, and is then found to be no number."""
    return Decimal(text) if _POINTS.fullmatch(text) else text
