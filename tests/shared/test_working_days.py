"""Working days are those of the offices' published calendar."""

from datetime import date, timedelta

import pytest

from shared.working_days import add_working_days, is_working_day

# The calendar of the Directorate-General of Personnel Administration for 2026: the days off that
# are not a plain Saturday or Sunday, or that make a long weekend with one.
OFF_IN_2026 = {
    1: "1",
    2: "14 15 16 17 18 19 20 21 22 27 28",
    3: "1",
    4: "3 4 5 6",
    5: "1 2 3",
    6: "19 20 21",
    9: "25 26 27 28",
    10: "9 10 11 24 25 26",
    12: "25 26 27",
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


def test_2026_has_the_120_official_days_off_and_makes_up_for_none() -> None:
    listed = {
        date(2026, month, int(day)) for month, days in OFF_IN_2026.items() for day in days.split()
    }
    official = listed | {day for day in days_of(2026) if day.weekday() >= 5}
    assert {day for day in days_of(2026) if not is_working_day(day)} == official
    assert len(official) == 120


@pytest.mark.parametrize(
    ("start", "days", "reached"),
    [
        (date(2026, 3, 16), 1, date(2026, 3, 17)),
        (date(2026, 3, 16), 7, date(2026, 3, 25)),  # the regulations' own example
        (date(2026, 2, 13), 1, date(2026, 2, 23)),  # over the lunar new year
        (date(2026, 4, 2), 1, date(2026, 4, 7)),  # over Children's Day and tomb sweeping
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # over the turn of the year
        (date(2026, 5, 2), 1, date(2026, 5, 4)),  # from a day off
    ],
)
def test_working_days_are_counted_from_the_next_day(start: date, days: int, reached: date) -> None:
    assert add_working_days(start, days) == reached


@pytest.mark.parametrize("days", [0, -1])
def test_there_is_no_working_day_before_the_first(days: int) -> None:
    with pytest.raises(ValueError, match="number 1"):
        add_working_days(date(2026, 3, 16), days)
