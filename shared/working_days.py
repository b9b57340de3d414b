"""Which days Taiwan works: the offices' calendar, with public holidays and their substitutes."""

from datetime import date, timedelta

import holidays

# The lunar calendar is worked out ahead; what a government decides later (a new holiday, a bridge
# day) comes with the library's next version. The pinned one is tested against the official list.
_CALENDAR = holidays.country_holidays("TW", language="zh_TW")


def is_working_day(day: date) -> bool:
    return _CALENDAR.is_working_day(day)


def add_working_days(start: date, days: int) -> date:
    """Give the n-th working day after a day, which does not count itself."""
    if days < 1:
        raise ValueError("the first working day after a day is number 1")
    day = start
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day
