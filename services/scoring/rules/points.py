"""Points as they come in: every one where the scheme wants it and none above its maximum."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.scoring.rules.conduct import Conduct, Disqualified, PartNotScored, PointsDeducted
from services.scoring.rules.scheme import WHOLE, Scheme, Section
from shared.i18n import mark

Points = Decimal | int
Scores = Mapping[str, Mapping[str, Points]]

UNKNOWN_SECTION = mark("This exam has no section %(section)s")
MISSING_SECTION = mark("There are no points for %(section)s")
UNKNOWN_PART = mark("%(section)s has no part %(part)s")
MISSING_PART = mark("There are no points for %(part)s of %(section)s")
NO_NUMBER = mark("The points for %(part)s of %(section)s are not a number")
BELOW_ZERO = mark("The points for %(part)s of %(section)s are below zero")
ABOVE_MAXIMUM = mark("The points for %(part)s of %(section)s are more than %(maximum)s")
SECTION_ABOVE_MAXIMUM = mark("The parts of %(section)s add up to more than %(maximum)s points")
UNKNOWN_DEDUCTION = mark("%(points)s points cannot be taken from %(section)s")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; the sentence is translated and then filled in."""

    sentence: str
    section: str
    part: str = ""
    points: Points | None = None
    maximum: Decimal | None = None

    def __str__(self) -> str:
        return self.sentence % vars(self)


class ScoresDoNotFit(ValueError):
    """These scores are none of this exam; each problem says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


def read_points(
    scheme: Scheme, scores: Scores, conduct: Sequence[Conduct]
) -> dict[str, dict[str, Decimal]]:
    """Give the points of every section by part, in the scheme's order, or say all that is wrong."""
    problems = [Problem(UNKNOWN_SECTION, name) for name in scores if name not in scheme.sections]
    for name, section in scheme.sections.items():
        if name in scores:
            problems += _problems_of(scheme, name, section, scores[name])
        else:
            problems.append(Problem(MISSING_SECTION, name))
    for record in conduct:
        problems += _problems_of_conduct(scheme, scores, record)
    if problems:
        raise ScoresDoNotFit(problems)
    return {
        name: {part: Decimal(points) for part, points in scores[name].items()}
        for name in scheme.sections
    }


def _problems_of(
    scheme: Scheme, name: str, section: Section, given: Mapping[str, Points]
) -> Iterator[Problem]:
    maxima = {part: rule.maximum or section.maximum for part, rule in section.parts.items()}
    if WHOLE in given and not scheme.needs_parts(name):
        maxima = {WHOLE: section.maximum}
    yield from (Problem(UNKNOWN_PART, name, part) for part in given if part not in maxima)
    wrong = False
    for part, maximum in maxima.items():
        if part not in given:
            yield Problem(MISSING_PART, name, part)
        elif sentence := _fault(given[part], maximum):
            wrong = True
            yield Problem(sentence, name, part, given[part], maximum)
    known = [points for part, points in given.items() if part in maxima]
    if not wrong and sum(known) > section.maximum:
        yield Problem(SECTION_ABOVE_MAXIMUM, name, maximum=section.maximum)


def _fault(points: object, maximum: Decimal) -> str | None:
    # Floats are refused: 0.1 is none of them, and a level must not hang on that. True is 1 point
    # to Python only.
    if isinstance(points, bool) or not isinstance(points, int | Decimal):
        return NO_NUMBER
    if isinstance(points, Decimal) and not points.is_finite():
        return NO_NUMBER
    if points < 0:
        return BELOW_ZERO
    return ABOVE_MAXIMUM if points > maximum else None


def _problems_of_conduct(scheme: Scheme, scores: Scores, record: Conduct) -> Iterator[Problem]:
    if isinstance(record, Disqualified):
        return
    if record.section not in scheme.sections:
        yield Problem(UNKNOWN_SECTION, record.section)
    elif isinstance(record, PartNotScored):
        if record.part not in scores.get(record.section, {}):
            yield Problem(UNKNOWN_PART, record.section, record.part)
    elif isinstance(record, PointsDeducted) and record.points not in scheme.deductions:
        yield Problem(UNKNOWN_DEDUCTION, record.section, points=record.points)
