"""When a calendar day of a programme begins and ends."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Give the instant at which a day begins in a zone.

    In UTC, since Python compares two times of one zone by their clocks, summer time or not.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Give the midnight after a day: whatever came before it came on that day or earlier."""
    return start_of_day(day + timedelta(days=1), zone)


def nth_day(first: date, days: int) -> date:
    """Give the last of so many days, when the first day counts as day 1."""
    return first + timedelta(days=days - 1)
