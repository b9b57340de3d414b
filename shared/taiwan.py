"""Identity numbers, phones, postal codes and dates as Taiwan writes them.

An `is_…` is strict and reads the form that is stored; a `normal_…` makes that form from what people
type. What is wrong stays wrong: a normaliser never guesses.
"""

import re
import unicodedata
from datetime import date
from operator import mul

# Where the letter A stands for 10, B for 11 and so on; the order is historical.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
_NATIONAL_ID = re.compile(r"[A-Z][12][0-9]{8}")
_RESIDENT_NUMBER = re.compile(r"[A-Z][89][0-9]{8}")
_OLD_RESIDENT_NUMBER = re.compile(r"[A-Z][A-D][0-9]{8}")
LAST_DAY_OF_OLD_RESIDENT_NUMBERS = date(2030, 12, 31)

_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_MOBILE = re.compile(r"09[0-9]{8}")
# Area codes of one to three digits with numbers of five to eight. Lists of exchanges are wrong
# sooner than people's phones, so none is kept here.
_LANDLINE = re.compile(r"0[2-8][0-9]{7,9}(#[0-9]{1,6})?")
_POSTAL_CODE = re.compile(r"[0-9]{3}|[0-9]{5,6}")

_PHONE_SEPARATORS = re.compile(r"[\s()./\-‐-―−]+")
_EXTENSION = re.compile(r"(?:#|ext|x|轉|分機)+(?=[0-9]+$)")
_COUNTRY_CODE = re.compile(r"^(?:\+|00)8860?(?=[2-9])")

ROC_YEAR_ZERO = 1911
# The Republic's years stay below this until 2110, and nobody alive was born in the year 199.
_ROC_YEARS = range(1, 200)
_GREGORIAN_YEARS = range(1900, 10000)
_DATE = re.compile(r"(民國|西元)?([0-9]{1,4})[年./\-]{1,2}([0-9]{1,2})[月./\-]{1,2}([0-9]{1,2})日?")
_DATE_IN_DIGITS = re.compile(r"(民國|西元)?([0-9]{2,4})([0-9]{2})([0-9]{2})")


def _narrow(text: str) -> str:
    """Make full-width letters and digits narrow, as input methods leave them wide."""
    return unicodedata.normalize("NFKC", text).strip()


def normal_personal_id(text: str) -> str:
    """Write an identity or passport number as it was issued: narrow, in capitals, unspaced."""
    return re.sub(r"[\s\-]", "", _narrow(text)).upper()


def is_national_id(text: str) -> bool:
    """Test a citizen's number (身分證統一編號)."""
    return bool(_NATIONAL_ID.fullmatch(text)) and _adds_up(text)


def is_resident_number(text: str, *, on: date | None = None) -> bool:
    """Test a foreign resident's number (統一證號), old or new; the old ones until they end."""
    if _OLD_RESIDENT_NUMBER.fullmatch(text):
        has_ended = on is not None and on > LAST_DAY_OF_OLD_RESIDENT_NUMBERS
        return not has_ended and _adds_up(text)
    return bool(_RESIDENT_NUMBER.fullmatch(text)) and _adds_up(text)


def is_personal_id(text: str, *, on: date | None = None) -> bool:
    """Test a number that belongs to one person for life: a citizen's or a resident's."""
    return is_national_id(text) or is_resident_number(text, on=on)


def _adds_up(text: str) -> bool:
    """Test the check digit. Of a second letter only the units digit counts."""
    first = _number_of(text[0])
    second = _number_of(text[1]) % 10 if text[1].isalpha() else int(text[1])
    digits = (first // 10, first % 10, second, *map(int, text[2:]))
    total: int = sum(map(mul, digits, _WEIGHTS))
    return total % 10 == 0


def _number_of(letter: str) -> int:
    return _LETTERS.index(letter) + 10


def is_passport(text: str) -> bool:
    """Test a passport number. Every country has its own rule, so there is no check digit."""
    return bool(_PASSPORT.fullmatch(text))


def normal_phone(text: str) -> str:
    """Write a phone number as digits from the area code on, and #extension where there is one."""
    digits = _PHONE_SEPARATORS.sub("", _narrow(text).casefold())
    return _COUNTRY_CODE.sub("0", _EXTENSION.sub("#", digits))


def is_mobile(text: str) -> bool:
    return bool(_MOBILE.fullmatch(text))


def is_landline(text: str) -> bool:
    return bool(_LANDLINE.fullmatch(text))


def normal_postal_code(text: str) -> str:
    return re.sub(r"[\s\-]", "", _narrow(text))


def is_postal_code(text: str) -> bool:
    """Test a postal code: 3 digits since 1970, 3+2 since 1993, 3+3 since 2020; all are in use."""
    return bool(_POSTAL_CODE.fullmatch(text))


def read_birth_date(text: str) -> date | None:
    """Read a date as people type it: 96/9/12, 0960912, 民國96年9月12日, 2007-09-12, 20070912.

    A bare year below 200 is one of the Republic: 96 is 2007, and 07 is 1918. A page that shows the
    answer in both calendars lets people see a slip. None: this is no date, or of no person alive.
    """
    written = re.sub(r"\s", "", _narrow(text))
    found = _DATE.fullmatch(written) or _DATE_IN_DIGITS.fullmatch(written)
    if not found:
        return None
    calendar, *numbers = found.groups()
    year, month, day = map(int, numbers)
    if year in _ROC_YEARS and calendar != "西元":
        year += ROC_YEAR_ZERO
    elif year not in _GREGORIAN_YEARS or calendar == "民國":
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def roc_date(day: date) -> str:
    """Write a date in the Republic's calendar; the few days before it began stay as they are."""
    if day.year <= ROC_YEAR_ZERO:
        return f"西元{day.year}年{day.month}月{day.day}日"
    return f"民國{day.year - ROC_YEAR_ZERO}年{day.month}月{day.day}日"


def mask_personal_id(text: str) -> str:
    """Show enough of a number for its owner to know it: A12****789; four letters stay hidden."""
    return _mask(text, shown=3)


def mask_phone(text: str) -> str:
    """Show the beginning and the end of a phone number: 091****678."""
    return _mask(text, shown=3)


def _mask(text: str, *, shown: int) -> str:
    shown = min(shown, max(0, (len(text) - 4) // 2))
    hidden = len(text) - 2 * shown
    return text[:shown] + "*" * hidden + text[len(text) - shown :]


def mask_name(name: str) -> str:
    """Show a name in part: 王○明, 王○, T○○○○○○ W○○○."""
    words = name.split()
    return " ".join(_mask_word(word) for word in words)


def _mask_word(word: str) -> str:
    # The last letter of a Latin word tells little, and of a short one too much.
    last = word[-1] if len(word) > 2 and not word.isascii() else ""
    return word[0] + "○" * (len(word) - 1 - len(last)) + last
