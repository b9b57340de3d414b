"""The last days to object to a result are those of the regulations."""

from datetime import date

import pytest

from services.scoring.rules.review_window import (
    last_day,
    last_day_to_appeal,
    last_day_to_question_items,
)


@pytest.mark.parametrize(
    ("published_on", "last"),
    [
        (date(2026, 3, 16), date(2026, 3, 25)),  # the regulations' own example
        # the other results days of 2026, counted on the official calendar
        (date(2026, 4, 30), date(2026, 5, 12)),  # over Labour Day
        (date(2026, 5, 15), date(2026, 5, 26)),
        (date(2026, 5, 18), date(2026, 5, 27)),
        (date(2026, 6, 26), date(2026, 7, 7)),
        (date(2026, 7, 31), date(2026, 8, 11)),
        (date(2026, 8, 21), date(2026, 9, 1)),
        (date(2026, 9, 24), date(2026, 10, 7)),  # over the Mid-Autumn Festival and Teachers' Day
        (date(2026, 11, 23), date(2026, 12, 2)),
        (date(2026, 11, 27), date(2026, 12, 8)),
        (date(2026, 12, 14), date(2026, 12, 23)),
        (date(2026, 12, 25), date(2027, 1, 6)),  # published on a day off, over New Year
        (date(2026, 2, 13), date(2026, 3, 4)),  # over the lunar new year and Peace Memorial Day
    ],
)
def test_a_review_may_be_asked_for_within_seven_working_days(
    published_on: date, last: date
) -> None:
    assert last_day(published_on) == last


def test_an_appeal_is_due_on_the_tenth_day() -> None:
    assert last_day_to_appeal(date(2026, 9, 12)) == date(2026, 9, 21)


@pytest.mark.parametrize(
    ("exam_date", "last"),
    [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 19), date(2026, 12, 31)),
        (date(2026, 6, 30), date(2026, 6, 30)),
    ],
)
def test_items_may_be_questioned_until_the_month_of_the_exam_ends(
    exam_date: date, last: date
) -> None:
    assert last_day_to_question_items(exam_date) == last
