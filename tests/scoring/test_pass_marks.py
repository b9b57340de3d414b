"""Every pass mark of the regulations: just below it, on it, just above it."""

from decimal import Decimal

import pytest

from services.scoring.rules import award
from tests.scoring.exams import Scores, basic, changed, total

HALF = Decimal("0.5")


def rows(*table: tuple[Scores, str | None]) -> list[tuple[Scores, str | None]]:
    return list(table)


@pytest.mark.parametrize(
    ("scores", "level"),
    rows(
        # 初級: 70 points in all
        (basic(30, 19, 20), "基礎級"),
        (basic(30, 20 - HALF, 20), "基礎級"),
        (basic(30, 20, 20), "初級"),
        (basic(30, 21, 20), "初級"),
        # of which listening 12
        (basic(11, 50, 20), "基礎級"),
        (basic(12 - HALF, 50, 20), "基礎級"),
        (basic(12, 50, 20), "初級"),
        (basic(13, 50, 20), "初級"),
        # speaking 13: what remains is 50 and 63, so the total stays below 70 without it
        (basic(30, 12, 20), "基礎級"),
        (basic(30, 13, 20), "基礎級"),
        # reading 8
        (basic(30, 50, 7), "基礎級"),
        (basic(30, 50, 8 - HALF), "基礎級"),
        (basic(30, 50, 8), "初級"),
        (basic(30, 50, 9), "初級"),
        # 基礎級: 50 points, wherever they come from
        (basic(0, 49, 0), None),
        (basic(0, 50 - HALF, 0), None),
        (basic(0, 50, 0), "基礎級"),
        (basic(0, 50, 1), "基礎級"),
        (basic(30, 0, 20), "基礎級"),
        (basic(30, 0, 19), None),
        (basic(0, 0, 0), None),
        (basic(30, 50, 20), "初級"),
        # every minimum reached, and 33 points are too few
        (basic(12, 13, 8), None),
    ),
)
def test_basic_and_elementary(scores: Scores, level: str | None) -> None:
    given = award("hakka-basic", scores)
    assert (given.level, given.total) == (level, total(scores))


@pytest.mark.parametrize(
    ("scores", "level"),
    rows(
        (changed("hakka-intermediate"), "中高級"),
        # 中高級: 215 points in all
        (changed("hakka-intermediate", speaking=30, reading=62), "中級"),
        (changed("hakka-intermediate", speaking=30, reading=63 - HALF), "中級"),
        (changed("hakka-intermediate", speaking=30, reading=63), "中高級"),
        (changed("hakka-intermediate", speaking=30, reading=64), "中高級"),
        # 中級: 150 points in all
        (changed("hakka-intermediate", listening=28, speaking=49, reading=20), None),
        (changed("hakka-intermediate", listening=28, speaking=50 - HALF, reading=20), None),
        (changed("hakka-intermediate", listening=28, speaking=50, reading=20), "中級"),
        (changed("hakka-intermediate", listening=28, speaking=51, reading=20), "中級"),
        # listening 20: below it fails, whatever the total
        (changed("hakka-intermediate", listening=19), None),
        (changed("hakka-intermediate", listening=20 - HALF), None),
        (changed("hakka-intermediate", listening=20), "中高級"),
        (changed("hakka-intermediate", listening=21), "中高級"),
        # speaking 30
        (changed("hakka-intermediate", speaking=29), None),
        (changed("hakka-intermediate", speaking=30 - HALF), None),
        (changed("hakka-intermediate", speaking=30), "中高級"),
        (changed("hakka-intermediate", speaking=31), "中高級"),
        # reading 20
        (changed("hakka-intermediate", reading=19), None),
        (changed("hakka-intermediate", reading=20 - HALF), None),
        (changed("hakka-intermediate", reading=20), "中高級"),
        (changed("hakka-intermediate", reading=21), "中高級"),
        # and the same with a total between the two levels
        (changed("hakka-intermediate", listening=19, speaking=60), None),
        (changed("hakka-intermediate", listening=20, speaking=60), "中級"),
        (changed("hakka-intermediate", speaking=29, reading=50), None),
        (changed("hakka-intermediate", speaking=30, reading=50), "中級"),
        (changed("hakka-intermediate", reading=19, speaking=60), None),
        (changed("hakka-intermediate", reading=20, speaking=60), "中級"),
        # every minimum reached, and 80 points are too few
        (changed("hakka-intermediate", listening=20, speaking=30, reading=20), None),
    ),
)
def test_intermediate_and_high_intermediate(scores: Scores, level: str | None) -> None:
    given = award("hakka-intermediate", scores)
    assert (given.level, given.total) == (level, total(scores))


