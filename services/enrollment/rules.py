"""What a registration costs and until when each step may be taken: no I/O, no clock.

The numbers are those of the Hakka regulations; a catalogue may say others.
"""

from datetime import date

from shared.days import nth_day

FEE_TWD = 250
FREE_UNTIL_AGE = 19
DAYS_TO_SUBMIT = 7
DAYS_TO_PAY = 5
DAYS_TO_FIX = 7


def fee_twd(
    *,
    birth_date: date,
    exam_date: date,
    full_fee_twd: int = FEE_TWD,
    free_until_age: int = FREE_UNTIL_AGE,
) -> int:
    """Give the fee: nothing for an exam on or before the birthday of that age.

    The regulations put it the other way round: free is who was born on the exam's date so many
    years ago, or later. Compared like this, 29 February needs no special case, and comes out as
    the Civil Code has it (the day of birth counts, § 124; where the last month has no such day,
    its last day ends the period, § 121): born on 2008-02-29, one is free until 2027-02-28.
    """
    free_from = (exam_date.year - free_until_age, exam_date.month, exam_date.day)
    is_free = (birth_date.year, birth_date.month, birth_date.day) >= free_from
    return 0 if is_free else full_fee_twd


def fee_of(
    fee_rule: str,
    *,
    full_fee_twd: int,
    free_until_age: int | None,
    birth_date: date,
    exam_date: date,
) -> int:
    """Give the fee by the rule that a catalogue names."""
    if fee_rule == "centre":
        return 0  # settled with the centre
    if fee_rule == "flat" or free_until_age is None:
        return full_fee_twd
    return fee_twd(
        birth_date=birth_date,
        exam_date=exam_date,
        full_fee_twd=full_fee_twd,
        free_until_age=free_until_age,
    )


def submit_by(*, claimed_on: date, days: int = DAYS_TO_SUBMIT) -> date:
    """Give the last day to send a draft of the `multi` series; the day of the claim is day 1."""
    return nth_day(claimed_on, days)


def pay_by(*, submitted_on: date, days: int = DAYS_TO_PAY) -> date:
    """Give the last day to pay; the day of sending is day 1."""
    return nth_day(submitted_on, days)


def fix_by(*, returned_on: date, days: int = DAYS_TO_FIX) -> date:
    """Give the last day to replace documents that were not accepted; that day is day 1."""
    return nth_day(returned_on, days)
