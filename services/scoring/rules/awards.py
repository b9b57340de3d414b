"""From points and conduct to a level, and to the reasons why it is not a higher one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.scoring.rules.conduct import (
    Conduct,
    Disqualified,
    PartNotScored,
    PointsDeducted,
    SectionNotCounted,
    SectionZeroed,
)
from services.scoring.rules.points import Scores, read_points
from services.scoring.rules.scheme import Level, load_scheme

NOTHING = Decimal()


@dataclass(frozen=True)
class SectionResult:
    """A section's points before conduct and after it."""

    section: str
    marked: Decimal
    points: Decimal
    parts: Mapping[str, Decimal]  # after conduct, save for what is deducted from the whole
    is_counted: bool = True

    @property
    def deducted(self) -> Decimal:
        return self.marked - self.points


@dataclass(frozen=True)
class Shortfall:
    """One condition of a level that is not fulfilled."""

    level: str
    of: Literal["total", "section", "part"]
    reached: Decimal
    needed: Decimal
    # More than what is needed, and not just as much.
    is_exclusive: bool = False
    section: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Award:
    """What came out, by which scheme."""

    scheme: str
    version: int
    level: str | None
    total: Decimal
    sections: tuple[SectionResult, ...]
    conduct: tuple[Conduct, ...]
    # Of every level above the one awarded, the best first.
    shortfalls: tuple[Shortfall, ...]
    is_disqualified: bool = False


def award(
    scheme: str, scores: Scores, conduct: Sequence[Conduct] = (), *, version: int | None = None
) -> Award:
    """Give the best level whose conditions all hold, by a version of a scheme or the newest.

    Whole sections decide after conduct; so does the total. In which order conduct was recorded
    makes no difference.
    """
    rules = load_scheme(scheme, version)
    points = read_points(rules, scores, conduct)
    sections = {name: _result(name, parts, conduct) for name, parts in points.items()}
    total = sum((section.points for section in sections.values()), NOTHING)
    is_disqualified = any(isinstance(record, Disqualified) for record in conduct)
    reached = None
    shortfalls: list[Shortfall] = []
    for level in rules.levels:
        short = [*_shortfalls(level, sections, total)]
        if not short and not is_disqualified:
            reached = level.name
            break
        shortfalls += short
    return Award(
        scheme=rules.name,
        version=rules.version,
        level=reached,
        total=total,
        sections=tuple(sections.values()),
        conduct=tuple(sorted(conduct, key=repr)),
        shortfalls=tuple(shortfalls),
        is_disqualified=is_disqualified,
    )


def _result(
    section: str, parts: Mapping[str, Decimal], conduct: Sequence[Conduct]
) -> SectionResult:
    here = [
        record
        for record in conduct
        if not isinstance(record, Disqualified) and record.section == section
    ]
    is_counted = not any(isinstance(record, SectionNotCounted) for record in here)
    is_zero = not is_counted or any(isinstance(record, SectionZeroed) for record in here)
    unscored = {record.part for record in here if isinstance(record, PartNotScored)}
    scored = {
        part: NOTHING if is_zero or part in unscored else points for part, points in parts.items()
    }
    taken = sum(record.points for record in here if isinstance(record, PointsDeducted))
    return SectionResult(
        section=section,
        marked=sum(parts.values(), NOTHING),
        points=max(NOTHING, sum(scored.values(), NOTHING) - taken),
        parts=scored,
        is_counted=is_counted,
    )


def _shortfalls(
    level: Level, sections: Mapping[str, SectionResult], total: Decimal
) -> Iterator[Shortfall]:
    name = level.name
    if total < level.total:
        yield Shortfall(name, "total", total, level.total)
    for section, minimum in level.sections.items():
        if sections[section].points < minimum:
            yield Shortfall(name, "section", sections[section].points, minimum, section=section)
    for section, parts in level.parts.items():
        for part, needs in parts.items():
            reached = sections[section].parts[part]
            if needs.at_least is not None and reached < needs.at_least:
                yield Shortfall(name, "part", reached, needs.at_least, False, section, part)
            if needs.above is not None and reached <= needs.above:
                yield Shortfall(name, "part", reached, needs.above, True, section, part)
