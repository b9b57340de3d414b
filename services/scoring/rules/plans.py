"""How the exams of a programme get their results: by a pass scheme, or given by somebody else."""

from functools import cache
from pathlib import Path

from services.scoring.rules.conduct import ExamRules, load_exam_rules
from services.scoring.rules.data_file import Data, VersionedFile, load
from services.scoring.rules.layout import load_layout
from services.scoring.rules.marking import GivenMarking, Marking, SchemeMarking
from services.scoring.rules.scheme import load_scheme

PLANS = Path(__file__).parent / "plans"


class PlannedExam(Data):
    """By which scheme an exam is scored, or which exam of the plan's layout it is."""

    scheme: str | None = None
    exam: str | None = None


class Plan(VersionedFile):
    """The exams of a programme, by the codes of its level groups."""

    exam_rules: str | None = None
    layout: str | None = None
    exams: dict[str, PlannedExam]


@cache
def find_marking(programme: str, exam: str, version: int | None = None) -> Marking | None:
    """Find how an exam gets its results, by a version of its scheme or layout, or the newest."""
    plan = _find_plan(programme)
    planned = plan.exams.get(exam) if plan else None
    if plan is None or planned is None:
        return None
    if planned.scheme is not None:
        return SchemeMarking(load_scheme(planned.scheme, version))
    if plan.layout is None or planned.exam is None:
        return None
    return GivenMarking(load_layout(plan.layout, version), planned.exam)


@cache
def find_exam_rules(programme: str) -> ExamRules | None:
    """Find the rules of the exam room; who only passes results on has none."""
    plan = _find_plan(programme)
    return load_exam_rules(plan.exam_rules) if plan and plan.exam_rules else None


def _find_plan(programme: str) -> Plan | None:
    try:
        return load(Plan, PLANS, programme)
    except LookupError:
        return None
