"""What a registration costs, and until when each step may be taken."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.rules import fee_twd, pay_by, submit_by

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))


@pytest.mark.parametrize(
    ("birth_date", "exam_date", "fee"),
    [
        # the regulations' own example
        (date(2007, 9, 12), date(2026, 9, 12), 0),
        (date(2007, 9, 11), date(2026, 9, 12), 250),
        # one sitting of a year is free and the next one is not
        (date(2007, 5, 1), date(2026, 4, 11), 0),
        (date(2007, 5, 1), date(2026, 5, 23), 250),
        (date(2019, 1, 1), date(2026, 1, 11), 0),
        (date(1950, 1, 1), date(2026, 1, 11), 250),
        # across the turn of the year
        (date(2007, 12, 31), date(2026, 12, 19), 0),
        (date(2006, 12, 31), date(2026, 1, 11), 250),
    ],
)
def test_the_exam_is_free_up_to_the_nineteenth_birthday(
    birth_date: date, exam_date: date, fee: int
) -> None:
    assert fee_twd(birth_date=birth_date, exam_date=exam_date) == fee


@pytest.mark.parametrize(
    ("birth_date", "exam_date", "fee"),
    [
        (date(2008, 2, 29), date(2027, 2, 27), 0),
        (date(2008, 2, 29), date(2027, 2, 28), 0),
        (date(2008, 2, 29), date(2027, 3, 1), 250),
        (date(2008, 3, 1), date(2027, 3, 1), 0),
        # an exam on a day that the year of birth did not have
        (date(2009, 2, 28), date(2028, 2, 28), 0),
        (date(2009, 2, 28), date(2028, 2, 29), 250),
        (date(2009, 3, 1), date(2028, 2, 29), 0),
    ],
)
def test_who_was_born_on_a_leap_day_has_a_birthday_every_year(
    birth_date: date, exam_date: date, fee: int
) -> None:
    assert fee_twd(birth_date=birth_date, exam_date=exam_date) == fee


@given(birth_date=DAYS, exam_date=DAYS)
def test_a_later_exam_is_never_cheaper(birth_date: date, exam_date: date) -> None:
    today = fee_twd(birth_date=birth_date, exam_date=exam_date)
    tomorrow = fee_twd(birth_date=birth_date, exam_date=exam_date + timedelta(days=1))
    assert today <= tomorrow


def test_a_catalogue_may_say_other_numbers() -> None:
    birth_date, exam_date = date(2008, 9, 12), date(2026, 9, 13)
    assert fee_twd(birth_date=birth_date, exam_date=exam_date, full_fee_twd=300) == 0
    assert (
        fee_twd(birth_date=birth_date, exam_date=exam_date, full_fee_twd=300, free_until_age=18)
        == 300
    )


@pytest.mark.parametrize(
    ("claimed_on", "last_day"),
    [
        (date(2026, 1, 1), date(2026, 1, 7)),
        (date(2026, 2, 26), date(2026, 3, 4)),
        (date(2025, 12, 28), date(2026, 1, 3)),
    ],
)
def test_a_draft_is_sent_by_the_seventh_day_and_the_claim_is_on_the_first(
    claimed_on: date, last_day: date
) -> None:
    assert submit_by(claimed_on=claimed_on) == last_day


@pytest.mark.parametrize(
    ("submitted_on", "last_day"),
    [
        (date(2026, 5, 1), date(2026, 5, 5)),  # the regulations' own example
        (date(2026, 2, 26), date(2026, 3, 2)),
        (date(2028, 2, 26), date(2028, 3, 1)),
    ],
)
def test_the_fee_is_paid_by_the_fifth_day_and_sending_is_on_the_first(
    submitted_on: date, last_day: date
) -> None:
    assert pay_by(submitted_on=submitted_on) == last_day
