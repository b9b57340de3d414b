"""The rules of the exam room are offered where they apply, and make records that count."""

import pytest

from services.scoring.rules import (
    Disqualified,
    ExamRule,
    PartNotScored,
    PointsDeducted,
    SectionNotCounted,
    SectionZeroed,
    award,
    load_exam_rules,
    load_scheme,
)
from tests.scoring.exams import MOST, changed

RULES = {rule.number: rule for rule in load_exam_rules("hakka-115").rules}


def numbers(scheme: str, section: str) -> set[str]:
    return {rule.number for rule in RULES.values() if rule.applies_to(scheme, section)}


def test_every_number_is_there_once_and_in_order() -> None:
    found = [rule.number for rule in load_exam_rules("hakka-115").rules]
    assert len(found) == len(set(found)) == 28
    assert found == sorted(found, key=lambda number: [int(part) for part in number.split(".")])


@pytest.mark.parametrize(
    ("number", "points"),
    [
        *(("1", 5), ("6.1", 1), ("6.2", 3), ("6.3", 5), ("6.4", 1), ("6.5", 3), ("7", 3)),
        *(("8.1", 3), ("9.1", 3), ("10.1", 5), ("12", 3)),
        *(("13.1.1", 3), ("13.1.2", 3), ("13.3.1", 5)),
    ],
)
def test_the_deductions_are_those_of_the_regulations(number: str, points: int) -> None:
    assert RULES[number].broken_in("reading") == PointsDeducted("reading", number, points)


def test_no_other_rule_deducts_points() -> None:
    deducting = [rule for rule in RULES.values() if rule.effect == "points_deducted"]
    assert len(deducting) == 14
    assert [rule.number for rule in RULES.values() if rule.points and rule not in deducting] == []


def test_graver_breaches_cost_a_part_a_section_or_the_exam() -> None:
    assert RULES["3"].broken_in("reading") == SectionZeroed("reading", "3")
    assert RULES["5"].broken_in("reading") == SectionNotCounted("reading", "5")
    assert RULES["9.4"].broken_in("reading") == Disqualified("9.4")
    assert RULES["13.4"].broken_in("writing", "essay") == PartNotScored("writing", "13.4", "essay")


def test_a_rule_about_a_part_needs_to_be_told_which() -> None:
    with pytest.raises(ValueError, match=r"13\.4"):
        RULES["13.4"].broken_in("writing")


def test_rules_about_paper_are_not_offered_where_everything_is_on_screens() -> None:
    assert "12" in numbers("hakka-basic", "reading")
    assert not any(number.startswith("13") for number in numbers("hakka-basic", "reading"))
    assert "12" not in numbers("hakka-advanced", "reading")
    assert {"13.1.2", "13.3.1", "13.4"} <= numbers("hakka-advanced", "reading")
    assert "13.1.1" in numbers("hakka-advanced", "speaking")
    assert not {"2", "13.1.2", "13.3.1", "13.4"} & numbers("hakka-advanced", "speaking")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_can_be_recorded_wherever_it_applies(rule: ExamRule) -> None:
    recorded = 0
    for exam in MOST:
        scores = changed(exam)
        before = award(exam, scores)
        for name in load_scheme(exam).sections:
            if rule.applies_to(exam, name):
                recorded += 1
                part = next(iter(scores[name])) if rule.effect == "part_not_scored" else None
                after = award(exam, scores, [rule.broken_in(name, part)])
                assert after.total < before.total or after.is_disqualified
    assert recorded
