"""Until when a result may be objected to: the last days of the three ways."""

from calendar import monthrange
from datetime import date

from shared.days import nth_day
from shared.working_days import add_working_days

WORKING_DAYS_FOR_REVIEW = 7
DAYS_FOR_APPEAL = 10


def last_day(published_on: date, *, working_days: int = WORKING_DAYS_FOR_REVIEW) -> date:
    """Give the last day to ask for a score review; the first is the one after publication.

    Published on 2026-03-16, it may be asked for until 2026-03-25.
    """
    return add_working_days(published_on, working_days)


def last_day_to_appeal(happened_on: date, *, days: int = DAYS_FOR_APPEAL) -> date:
    """Give the last day for an appeal; the day it happened is day 1."""
    return nth_day(happened_on, days)


def last_day_to_question_items(exam_date: date) -> date:
    """Give the last day to doubt an item: the last of the exam's month."""
    return exam_date.replace(day=monthrange(exam_date.year, exam_date.month)[1])
