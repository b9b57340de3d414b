"""How points become results: pure rules over data files, no I/O but reading those, no clock."""

from services.scoring.rules.awards import Award, SectionResult, Shortfall, award
from services.scoring.rules.conduct import (
    Conduct,
    Disqualified,
    ExamRule,
    PartNotScored,
    PointsDeducted,
    SectionNotCounted,
    SectionZeroed,
    load_exam_rules,
)
from services.scoring.rules.layout import GivenResult, ResultDoesNotFit, load_layout, read_result
from services.scoring.rules.points import Problem, ScoresDoNotFit
from services.scoring.rules.scheme import Scheme, list_schemes, load_scheme

__all__ = [
    "Award",
    "Conduct",
    "Disqualified",
    "ExamRule",
    "GivenResult",
    "PartNotScored",
    "PointsDeducted",
    "Problem",
    "ResultDoesNotFit",
    "Scheme",
    "ScoresDoNotFit",
    "SectionNotCounted",
    "SectionResult",
    "SectionZeroed",
    "Shortfall",
    "award",
    "list_schemes",
    "load_exam_rules",
    "load_layout",
    "load_scheme",
    "read_result",
]
