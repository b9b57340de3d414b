"""Identity numbers, phones, postal codes and dates are read as Taiwan writes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import taiwan

# The letters' codes as the household registration law's rules publish them.
CODES = {
    "A": 10,
    "B": 11,
    "C": 12,
    "D": 13,
    "E": 14,
    "F": 15,
    "G": 16,
    "H": 17,
    "I": 34,
    "J": 18,
    "K": 19,
    "L": 20,
    "M": 21,
    "N": 22,
    "O": 35,
    "P": 23,
    "Q": 24,
    "R": 25,
    "S": 26,
    "T": 27,
    "U": 28,
    "V": 29,
    "W": 32,
    "X": 30,
    "Y": 31,
    "Z": 33,
}


def with_check_digit(letter: str, second: str, rest: str) -> str:
    """Build a number from the published rule, written down here in another way than there."""
    code = CODES[letter]
    second_digit = CODES[second] % 10 if second in CODES else int(second)
    total = code // 10 + code % 10 * 9 + second_digit * 8
    total += sum(int(digit) * weight for digit, weight in zip(rest, range(7, 0, -1), strict=True))
    return f"{letter}{second}{rest}{-total % 10}"


@pytest.mark.parametrize("number", ["A123456789", "A800000014", "F131104093", "A234567893"])
def test_a_number_that_adds_up_is_somebodys(number: str) -> None:
    assert taiwan.is_personal_id(number)


@pytest.mark.parametrize(
    "number",
    [
        "A123456780",
        "A800000015",
        "",
        "A12345678",
        "A1234567890",
        "a123456789",  # it is issued in capitals: write it so first
        "Ａ123456789",
        "A١٢٣٤٥٦٧٨٩",
        "A123456789\n",
        " A123456789",
        "A323456789",
        "A023456789",
        "AE00000009",
        "1123456789",
    ],
)
def test_what_does_not_add_up_or_looks_otherwise_is_refused(number: str) -> None:
    assert not taiwan.is_personal_id(number)


@given(
    letter=st.sampled_from(sorted(CODES)),
    second=st.sampled_from("1289ABCD"),
    rest=st.text("0123456789", min_size=7, max_size=7),
    slip=st.integers(1, 9),
)
def test_one_check_digit_in_ten_is_right(letter: str, second: str, rest: str, slip: int) -> None:
    number = with_check_digit(letter, second, rest)
    wrong = f"{number[:-1]}{(int(number[-1]) + slip) % 10}"
    assert taiwan.is_personal_id(number)
    assert not taiwan.is_personal_id(wrong)
    assert taiwan.is_national_id(number) == (second in "12")
    assert taiwan.is_resident_number(number) == (second not in "12")


@pytest.mark.parametrize("second", "034567EFGZ")
def test_the_second_letter_says_whose_number_it_is(second: str) -> None:
    assert not taiwan.is_personal_id(with_check_digit("A", second, "1234567"))


def test_old_resident_numbers_are_taken_until_the_end_of_2030() -> None:
    old, new = with_check_digit("A", "C", "1234567"), with_check_digit("A", "8", "1234567")
    assert taiwan.is_personal_id(old)
    assert taiwan.is_personal_id(old, on=date(2030, 12, 31))
    assert not taiwan.is_personal_id(old, on=date(2031, 1, 1))
    assert taiwan.is_personal_id(new, on=date(2031, 1, 1))


@pytest.mark.parametrize(
    "typed", ["a123456789", "Ａ１２３４５６７８９", " A12345 6789 ", "A-123456789", "A123456789\n"]
)
def test_a_number_is_written_as_it_was_issued(typed: str) -> None:
    assert taiwan.normal_personal_id(typed) == "A123456789"


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("AB123", True),
        ("123456789", True),
        ("A" * 20, True),
        ("AB12", False),
        ("A" * 21, False),
        ("ab12345", False),
        ("AB 12345", False),
        ("ＡＢ123", False),
    ],
)
def test_a_passport_number_is_5_to_20_letters_and_digits(number: str, is_one: bool) -> None:
    assert taiwan.is_passport(number) == is_one


@pytest.mark.parametrize(
    "typed",
    [
        *("0912345678", "0912-345-678", "0912 345678", "０９１２３４５６７８", "+886912345678"),
        *("+886-912-345-678", "00886 912 345 678", "+886 (0)912 345 678", "0912‐345‐678"),
    ],
)
def test_a_mobile_number_may_be_typed_in_many_ways(typed: str) -> None:
    assert taiwan.normal_phone(typed) == "0912345678"
    assert taiwan.is_mobile("0912345678")


@pytest.mark.parametrize(
    "number", ["091234567", "09123456789", "0812345678", "912345678", "0912-345678", "0912345678#1"]
)
def test_a_mobile_number_is_09_and_eight_digits(number: str) -> None:
    assert not taiwan.is_mobile(number)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("02-27748207", "0227748207"),
        ("(02)2774-8207", "0227748207"),
        ("02 2774 8207 #123", "0227748207#123"),
        ("02-2774-8207轉123", "0227748207#123"),
        ("02-2774-8207 分機 123", "0227748207#123"),
        ("02-2774-8207 ext. 123", "0227748207#123"),
        ("０２－２７７４８２０７＃１２", "0227748207#12"),
        ("+886-2-2774-8207", "0227748207"),
        ("037-123456", "037123456"),
        ("049-2123456", "0492123456"),
        ("04-7123456", "047123456"),
        ("089-123456", "089123456"),
        ("0826-61234", "082661234"),
        ("0836-25123", "083625123"),
        ("0809-090-040", "0809090040"),
        ("07-3121101", "073121101"),
    ],
)
def test_landlines_are_taken_from_everywhere(typed: str, number: str) -> None:
    assert taiwan.normal_phone(typed) == number
    assert taiwan.is_landline(number)


@pytest.mark.parametrize(
    "number", ["27748207", "02277", "0912345678", "0127748207", "0227748207#", "02277482071234"]
)
def test_a_landline_needs_its_area_code_and_enough_digits(number: str) -> None:
    assert not taiwan.is_landline(number)


@pytest.mark.parametrize("code", ["106", "10610", "106209"])
def test_a_postal_code_has_3_5_or_6_digits(code: str) -> None:
    assert taiwan.is_postal_code(code)
    assert taiwan.normal_postal_code(f" {code[:3]}-{code[3:]} ") == code


@pytest.mark.parametrize("code", ["", "10", "1062", "1062099", "10a", "１０６"])
def test_other_lengths_are_no_postal_code(code: str) -> None:
    assert not taiwan.is_postal_code(code)


@pytest.mark.parametrize(
    "typed",
    [
        *("96/9/12", "96-09-12", "96.9.12", "0960912", "960912", "民國96年9月12日", "96年9月12日"),
        *("2007-09-12", "2007/9/12", "20070912", "西元2007年9月12日", " 民國 96 年 9 月 12 日 "),
        *("９６／９／１２", "0096-09-12", "96年-9月-12日"),
    ],
)
def test_a_birth_date_is_read_in_either_calendar(typed: str) -> None:
    assert taiwan.read_birth_date(typed) == date(2007, 9, 12)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1-1-1", date(1912, 1, 1)),
        ("07-01-01", date(1918, 1, 1)),
        ("100-02-28", date(2011, 2, 28)),
        ("199-12-31", date(2110, 12, 31)),
        ("1900-01-01", date(1900, 1, 1)),
        ("97-2-29", date(2008, 2, 29)),
    ],
)
def test_a_bare_year_below_200_is_one_of_the_republic(typed: str, read: date) -> None:
    assert taiwan.read_birth_date(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        *("", "soon", "96-2-29", "96-13-1", "96-0-1", "0-1-1", "200-1-1", "1899-12-31", "96-9"),
        *("民國2007年9月12日", "西元96年9月12日", "12345", "--", "9999999-1-1"),
    ],
)
def test_what_is_no_date_is_not_guessed_at(typed: str) -> None:
    assert taiwan.read_birth_date(typed) is None


@given(st.dates(min_value=date(1912, 1, 1), max_value=date(2110, 12, 31)))
def test_a_date_written_in_the_republics_calendar_reads_back(day: date) -> None:
    assert taiwan.read_birth_date(taiwan.roc_date(day)) == day


def test_dates_before_the_republic_keep_their_year() -> None:
    assert taiwan.roc_date(date(1911, 12, 31)) == "西元1911年12月31日"
    assert taiwan.roc_date(date(2026, 9, 12)) == "民國115年9月12日"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("A123456789", "A12****789"),
        ("AB123", "*****"),
        ("AB1234", "A****4"),
        ("", ""),
        ("X" * 20, "XXX" + "*" * 14 + "XXX"),
    ],
)
def test_a_screen_shows_a_number_in_part(number: str, shown: str) -> None:
    assert taiwan.mask_personal_id(number) == shown


def test_a_phone_number_is_shown_in_part() -> None:
    assert taiwan.mask_phone("0912345678") == "091****678"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王○明"),
        ("王明", "王○"),
        ("歐陽小明", "歐○○明"),
        ("TA-TUNG WANG", "T○○○○○○ W○○○"),
        ("Li", "L○"),
        ("", ""),
    ],
)
def test_a_name_is_shown_in_part(name: str, shown: str) -> None:
    assert taiwan.mask_name(name) == shown
