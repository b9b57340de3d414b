"""Tables of scores: every row gets a verdict of its own, for schemes and for given results."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from services.scoring.rules import find_marking, score_table
from services.scoring.rules.marking import Marking, RowDoesNotFit
from services.scoring.rules.score_table import Known, Report, as_compared
from tests.scoring.world import entry_id, id_number

EMPTY = Known(entry_id(1), is_cancelled=False, has_scores=False, given=None)


def marking(programme: str, exam: str) -> Marking:
    found = find_marking(programme, exam)
    assert found
    return found


BASIC = marking("hakka-115", "basic")
INTERMEDIATE = marking("hakka-115", "intermediate")
STARTERS = marking("cambridge-english", "yle-starters")
KEY = marking("cambridge-english", "a2-key-for-schools")
DELTA = marking("cambridge-english", "delta-module-one")


def judge(
    by: Marking, headings: Sequence[str], *rows: Sequence[str], known: Known = EMPTY
) -> Report:
    return score_table.judge(
        [list(headings), *(list(row) for row in rows)],
        marking=by,
        known={as_compared(id_number(1)): [known], "R-00001": [known]},
    )


def only(report: Report) -> score_table.RowReport:
    [row] = report.rows
    return row


def words(row: score_table.RowReport, language: str = "en") -> list[str]:
    return [fault.write(fault.sentence, language) for fault in row.faults]


WHOLE = ("ID number", "Listening", "Speaking", "Reading")


def test_points_come_for_whole_sections_or_for_their_parts() -> None:
    whole = only(judge(BASIC, WHOLE, [id_number(1), "25", "40.5", "15"]))
    assert whole.verdict == "new"
    assert whole.given == {
        "listening": {"all": "25"},
        "speaking": {"all": "40.5"},
        "reading": {"all": "15"},
    }
    headings = ["id_number", "listening.single_sentences", "listening.conversations"]
    headings += ["speaking", "reading.comprehension"]
    parts = only(judge(BASIC, headings, [id_number(1), "10", "15.0", "40.50", "15"]))
    assert parts.given == {
        "listening": {"single_sentences": "10", "conversations": "15"},
        "speaking": {"all": "40.5"},
        "reading": {"comprehension": "15"},
    }


def test_headings_are_read_in_either_language_and_others_are_named() -> None:
    report = judge(
        BASIC,
        ["考生編號", "聽力測驗", " 口語測驗", "READING", "Remarks"],
        [id_number(1), "25", "40", "15", "ill"],
    )
    assert only(report).verdict == "new"
    assert report.ignored == ["Remarks"]


def test_a_candidate_is_found_by_either_number_however_it_is_typed() -> None:
    by_id = judge(BASIC, WHOLE, [" 000001 wlc", "25", "40", "15"])
    assert only(by_id).entry_id == entry_id(1)
    by_number = judge(BASIC, ["Candidate number", *WHOLE[1:]], ["r-00001", "25", "40", "15"])
    assert only(by_number).entry_id == entry_id(1)


def test_numbers_say_of_a_row_whose_it_is_only_when_one_candidate_has_them_all() -> None:
    here, there = EMPTY, Known(entry_id(2), is_cancelled=False, has_scores=False, given=None)
    known = {"1WLC": [here], "2WLC": [there], "1": [here, there], "2": [there]}

    def verdict(*numbers: str) -> str:
        table = [["id_number", "candidate_number", "absent"], [*numbers, "yes"]]
        return only(score_table.judge(table, marking=BASIC, known=known)).verdict

    assert verdict("000001WLC", "0001") == verdict("000002WLC", "1") == "new"
    assert verdict("", "0002") == verdict("000002WLC", "") == "new"
    assert verdict("", "0001") == "ambiguous"
    assert verdict("000001WLC", "0002") == verdict("000001WLC", "0003") == "contradictory"
    assert verdict("000003WLC", "0002") == verdict("", "0003") == verdict("", "") == "unknown"


def test_without_a_number_nothing_is_judged() -> None:
    report = judge(BASIC, ["Name", "Listening"], ["王", "1"])
    assert [column.key for column in report.missing] == ["id_number"]
    assert not report.rows
    assert score_table.judge([], marking=BASIC, known={}).missing


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["31", "40", "15"], "The points for the whole of Listening are more than 30"),
        (["-1", "40", "15"], "The points for the whole of Listening are not a number"),
        (["1e1", "40", "15"], "The points for the whole of Listening are not a number"),
        (["nan", "40", "15"], "The points for the whole of Listening are not a number"),
        (["", "40", "15"], "There are no points for Listening"),
    ],
)
def test_what_is_wrong_with_points_is_said_in_words(cells: list[str], said: str) -> None:
    row = only(judge(BASIC, WHOLE, [id_number(1), *cells]))
    assert row.verdict == "wrong"
    assert words(row) == [said]
    assert words(row, "zh-Hant-TW") != words(row)


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    row = only(judge(BASIC, WHOLE, [id_number(1), "31", "x", ""]))
    assert len(row.faults) == 3


def test_a_section_that_a_level_looks_into_needs_its_parts() -> None:
    keys = {column.key for column in INTERMEDIATE.columns}
    assert "writing" not in keys
    assert {"writing.essay", "writing.phonetic_spelling", "listening"} <= keys


@pytest.mark.parametrize("said", ["yes", "X", "缺考", "是", "1", "Absent"])
def test_somebody_absent_has_no_scores(said: str) -> None:
    row = only(judge(BASIC, [*WHOLE, "Absent"], [id_number(1), "", "", "", said]))
    assert (row.verdict, row.given) == ("new", None)
    both = only(judge(BASIC, [*WHOLE, "Absent"], [id_number(1), "1", "", "", said]))
    assert words(both) == ["Somebody who was absent has no scores"]


def test_an_unclear_absence_is_none() -> None:
    row = only(judge(BASIC, [*WHOLE, "缺考"], [id_number(1), "25", "40", "15", "maybe"]))
    assert row.verdict == "wrong"
    here = only(judge(BASIC, [*WHOLE, "缺考"], [id_number(1), "25", "40", "15", "否"]))
    assert here.verdict == "new"


def test_a_row_says_whether_it_changes_anything() -> None:
    given = only(judge(BASIC, WHOLE, [id_number(1), "25", "40", "15"])).given
    known = Known(entry_id(1), is_cancelled=False, has_scores=True, given=given)
    same = judge(BASIC, WHOLE, [id_number(1), "25.0", "40", "15"], known=known)
    other = judge(BASIC, WHOLE, [id_number(1), "25.5", "40", "15"], known=known)
    assert (only(same).verdict, only(other).verdict) == ("same", "changed")
    assert not same.to_import
    absent = Known(entry_id(1), is_cancelled=False, has_scores=True, given=None)
    assert only(judge(BASIC, WHOLE, [id_number(1), "25", "40", "15"], known=absent)).verdict == (
        "changed"
    )


def test_unknown_repeated_and_cancelled_candidates_are_left_out() -> None:
    report = judge(
        BASIC,
        WHOLE,
        [id_number(2), "25", "40", "15"],
        [id_number(1), "25", "40", "15"],
        ["", "", "", ""],
        [id_number(1), "25", "40", "16"],
    )
    assert [(row.line, row.verdict) for row in report.rows] == [
        (2, "unknown"),
        (3, "new"),
        (5, "repeated"),
    ]
    gone = Known(UUID(int=1), is_cancelled=True, has_scores=False, given=None)
    assert only(judge(BASIC, WHOLE, [id_number(1), "25", "40", "15"], known=gone)).verdict == (
        "cancelled"
    )


def test_grades_overall_scores_and_papers_are_taken_as_they_are_given() -> None:
    headings = ["ID number", "Grade", "Overall score", "Reading", "Writing", "聽力", "口說"]
    cells = [id_number(1), "Pass with Merit", "135", "140", "130", "135", "134"]
    row = only(judge(KEY, headings, cells))
    papers = {"reading": 140, "writing": 130, "listening": 135, "speaking": 134}
    assert row.given == {"grade": "merit", "overall": 135, "papers": papers}
    assert KEY.write(row.given)["paper.reading"] == "140"


def test_young_learners_have_papers_only_and_delta_has_a_grade_only() -> None:
    assert [column.key for column in STARTERS.columns] == [
        "paper.listening",
        "paper.reading-and-writing",
        "paper.speaking",
    ]
    assert [column.key for column in DELTA.columns] == ["grade"]
    row = only(judge(DELTA, ["ID number", "Grade"], [id_number(1), "Distinction"]))
    assert row.given == {"grade": "distinction", "overall": None, "papers": {}}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["Pass at Grade Z", "135"], "This exam has no grade Pass at Grade Z"),
        (["", "135"], "There is no Grade"),
        (["merit", "135.5"], "Overall score is not a whole number: 135.5"),
        (["merit", "200"], "200 is outside the range of Overall score"),
    ],
)
def test_what_is_wrong_with_a_given_result_is_said_in_words(cells: list[str], said: str) -> None:
    headings = ["ID number", "Grade", "Overall score", "Reading", "Writing", "Listening"]
    headings.append("Speaking")
    row = only(judge(KEY, headings, [id_number(1), *cells, "140", "130", "135", "134"]))
    assert words(row) == [said]


def test_what_was_read_is_written_as_it_would_be_read() -> None:
    cells = [id_number(1), "25", "40.5", "15"]
    row = only(judge(BASIC, WHOLE, cells))
    assert row.given is not None
    written = BASIC.write(row.given)
    assert BASIC.read(written) == row.given


@pytest.mark.parametrize(
    ("by", "cells", "columns"),
    [
        (BASIC, {"listening": "31", "reading": "x"}, ["listening", "speaking", "reading"]),
        (
            INTERMEDIATE,
            {"listening": "1", "speaking": "1", "reading": "1", "writing.essay": "99"},
            ["writing.sentences", "writing.essay", "writing.phonetic_spelling"],
        ),
        (KEY, {"grade": "best", "overall": "3"}, ["grade", "overall"]),
        (KEY, {"overall": "x", "paper.reading": "y"}, ["overall", "paper.reading"]),
        (DELTA, {"grade": "pass", "overall": "3"}, [""]),
    ],
)
def test_each_fault_names_the_column_it_is_about(
    by: Marking, cells: dict[str, str], columns: list[str]
) -> None:
    with pytest.raises(RowDoesNotFit) as wrong:
        by.read(cells)
    found = [fault.column for fault in wrong.value.faults]
    assert [column for column in columns if column not in found] == []
    assert {*found} <= {"", *(column.key for column in by.columns)}
