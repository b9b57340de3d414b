"""The rules of money, and the slip's arithmetic."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments import rules, slip
from services.payments.rules import TAIPEI

moments = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@pytest.mark.parametrize(
    ("paid_twd", "reason", "back_twd"),
    [
        (250, "overpaid", 192), (250, "review_failed", 192), (250, "personal", 192),
        (250, "postponed", 250), (250, "disaster", 250), (250, "late", 192), (58, "overpaid", 0),
        (10, "wrong_amount", 0), (59, "orphan", 1),
    ],
)  # fmt: skip
def test_what_goes_back_is_in_the_table(paid_twd: int, reason: str, back_twd: int) -> None:
    assert rules.refundable(paid_twd, reason) == back_twd


@pytest.mark.parametrize(
    ("exam", "apply_by", "pay_out_by"),
    [
        (date(2026, 9, 12), "2026-10-01T00:00:00+08:00", "2026-11-01T00:00:00+08:00"),
        (date(2026, 12, 19), "2027-01-01T00:00:00+08:00", "2027-02-01T00:00:00+08:00"),
        (date(2026, 11, 30), "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
    ],
)
def test_months_end_in_taipei(exam: date, apply_by: str, pay_out_by: str) -> None:
    assert rules.apply_by(exam, TAIPEI).isoformat() == apply_by
    assert rules.pay_out_by(exam, TAIPEI).isoformat() == pay_out_by


@pytest.mark.parametrize(
    ("pay_by", "known_at"),
    [
        # the end of Friday, 2026-05-08: Monday, Tuesday, Wednesday
        ("2026-05-08T16:00:00+00:00", "2026-05-14T00:00:00+08:00"),
        # the end of 2026-02-11, and then the New Year's holidays
        ("2026-02-11T16:00:00+00:00", "2026-02-24T00:00:00+08:00"),
    ],
)
def test_a_slip_is_known_of_after_three_working_days(pay_by: str, known_at: str) -> None:
    known = rules.slip_is_reported_by(datetime.fromisoformat(pay_by))
    assert known.isoformat() == known_at


@given(moments)
def test_a_card_is_refunded_after_a_whole_closing(paid_at: datetime) -> None:
    began = rules.card_refund_from(paid_at).astimezone(TAIPEI) - timedelta(minutes=15)
    assert (began.hour, began.minute) == (20, 15)
    assert timedelta(0) < began - paid_at <= timedelta(days=1)


@given(moments)
def test_nothing_is_sent_during_the_closing(now: datetime) -> None:
    when = rules.outside_closing(now)
    assert timedelta(0) <= when - now <= timedelta(minutes=15)
    assert not rules.CLOSING_BEGINS <= when.astimezone(TAIPEI).time() < rules.CLOSING_ENDS


@given(
    st.integers(0, 40),
    st.timedeltas(timedelta(0), timedelta(days=20)),
)
def test_a_provider_is_asked_less_and_less_often_and_at_the_last_moment(
    asks: int, before: timedelta
) -> None:
    last = datetime(2026, 5, 9, tzinfo=UTC)
    first, longest = timedelta(minutes=5), timedelta(hours=6)
    again = rules.next_ask(last - before, asks=asks, first=first, longest=longest, last_ask_at=last)
    assert last - before < again
    assert again - (last - before) <= longest
    assert again <= last or before == timedelta(0)


def test_trade_numbers_are_numbers_that_no_spreadsheet_rounds() -> None:
    numbers = {rules.new_trade_number() for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(len(number) == 20 and number.startswith("EH") for number in numbers)
    assert all(number[2:].isdigit() for number in numbers)


def test_check_characters_are_those_of_a_real_slip() -> None:
    assert slip.check_characters("1105036EA", "3453011539919569", "0426000001500") == "77"
    assert slip.is_slip("1105036EA", "3453011539919569", "042677000001500")


@pytest.mark.parametrize(
    ("first", "second", "third", "check"),
    [
        ("000000000", "0000000000000000", "0000000000000", "AX"),
        ("00000000A", "0000000000000000", "0000000000000", "1X"),  # odd places alone
        ("0A0000000", "0000000000000000", "0000000000000", "A1"),
        ("90000000A", "0000000000000000", "0000000000000", "BX"),
        ("0A0000000", "0900000000000000", "0000000000000", "AY"),
        ("S0000000J", "0000000000000000", "0000000000000", "3X"),
        ("Z0000000R", "0000000000000000", "0000000000000", "7X"),
        ("000000000", "0000000000000000", "1000100000000", "2X"),
    ],
)
def test_check_characters_follow_the_rule(first: str, second: str, third: str, check: str) -> None:
    assert slip.check_characters(first, second, third) == check


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ("1105036EA", "3453011539919569", "042678000001500"),
        ("1105036EA", "3453011539919569", "042677000001501"),
        ("1105036EB", "3453011539919569", "042677000001500"),
        ("1105036EA", "345301153991956", "042677000001500"),
        ("1105036ea", "3453011539919569", "042677000001500"),
        ("1105036EA", "3453011539919569", ""),
    ],
)
def test_a_slip_with_a_mistake_is_none(first: str, second: str, third: str) -> None:
    assert not slip.is_slip(first, second, third)
