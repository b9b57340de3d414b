"""How points become results: pure rules over data files, no I/O but reading those, no clock."""

from services.scoring.rules.awards import Award, SectionResult, Shortfall, award
from services.scoring.rules.conduct import (
    Conduct,
    Disqualified,
    ExamRule,
    ExamRules,
    PartNotScored,
    PointsDeducted,
    SectionNotCounted,
    SectionZeroed,
    load_exam_rules,
)
from services.scoring.rules.layout import GivenResult, ResultDoesNotFit, load_layout, read_result
from services.scoring.rules.marking import (
    Fault,
    Given,
    GivenMarking,
    Marking,
    RowDoesNotFit,
    SchemeMarking,
)
from services.scoring.rules.outcomes import GivenOutcome, ScoredOutcome
from services.scoring.rules.plans import find_exam_rules, find_marking
from services.scoring.rules.points import Problem, ScoresDoNotFit
from services.scoring.rules.scheme import Scheme, list_schemes, load_scheme

__all__ = [
    "Award",
    "Conduct",
    "Disqualified",
    "ExamRule",
    "ExamRules",
    "Fault",
    "Given",
    "GivenMarking",
    "GivenOutcome",
    "GivenResult",
    "Marking",
    "PartNotScored",
    "PointsDeducted",
    "Problem",
    "ResultDoesNotFit",
    "RowDoesNotFit",
    "Scheme",
    "SchemeMarking",
    "ScoredOutcome",
    "ScoresDoNotFit",
    "SectionNotCounted",
    "SectionResult",
    "SectionZeroed",
    "Shortfall",
    "award",
    "find_exam_rules",
    "find_marking",
    "list_schemes",
    "load_exam_rules",
    "load_layout",
    "load_scheme",
    "read_result",
]
