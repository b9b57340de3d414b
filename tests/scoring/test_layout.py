"""Cambridge results are taken as given, when they are results of their exam at all."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.scoring.rules import ResultDoesNotFit, load_layout, read_result
from services.scoring.rules.layout import Layout

CAMBRIDGE = load_layout("cambridge-english")
FIRST_PAPERS = {
    "reading": 165,
    "use-of-english": 158,
    "writing": 160,
    "listening": 157,
    "speaking": 160,
}
KEY_PAPERS = {"reading": 120, "writing": 121, "listening": 122, "speaking": 123}
STARTERS_PAPERS = {"listening": 5, "reading-and-writing": 1, "speaking": 3}


def wrong(**given: Any) -> list[str]:
    with pytest.raises(ResultDoesNotFit) as refused:
        read_result(CAMBRIDGE, **given)
    return [str(misfit) for misfit in refused.value.misfits]


def test_the_exams_are_those_of_the_portal() -> None:
    assert list(CAMBRIDGE.exams) == [
        "a2-key",
        "a2-key-for-schools",
        "b1-preliminary",
        "b1-preliminary-for-schools",
        "b2-first",
        "young-learners-starters",
        "delta-module-one",
    ]


@pytest.mark.parametrize(
    "written", ["Pass at Grade C", "PASS AT GRADE C", " pass  at grade c", "pass-c"]
)
def test_a_grade_is_known_however_it_is_written(written: str) -> None:
    given = read_result(CAMBRIDGE, exam="b2-first", grade=written, overall=160, papers=FIRST_PAPERS)
    assert (given.grade, given.overall, given.papers) == ("pass-c", 160, FIRST_PAPERS)
    assert (given.layout, given.version) == ("cambridge-english", 1)


def test_young_learners_have_shields_and_neither_grade_nor_score() -> None:
    exam = "young-learners-starters"
    assert read_result(CAMBRIDGE, exam=exam, papers=STARTERS_PAPERS).grade is None
    assert wrong(
        exam=exam, grade="Pass", overall=120, papers={**STARTERS_PAPERS, "speaking": 6}
    ) == [
        "Results of this exam have no grade",
        "Results of this exam have no overall",
        "6 is outside the range of speaking",
    ]


def test_delta_module_one_has_a_grade_and_no_breakdown() -> None:
    exam = "delta-module-one"
    assert read_result(CAMBRIDGE, exam=exam, grade="PASS WITH MERIT").grade == "merit"
    assert wrong(exam=exam, grade="Pass", papers={"reading": 160}) == [
        "Results of this exam have no reading"
    ]


@pytest.mark.parametrize(
    ("exam", "lowest", "highest"),
    [("a2-key", 82, 150), ("b1-preliminary-for-schools", 102, 170)],
)
def test_a_score_lies_within_the_range_of_its_exam(exam: str, lowest: int, highest: int) -> None:
    papers = dict.fromkeys(KEY_PAPERS, lowest)
    for overall in (lowest, highest):
        read_result(CAMBRIDGE, exam=exam, grade="Pass", overall=overall, papers=papers)
    for overall in (lowest - 1, highest + 1):
        assert wrong(exam=exam, grade="Pass", overall=overall, papers=papers) == [
            f"{overall} is outside the range of overall"
        ]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert wrong(exam="a2-key", grade="Pass at Grade D", papers={"reading": 151, "singing": 1}) == [
        "This exam has no grade Pass at Grade D",
        "There is no overall",
        "151 is outside the range of reading",
        "Results of this exam have no singing",
        "There is no writing",
        "There is no listening",
        "There is no speaking",
    ]
    assert wrong(exam="a2-key", overall=120, papers=KEY_PAPERS) == ["There is no grade"]
    assert wrong(exam="c3-genius", grade="Pass") == ["There is no exam c3-genius"]


def test_scores_that_are_too_low_are_not_reported() -> None:
    papers = {"reading": 90}
    given = read_result(CAMBRIDGE, exam="a2-key", grade="Fail", papers=papers)
    assert (given.overall, given.papers) == (None, papers)
    assert wrong(exam="a2-key", grade="Fail", papers={"reading": 81}) == [
        "81 is outside the range of reading"
    ]


def test_a_layout_knows_the_grades_it_uses() -> None:
    content = CAMBRIDGE.model_dump()
    del content["grades"]["fail"]
    with pytest.raises(ValidationError, match="there are no titles of fail"):
        Layout.model_validate(content)
