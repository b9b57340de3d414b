"""Results that come from somewhere else: which grades, scores and papers an exam's results have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.scoring.rules.data_file import Data, Titles, VersionedFile, load
from shared.i18n import mark

LAYOUTS = Path(__file__).parent / "layouts"

UNKNOWN_EXAM = mark("There is no exam %(field)s")
MISSING = mark("There is no %(field)s")
NOT_SHOWN = mark("Results of this exam have no %(field)s")
UNKNOWN_GRADE = mark("This exam has no grade %(given)s")
OUT_OF_RANGE = mark("%(given)s is outside the range of %(field)s")

GRADE = "grade"
OVERALL = "overall"


class Range(Data):
    """The scores that are reported, both ends included."""

    lowest: int
    highest: int


class Paper(Range):
    """A paper that the statement of results breaks the result down to."""

    titles: Titles


class Exam(Data):
    """What a result of an exam has: no grades, no overall score or no papers are possible."""

    titles: Titles
    grades: tuple[str, ...] = ()
    # Grades of people some of whose scores are too low to be reported.
    may_lack_scores: tuple[str, ...] = ()
    overall: Range | None = None
    papers: dict[str, Paper] = Field(default_factory=dict)


class Layout(VersionedFile):
    """The exams of a programme, and the grades they give."""

    grades: dict[str, Titles]
    exams: dict[str, Exam]

    @model_validator(mode="after")
    def _must_know_every_grade(self) -> Self:
        used = {grade for exam in self.exams.values() for grade in exam.grades}
        if unknown := used - self.grades.keys():
            raise ValueError(f"there are no titles of {', '.join(sorted(unknown))}")
        return self

    def find_grade(self, exam: Exam, given: str) -> str | None:
        """Find a grade by its code or English title, whatever its capitals."""
        wanted = " ".join(given.casefold().split())
        names = ((code, self.grades[code]["en"].casefold()) for code in exam.grades)
        return next((code for code, title in names if wanted in {code, title}), None)


@dataclass(frozen=True)
class GivenResult:
    """A result as it was given, found to be one of its exam."""

    layout: str
    version: int
    exam: str
    grade: str | None
    overall: int | None
    papers: Mapping[str, int]


@dataclass(frozen=True)
class Misfit:
    """One thing that is wrong; the sentence is translated and then filled in."""

    sentence: str
    field: str
    given: str | int | None = None

    def __str__(self) -> str:
        return self.sentence % vars(self)


class ResultDoesNotFit(ValueError):
    """This is no result of this exam; each misfit says why."""

    def __init__(self, misfits: list[Misfit]) -> None:
        super().__init__("; ".join(map(str, misfits)))
        self.misfits = tuple(misfits)


@cache
def load_layout(name: str, version: int | None = None) -> Layout:
    """Read a version of a layout, or the newest. LookupError: there is none."""
    return load(Layout, LAYOUTS, name, version)


def read_result(
    layout: Layout,
    *,
    exam: str,
    grade: str | None = None,
    overall: int | None = None,
    papers: Mapping[str, int] | None = None,
) -> GivenResult:
    """Take a result as it is given, or say all that is wrong with it."""
    papers = papers or {}
    if exam not in layout.exams:
        raise ResultDoesNotFit([Misfit(UNKNOWN_EXAM, exam)])
    rules = layout.exams[exam]
    found = layout.find_grade(rules, grade) if grade else None
    misfits = [*_misfits_of_grade(rules, grade, found)]
    ranges: dict[str, Range | None] = {OVERALL: rules.overall, **dict.fromkeys(papers)}
    ranges |= rules.papers
    given = {**papers, OVERALL: overall}
    for field, scores in ranges.items():
        misfit = _misfit_of_score(field, scores, given.get(field))
        may_be = found in rules.may_lack_scores and given.get(field) is None
        misfits += [misfit] if misfit and not may_be else []
    if misfits:
        raise ResultDoesNotFit(misfits)
    return GivenResult(layout.name, layout.version, exam, found, overall, dict(papers))


def _misfits_of_grade(rules: Exam, given: str | None, found: str | None) -> Iterator[Misfit]:
    if rules.grades and not given:
        yield Misfit(MISSING, GRADE)
    elif given and not rules.grades:
        yield Misfit(NOT_SHOWN, GRADE)
    elif given and not found:
        yield Misfit(UNKNOWN_GRADE, GRADE, given)


def _misfit_of_score(field: str, scores: Range | None, given: int | None) -> Misfit | None:
    if scores is None:
        return None if given is None else Misfit(NOT_SHOWN, field, given)
    if given is None:
        return Misfit(MISSING, field)
    in_range = scores.lowest <= given <= scores.highest
    return None if in_range else Misfit(OUT_OF_RANGE, field, given)
