"""Days begin and end at midnight where the exam is, and the first of so many days counts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.days import end_of_day, nth_day, start_of_day

TAIPEI = ZoneInfo("Asia/Taipei")
LONDON = ZoneInfo("Europe/London")


def test_a_day_ends_at_the_midnight_after_it() -> None:
    assert end_of_day(date(2026, 5, 5), TAIPEI) == datetime(2026, 5, 5, 16, tzinfo=UTC)
    assert end_of_day(date(2026, 12, 31), TAIPEI) == start_of_day(date(2027, 1, 1), TAIPEI)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)]
)
def test_a_day_is_as_long_as_summer_time_makes_it(day: date, hours: int) -> None:
    assert end_of_day(day, LONDON) - start_of_day(day, LONDON) == timedelta(hours=hours)


def test_the_first_day_counts() -> None:
    assert nth_day(date(2026, 5, 1), 1) == date(2026, 5, 1)
    assert nth_day(date(2026, 5, 1), 5) == date(2026, 5, 5)
