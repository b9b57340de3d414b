"""Results in a word, and how many have which."""

from services.scoring.rules import summaries
from services.scoring.rules.outcomes import GivenOutcome


def starters(**shields: int) -> GivenOutcome:
    return GivenOutcome(
        layout="cambridge-english", version=1, exam="young-learners-starters", papers=shields
    )


def test_an_exam_without_a_word_is_told_by_paper_and_counted_as_one() -> None:
    well, better = starters(listening=4, speaking=5), starters(listening=5, speaking=5)
    assert summaries.summarise(well)["en"] == "Listening 4, Speaking 5"
    assert summaries.summarise(better)["zh-Hant-TW"] == "聽力 5、口說 5"
    counted = summaries.count_words([(well, 2), (better, 3)], "en")
    assert counted == [("Absent", 0), ("Scores of papers only", 5)]