def writing(sentences: Decimal | int, essay: Decimal | int, phonetic: Decimal | int) -> Scores:
    return changed(
        "hakka-intermediate",
        writing_sentences=sentences,
        writing_essay=essay,
        writing_phonetic_spelling=phonetic,
    )


@pytest.mark.parametrize(
    ("scores", "level"),
    rows(
        # writing 10: below it fails
        (writing(0, 9, 0), None),
        (writing(0, 9, HALF), None),
        (writing(0, 9, 1), "中高級"),
        (writing(1, 9, 1), "中高級"),
        (writing(9, 0, 0), None),
        (writing(10, 0, 0), "中級"),
        # essay below 9: 中級, however many points
        (writing(18, 8, 14), "中級"),
        (writing(18, 9 - HALF, 14), "中級"),
        (writing(18, 9, 14), "中高級"),
        (writing(18, 10, 14), "中高級"),
        # phonetic spelling 0: 中級, and any point of it is enough
        (writing(18, 20, 0), "中級"),
        (writing(18, 20, HALF), "中高級"),
        (writing(18, 20, 1), "中高級"),
        (writing(18, 0, 0), "中級"),
    ),
)
def test_writing_decides_between_intermediate_and_high_intermediate(
    scores: Scores, level: str | None
) -> None:
    assert award("hakka-intermediate", scores).level == level


@pytest.mark.parametrize("part", ["writing_essay", "writing_phonetic_spelling"])
def test_a_bad_part_leads_to_intermediate_only_with_all_that_intermediate_asks(part: str) -> None:
    low = changed("hakka-intermediate", listening=19, **{part: 0})
    poor = changed("hakka-intermediate", listening=20, speaking=30, reading=20, **{part: 0})
    assert award("hakka-intermediate", low).level is None
    assert award("hakka-intermediate", poor).level is None


@pytest.mark.parametrize(
    ("scores", "level"),
    rows(
        (changed("hakka-advanced"), "高級"),
        # 240 points in all
        (changed("hakka-advanced", speaking=45, reading=45, listening=53), None),
        (changed("hakka-advanced", speaking=45, reading=45, listening=54 - HALF), None),
        (changed("hakka-advanced", speaking=45, reading=45, listening=54), "高級"),
        (changed("hakka-advanced", speaking=45, reading=45, listening=55), "高級"),
        # listening 36
        (changed("hakka-advanced", listening=35), None),
        (changed("hakka-advanced", listening=36 - HALF), None),
        (changed("hakka-advanced", listening=36), "高級"),
        (changed("hakka-advanced", listening=37), "高級"),
        # speaking 45
        (changed("hakka-advanced", speaking=44), None),
        (changed("hakka-advanced", speaking=45 - HALF), None),
        (changed("hakka-advanced", speaking=45), "高級"),
        (changed("hakka-advanced", speaking=46), "高級"),
        # reading 45
        (changed("hakka-advanced", reading=44), None),
        (changed("hakka-advanced", reading=45 - HALF), None),
        (changed("hakka-advanced", reading=45), "高級"),
        (changed("hakka-advanced", reading=46), "高級"),
        # writing 54
        (changed("hakka-advanced", writing_essays=37), None),
        (changed("hakka-advanced", writing_essays=38 - HALF), None),
        (changed("hakka-advanced", writing_essays=38), "高級"),
        (changed("hakka-advanced", writing_essays=39), "高級"),
        # sentence transcription must not be 0
        (changed("hakka-advanced", writing_sentence_transcription=0), None),
        (changed("hakka-advanced", writing_sentence_transcription=HALF), "高級"),
        (changed("hakka-advanced", writing_sentence_transcription=1), "高級"),
    ),
)
def test_advanced(scores: Scores, level: str | None) -> None:
    given = award("hakka-advanced", scores)
    assert (given.level, given.total) == (level, total(scores))
