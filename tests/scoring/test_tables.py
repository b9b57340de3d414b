"""Two results of somebody beside each other: every paper, every part, every breach."""

from services.scoring.rules import SchemeMarking, find_marking, tables
from services.scoring.rules.conduct import PointsDeducted
from services.scoring.rules.outcomes import ScoredOutcome

PROGRAMME = "hakka-115"
DEDUCTED = PointsDeducted("listening", "6.1", 1)


def work_out(listening: dict[str, str], *conduct: PointsDeducted) -> ScoredOutcome:
    marking = find_marking(PROGRAMME, "basic")
    assert isinstance(marking, SchemeMarking)
    given = {"listening": listening, "speaking": {"all": "40"}, "reading": {"all": "15"}}
    return marking.work_out(given, conduct)


WHOLE = work_out({"all": "25"})
PARTS = work_out({"single_sentences": "10", "conversations": "15"})


def compare(before: ScoredOutcome | None, after: ScoredOutcome) -> list[list[str]]:
    return [
        [one.titles["en"], *(side["en"] if side else "–" for side in (one.before, one.after))]
        for one in tables.compare(before, after, programme=PROGRAMME)
    ]


def test_parts_stand_below_their_paper_though_only_one_result_has_them() -> None:
    papers = [row[0] for row in compare(WHOLE, PARTS)]
    assert papers == [row[0] for row in compare(PARTS, PARTS)]
    assert len(papers) == 5
    assert [row[1:] for row in compare(WHOLE, PARTS)][:3] == [
        ["25", "25"],
        ["–", "10"],
        ["–", "15"],
    ]


def test_a_breach_counts_or_not_and_its_paper_has_fewer_points() -> None:
    [listening, *_, breach] = compare(WHOLE, work_out({"all": "25"}, DEDUCTED))
    assert listening == ["Listening", "25", "24"]
    assert "1 points deducted" in breach[0]
    assert breach[1:] == ["–", "counts"]


def test_where_there_was_no_result_everything_is_new() -> None:
    assert {row[1] for row in compare(None, PARTS)} == {"–"}
    assert all(one.differs for one in tables.compare(None, PARTS, programme=PROGRAMME))
    assert not any(one.differs for one in tables.compare(PARTS, PARTS, programme=PROGRAMME))
