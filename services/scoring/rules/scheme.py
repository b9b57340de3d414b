"""A pass scheme: the sections of an exam, their most points, and what each level asks for."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.scoring.rules.data_file import Data, Titles, VersionedFile, find_versions, load

SCHEMES = Path(__file__).parent / "schemes"

# How a section is named when its points come as one number.
WHOLE = "all"


class Part(Data):
    """A task of a section. One without a maximum shares the section's with the others."""

    titles: Titles
    maximum: Decimal | None = None


class Section(Data):
    """A paper with points of its own."""

    titles: Titles
    maximum: Decimal
    parts: dict[str, Part]


class PartMinimum(Data):
    """What a level asks of a part: so many points, or more than so many."""

    at_least: Decimal | None = None
    above: Decimal | None = None

    def is_reached(self, points: Decimal) -> bool:
        return (self.at_least is None or points >= self.at_least) and (
            self.above is None or points > self.above
        )


class Level(Data):
    """What one needs for a level: all of this."""

    titles: Titles
    total: Decimal
    sections: dict[str, Decimal] = Field(default_factory=dict)
    parts: dict[str, dict[str, PartMinimum]] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """How results remember the level: its Chinese name, which certificates bear too."""
        return self.titles["zh-Hant-TW"]


class Scheme(VersionedFile):
    """How points become a level."""

    titles: Titles
    deductions: tuple[int, ...]
    sections: dict[str, Section]
    levels: tuple[Level, ...]

    @property
    def maximum(self) -> Decimal:
        return sum((section.maximum for section in self.sections.values()), Decimal())

    def needs_parts(self, section: str) -> bool:
        """Test whether some level looks into a section."""
        return any(section in level.parts for level in self.levels)

    @model_validator(mode="after")
    def _must_make_sense(self) -> Self:
        if faults := [*self._faults()]:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        for name, section in self.sections.items():
            maxima = [part.maximum for part in section.parts.values()]
            own = sum((maximum for maximum in maxima if maximum is not None), Decimal())
            if own > section.maximum or (None not in maxima and own < section.maximum):
                yield f"the parts of {name} do not add up to {section.maximum}"
            if WHOLE in section.parts:
                yield f"no part of {name} may be named {WHOLE}"
        if [*self.levels] != sorted(self.levels, key=lambda level: level.total, reverse=True):
            yield "the best level must come first"
        for level in self.levels:
            yield from self._faults_of(level)

    def _faults_of(self, level: Level) -> Iterator[str]:
        if level.total > self.maximum:
            yield f"nobody can reach {level.total} of {self.maximum} points"
        for name, minimum in level.sections.items():
            if name not in self.sections:
                yield f"there is no section {name}"
            elif minimum > self.sections[name].maximum:
                yield f"nobody can reach {minimum} points in {name}"
        for name, parts in level.parts.items():
            known = self.sections[name].parts if name in self.sections else {}
            yield from (f"{name} has no part {part}" for part in parts if part not in known)


@cache
def load_scheme(name: str, version: int | None = None) -> Scheme:
    """Read a version of a scheme, or the newest. LookupError: there is none."""
    return load(Scheme, SCHEMES, name, version)


def list_schemes() -> list[str]:
    return sorted(find_versions(SCHEMES))
