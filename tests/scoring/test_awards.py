"""What conduct costs, why a level is missed, and that no score or record works the wrong way."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.rules import (
    Conduct,
    Disqualified,
    PartNotScored,
    PointsDeducted,
    SectionNotCounted,
    SectionResult,
    SectionZeroed,
    Shortfall,
    award,
    load_scheme,
)
from tests.scoring.exams import MOST, Scores, basic, changed, total


def section(name: str, exam: str, scores: Scores, *conduct: Conduct) -> SectionResult:
    found = award(exam, scores, conduct).sections
    return next(result for result in found if result.section == name)


def test_deductions_come_off_their_section_and_the_total() -> None:
    records = [PointsDeducted("reading", "6.3", 5), PointsDeducted("reading", "7", 3)]
    given = award("hakka-basic", basic(30, 40, 20), records)
    assert given.total == 82
    reading = given.sections[2]
    assert [reading.marked, reading.deducted, reading.points] == [20, 8, 12]
    assert given.sections[0].deducted == 0
    assert set(given.conduct) == set(records)


def test_one_point_taken_can_cost_the_level() -> None:
    record = PointsDeducted("listening", "6.1", 1)
    assert award("hakka-basic", basic(12, 50, 20), [record]).level == "基礎級"
    assert award("hakka-basic", basic(30, 20, 20), [record]).level == "基礎級"
    assert award("hakka-basic", basic(0, 50, 0), [record]).level == "基礎級"


def test_the_same_rule_broken_twice_costs_twice() -> None:
    record = PointsDeducted("listening", "6.1", 1)
    assert section("listening", "hakka-basic", basic(30, 40, 20), record, record).points == 28


@pytest.mark.parametrize("points", [Decimal(0), Decimal("0.5"), Decimal(4)])
def test_a_section_never_falls_below_zero(points: Decimal) -> None:
    record = PointsDeducted("reading", "6.3", 5)
    given = award("hakka-basic", basic(30, 40, points), [record])
    assert given.total == 70
    assert [given.sections[2].points, given.sections[2].deducted] == [0, points]


@pytest.mark.parametrize(
    "record", [SectionZeroed("reading", "3"), SectionNotCounted("reading", "5")]
)
def test_a_section_with_nothing_counts_nothing_and_stays_at_it(record: Conduct) -> None:
    also = PointsDeducted("reading", "6.3", 5)
    given = award("hakka-basic", basic(30, 40, 20), [record, also])
    assert [given.level, given.total, given.sections[2].points] == ["基礎級", 70, 0]
    assert award("hakka-intermediate", changed("hakka-intermediate"), [record]).level is None


def test_a_section_that_is_not_counted_is_told_from_one_with_zero() -> None:
    scores = basic(30, 40, 20)
    assert section("reading", "hakka-basic", scores, SectionZeroed("reading", "3")).is_counted
    other = SectionNotCounted("reading", "5")
    assert not section("reading", "hakka-basic", scores, other).is_counted


@pytest.mark.parametrize(
    ("part", "points", "level"),
    [("essay", 32, "中級"), ("phonetic_spelling", 38, "中級"), ("sentences", 34, "中高級")],
)
def test_a_part_that_is_not_scored_is_missing_where_a_level_asks_for_it(
    part: str, points: int, level: str
) -> None:
    record = PartNotScored("writing", "13.4", part)
    given = award("hakka-intermediate", changed("hakka-intermediate"), [record])
    assert [given.sections[3].points, given.level] == [points, level]


def test_an_advanced_exam_without_its_transcription_is_failed() -> None:
    record = PartNotScored("writing", "13.4", "sentence_transcription")
    assert award("hakka-advanced", changed("hakka-advanced"), [record]).level is None


def test_points_off_a_section_leave_its_parts_alone() -> None:
    """The essay keeps its 9 points: the regulations take them from the section."""
    scores = changed("hakka-intermediate", writing_essay=9)
    record = PointsDeducted("writing", "7", 3)
    assert award("hakka-intermediate", scores, [record]).level == "中高級"


def test_who_is_disqualified_gets_no_level_and_keeps_the_points() -> None:
    given = award("hakka-basic", basic(30, 50, 20), [Disqualified("9.4")])
    assert [given.level, given.total, given.is_disqualified] == [None, 100, True]
    assert given.shortfalls == ()


def test_the_reasons_name_every_condition_of_every_higher_level() -> None:
    scores = changed(
        "hakka-intermediate",
        speaking=29,
        writing_essay=Decimal("8.5"),
        writing_phonetic_spelling=0,
    )
    assert award("hakka-intermediate", scores).shortfalls == (
        Shortfall("中高級", "total", Decimal("195.5"), Decimal(215)),
        Shortfall("中高級", "section", Decimal(29), Decimal(30), section="speaking"),
        Shortfall("中高級", "part", Decimal("8.5"), Decimal(9), False, "writing", "essay"),
        Shortfall("中高級", "part", Decimal(0), Decimal(0), True, "writing", "phonetic_spelling"),
        Shortfall("中級", "section", Decimal(29), Decimal(30), section="speaking"),
    )


@pytest.mark.parametrize(("speaking", "is_short"), [(12, True), (13, False), (14, False)])
def test_the_minimum_that_the_total_hides_is_told_too(speaking: int, is_short: bool) -> None:
    """Without 20 points of speaking nobody has 70 in all, so its minimum of 13 never decides."""
    shortfalls = award("hakka-basic", basic(30, speaking, 20)).shortfalls
    assert any(reason.section == "speaking" for reason in shortfalls) == is_short


def test_the_best_level_is_short_of_nothing() -> None:
    for exam in MOST:
        given = award(exam, changed(exam))
        assert (given.scheme, given.version, given.shortfalls) == (exam, 1, ())
        assert given.total == load_scheme(exam).maximum == total(changed(exam))


EXAMS = st.sampled_from(sorted(MOST))


@st.composite
def papers(draw: st.DrawFn) -> tuple[str, Scores]:
    """An exam and scores of it, good ones more often than by chance."""
    exam = draw(EXAMS)
    scores: Scores = {}
    for name, parts in MOST[exam].items():
        scores[name] = {}
        for part, most in parts.items():
            halves = draw(st.integers(0, 2 * most) | st.integers(most, 2 * most))
            scores[name][part] = Decimal(halves) / 2
    return exam, scores


@st.composite
def records(draw: st.DrawFn, exam: str) -> list[Conduct]:
    sections = st.sampled_from(sorted(MOST[exam]))
    parts = [PartNotScored(name, "13.4", part) for name in MOST[exam] for part in MOST[exam][name]]
    record = st.one_of(
        st.builds(PointsDeducted, sections, st.sampled_from("67"), st.sampled_from([1, 3, 5])),
        st.sampled_from(parts),
        st.builds(SectionZeroed, sections, st.just("3")),
        st.builds(SectionNotCounted, sections, st.just("5")),
        st.just(Disqualified("9.4")),
    )
    return draw(st.lists(record, max_size=5))


def rank(exam: str, scores: Scores, conduct: Sequence[Conduct] = ()) -> int:
    """Count the levels from the one reached downwards."""
    names = [level.name for level in load_scheme(exam).levels]
    reached = award(exam, scores, conduct).level
    return len(names) - names.index(reached) if reached else 0


@given(papers(), st.data())
def test_more_points_never_lower_the_level(paper: tuple[str, Scores], data: st.DataObject) -> None:
    exam, scores = paper
    conduct = data.draw(records(exam))
    name = data.draw(st.sampled_from(sorted(scores)))
    part = data.draw(st.sampled_from(sorted(scores[name])))
    room = 2 * (MOST[exam][name][part] - scores[name][part])
    more = scores[name][part] + Decimal(data.draw(st.integers(0, int(room)))) / 2
    raised = scores | {name: scores[name] | {part: more}}
    assert rank(exam, raised, conduct) >= rank(exam, scores, conduct)
    assert award(exam, raised, conduct).total >= award(exam, scores, conduct).total


@given(papers(), st.data())
def test_a_record_never_raises_the_level(paper: tuple[str, Scores], data: st.DataObject) -> None:
    exam, scores = paper
    conduct = data.draw(records(exam))
    more = conduct + data.draw(records(exam))
    assert rank(exam, scores, more) <= rank(exam, scores, conduct) <= rank(exam, scores)
    assert award(exam, scores, more).total <= award(exam, scores, conduct).total


@given(papers(), st.data())
def test_the_order_of_records_does_not_matter(
    paper: tuple[str, Scores], data: st.DataObject
) -> None:
    exam, scores = paper
    conduct = data.draw(records(exam))
    # Equal ones, not the same: as they come from a database.
    shuffled = [replace(record) for record in data.draw(st.permutations(conduct))]
    assert award(exam, scores, shuffled) == award(exam, scores, conduct)


@given(papers(), st.data())
def test_every_section_stays_between_nothing_and_what_was_marked(
    paper: tuple[str, Scores], data: st.DataObject
) -> None:
    exam, scores = paper
    given = award(exam, scores, data.draw(records(exam)))
    assert all(0 <= result.points <= result.marked for result in given.sections)
    assert given.total == sum(result.points for result in given.sections)
    assert sum(result.marked for result in given.sections) == total(scores)


@given(papers(), st.data())
def test_a_level_is_missed_only_for_a_reason(
    paper: tuple[str, Scores], data: st.DataObject
) -> None:
    exam, scores = paper
    given = award(exam, scores, data.draw(records(exam)))
    names = [level.name for level in load_scheme(exam).levels]
    higher = names[: names.index(given.level)] if given.level else names
    if not given.is_disqualified:
        assert list(dict.fromkeys(reason.level for reason in given.shortfalls)) == higher
