"""What comes out for one candidate, in the form in which it is kept, compared and digested."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, TypeAdapter

from services.scoring.rules.awards import Award
from services.scoring.rules.conduct import (
    Conduct,
    Disqualified,
    PartNotScored,
    PointsDeducted,
)
from services.scoring.rules.data_file import Data
from services.scoring.rules.layout import GivenResult


def write_points(points: Decimal) -> str:
    """Write points in their one form: 25, and neither 25.0 nor 2.5E+1."""
    text = format(points, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


Points = Annotated[Decimal, PlainSerializer(write_points, return_type=str)]


class SectionOutcome(Data):
    """A section before conduct and after it."""

    marked: Points
    points: Points
    parts: dict[str, Points]
    is_counted: bool


class Breach(Data):
    """A breach of the exam room's rules, and what it cost."""

    rule: str
    section: str = ""
    part: str = ""
    effect: str
    points: int | None = None


class Missed(Data):
    """A condition of a higher level that was not fulfilled."""

    level: str
    of: Literal["total", "section", "part"]
    section: str | None = None
    part: str | None = None
    reached: Points
    needed: Points
    is_exclusive: bool


class ScoredOutcome(Data):
    """Points and the level they give, by a version of a pass scheme."""

    kind: Literal["scored"] = "scored"
    scheme: str
    version: int
    is_absent: bool = False
    is_disqualified: bool = False
    level: str | None = None
    total: Points | None = None
    sections: dict[str, SectionOutcome] = Field(default_factory=dict)
    conduct: tuple[Breach, ...] = ()
    missed: tuple[Missed, ...] = ()


class GivenOutcome(Data):
    """A result as somebody else gave it, by a version of a layout."""

    kind: Literal["given"] = "given"
    layout: str
    version: int
    exam: str
    is_absent: bool = False
    grade: str | None = None
    overall: int | None = None
    papers: dict[str, int] = Field(default_factory=dict)


Outcome = Annotated[ScoredOutcome | GivenOutcome, Field(discriminator="kind")]

_ANY: TypeAdapter[ScoredOutcome | GivenOutcome] = TypeAdapter(Outcome)


def read(kept: Mapping[str, Any]) -> ScoredOutcome | GivenOutcome:
    """Read an outcome as it was kept."""
    return _ANY.validate_python(kept)


def of_award(award: Award) -> ScoredOutcome:
    return ScoredOutcome.model_construct(
        scheme=award.scheme,
        version=award.version,
        is_disqualified=award.is_disqualified,
        level=award.level,
        total=award.total,
        sections={
            section.section: SectionOutcome.model_construct(
                marked=section.marked,
                points=section.points,
                parts=dict(section.parts),
                is_counted=section.is_counted,
            )
            for section in award.sections
        },
        conduct=tuple(_breach(record) for record in award.conduct),
        missed=tuple(Missed.model_construct(**vars(short)) for short in award.shortfalls),
    )


def _breach(record: Conduct) -> Breach:
    return Breach(
        rule=record.rule,
        section="" if isinstance(record, Disqualified) else record.section,
        part=record.part if isinstance(record, PartNotScored) else "",
        effect=type(record).__name__,
        points=record.points if isinstance(record, PointsDeducted) else None,
    )


def of_given(result: GivenResult) -> GivenOutcome:
    return GivenOutcome(
        layout=result.layout,
        version=result.version,
        exam=result.exam,
        grade=result.grade,
        overall=result.overall,
        papers=dict(result.papers),
    )


def canonical(told: Mapping[str, Any]) -> str:
    """Write JSON in its one form, so that the same is digested alike everywhere."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
