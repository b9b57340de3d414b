"""Scores that are none of the exam are refused, with everything that is wrong."""

from decimal import Decimal
from typing import Any

import pytest

from services.scoring.rules import (
    Conduct,
    PartNotScored,
    PointsDeducted,
    ScoresDoNotFit,
    SectionZeroed,
    award,
)
from tests.scoring.exams import basic, changed


def wrong(exam: str, scores: Any, *conduct: Conduct) -> list[str]:
    with pytest.raises(ScoresDoNotFit) as refused:
        award(exam, scores, conduct)
    return [str(problem) for problem in refused.value.problems]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    scores = {"listening": {"all": 31}, "speaking": {}, "singing": {"all": 1}}
    assert wrong("hakka-basic", scores, SectionZeroed("writing", "3")) == [
        "This exam has no section singing",
        "The points for all of listening are more than 30",
        "There are no points for repetition of speaking",
        "There are no points for pictures of speaking",
        "There are no points for expression of speaking",
        "There are no points for reading",
        "This exam has no section writing",
    ]


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (-1, "are below zero"),
        (Decimal("-0.5"), "are below zero"),
        (Decimal("20.5"), "are more than 20"),
        (21, "are more than 20"),
        (Decimal("NaN"), "are not a number"),
        (Decimal("sNaN"), "are not a number"),
        (Decimal("Infinity"), "are not a number"),
        (19.5, "are not a number"),
        (True, "are not a number"),
        ("20", "are not a number"),
        (None, "are not a number"),
    ],
)
def test_points_are_numbers_between_zero_and_the_maximum(points: Any, sentence: str) -> None:
    assert wrong("hakka-basic", basic(30, 50, points)) == [
        f"The points for all of reading {sentence}"
    ]


def test_a_section_that_a_level_looks_into_comes_by_parts() -> None:
    scores = changed("hakka-intermediate") | {"writing": {"all": 52}}
    assert wrong("hakka-intermediate", scores) == [
        "writing has no part all",
        "There are no points for sentences of writing",
        "There are no points for essay of writing",
        "There are no points for phonetic_spelling of writing",
    ]


def test_a_section_comes_as_a_whole_or_by_parts_and_not_as_both() -> None:
    by_parts = {"single_sentences": 25, "conversations": 25, "passages": 20}
    whole = award("hakka-intermediate", changed("hakka-intermediate"))
    parts = award("hakka-intermediate", changed("hakka-intermediate") | {"listening": by_parts})
    assert (parts.level, parts.total) == (whole.level, whole.total)
    both = changed("hakka-intermediate") | {"listening": {"all": 20, "passages": 20}}
    assert wrong("hakka-intermediate", both) == ["listening has no part passages"]


def test_every_part_keeps_to_its_own_maximum() -> None:
    by_parts = {"single_sentences": 26, "conversations": 0, "passages": 0}
    assert wrong("hakka-intermediate", changed("hakka-intermediate") | {"listening": by_parts}) == [
        "The points for single_sentences of listening are more than 25"
    ]


def test_parts_with_a_joint_maximum_keep_to_it_together() -> None:
    fits = basic(0, 50, 20) | {"listening": {"single_sentences": 20, "conversations": 10}}
    assert award("hakka-basic", fits).total == 100
    too_many = basic(0, 50, 20) | {"listening": {"single_sentences": 20, "conversations": 11}}
    assert wrong("hakka-basic", too_many) == [
        "The parts of listening add up to more than 30 points"
    ]


@pytest.mark.parametrize("points", [0, 2, 4, 6, -1])
def test_only_the_deductions_of_the_regulations_are_taken(points: int) -> None:
    assert wrong("hakka-basic", basic(30, 50, 20), PointsDeducted("reading", "7", points)) == [
        f"{points} points cannot be taken from reading"
    ]


def test_a_part_can_be_left_out_only_where_points_come_by_parts() -> None:
    record = PartNotScored("reading", "13.4", "gaps")
    scores = changed("hakka-intermediate")
    assert wrong("hakka-intermediate", scores, record) == ["reading has no part gaps"]
    scores["reading"] = {"sentences": 50, "gaps": 20}
    assert award("hakka-intermediate", scores, [record]).sections[2].points == 50


def test_an_unknown_scheme_or_version_is_an_error() -> None:
    with pytest.raises(LookupError, match="hakka-expert"):
        award("hakka-expert", basic(30, 50, 20))
    with pytest.raises(LookupError, match="version 99"):
        award("hakka-basic", basic(30, 50, 20), version=99)
    assert award("hakka-basic", basic(30, 50, 20), version=1).level == "初級"
