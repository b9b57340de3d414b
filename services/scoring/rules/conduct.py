"""Breaches of the exam room's rules: what was recorded against a candidate, and what it costs."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from services.scoring.rules.data_file import Data, Titles, VersionedFile, load

EXAM_RULES = Path(__file__).parent / "exam_rules"


@dataclass(frozen=True)
class PointsDeducted:
    """Points are taken from a section, down to nothing."""

    section: str
    rule: str
    points: int


@dataclass(frozen=True)
class PartNotScored:
    """A part of a section counts nothing."""

    section: str
    rule: str
    part: str


@dataclass(frozen=True)
class SectionZeroed:
    """A section has zero points."""

    section: str
    rule: str


@dataclass(frozen=True)
class SectionNotCounted:
    """A section is not counted: worth as much as zero points, but shown without points."""

    section: str
    rule: str


@dataclass(frozen=True)
class Disqualified:
    """The committee took away the right to sit this exam: no level, whatever the points."""

    rule: str


Conduct = PointsDeducted | PartNotScored | SectionZeroed | SectionNotCounted | Disqualified


class ExamRule(Data):
    """What may be recorded: a rule of the exam room, and what breaking it costs."""

    number: str
    titles: Titles
    effect: Literal[
        "points_deducted",
        "part_not_scored",
        "section_zeroed",
        "section_not_counted",
        "disqualified",
    ]
    points: int | None = None
    # Where it applies; None: everywhere.
    schemes: tuple[str, ...] | None = None
    sections: tuple[str, ...] | None = None

    def applies_to(self, scheme: str, section: str) -> bool:
        return (self.schemes is None or scheme in self.schemes) and (
            self.sections is None or section in self.sections
        )

    def broken_in(self, section: str, part: str | None = None) -> Conduct:
        """Make the record of a breach."""
        match self.effect:
            case "points_deducted":
                return PointsDeducted(section, self.number, self.points or 0)
            case "part_not_scored":
                if part is None:
                    raise ValueError(f"rule {self.number} is about a part of a section")
                return PartNotScored(section, self.number, part)
            case "section_zeroed":
                return SectionZeroed(section, self.number)
            case "section_not_counted":
                return SectionNotCounted(section, self.number)
            case "disqualified":
                return Disqualified(self.number)


class ExamRules(VersionedFile):
    """The rules of the exam room of a programme, in the order of their numbers."""

    rules: tuple[ExamRule, ...]


@cache
def load_exam_rules(name: str, version: int | None = None) -> ExamRules:
    """Read a version of a programme's rules, or the newest. LookupError: there is none."""
    return load(ExamRules, EXAM_RULES, name, version)
