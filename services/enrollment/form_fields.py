"""Kinds of answers: each knows how it is written down and what is wrong with one. No I/O."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from shared import taiwan
from shared.i18n import mark

LONGEST_NAME = 50
LONGEST_LATIN_NAME = 60
LONGEST_ADDRESS = 120
SHORTEST_ADDRESS = 6
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_TEXT = 60
OLDEST_YEARS = 120

_IN_EMAIL = r"[^\s<>()\[\]\\,;:@\".]+"
_EMAIL = re.compile(rf"{_IN_EMAIL}(\.{_IN_EMAIL})*@{_IN_EMAIL}(\.{_IN_EMAIL})+")
# Besides letters: what stands between the parts of a name, in Chinese and in Latin.
_IN_NAMES = frozenset(" -.,'’·‧・．－")
_AGENCY_CODE = re.compile(r"[A-Z0-9]{3,10}")

UNPRINTABLE = mark("Write this without the character that cannot be printed")
TOO_LONG = mark("Write this in at most 60 characters")
NO_NAME = mark("Enter the name with letters only, as it stands on the identity document")
NO_LATIN_NAME = mark("Enter the name in Latin letters, as in a passport: WANG, TA-TUNG")
NO_MOBILE = mark("Enter a mobile number of 10 digits that begins with 09, such as 0912-345-678")
NO_LANDLINE = mark("Enter the number with its area code, such as 02-7749-8207 or 02-7749-8207#123")
NO_PHONE = mark("Enter a mobile number such as 0912-345-678, or one with area code: 02-7749-8207")
NO_EMAIL = mark("Enter an e-mail address in the usual form, such as name@example.com")
NO_POSTAL_CODE = mark("Enter a postal code of 3, 5 or 6 digits, such as 106 or 106209")
NO_ADDRESS = mark("Enter the whole address: city or county, district, road and number")
BORN_LATER = mark("Enter a date of birth in the past")
BORN_LONG_AGO = mark("Check the year of birth: in the ROC calendar it is the year less 1911")
NO_AGENCY_CODE = mark("Enter the agency code of 3 to 10 letters and digits, such as A15000000H")


def one_line(text: str) -> str:
    """Write an answer in one line with single spaces; wide spaces of input methods are spaces."""
    line = " ".join(text.split())
    if not line.isprintable():
        raise ValueError(UNPRINTABLE)
    return line


def is_latin(name: str) -> bool:
    return all(
        sign in _IN_NAMES or unicodedata.name(sign, "").startswith("LATIN ") for sign in name
    )


def _within(longest: int, sentence: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > longest:
            raise ValueError(sentence)
        return text

    return check


def _name(text: str) -> str:
    letters = sum(sign.isalpha() for sign in text)
    # Rare characters carry a mark that chooses their shape.
    fits = all(sign in _IN_NAMES or unicodedata.category(sign)[0] in "LM" for sign in text)
    if letters < 2 or not fits or len(text) > LONGEST_NAME:
        raise ValueError(NO_NAME)
    return text


def _latin_name(text: str) -> str:
    letters = sum(sign.isalpha() for sign in text)
    if letters < 2 or not is_latin(text) or len(text) > LONGEST_LATIN_NAME:
        raise ValueError(NO_LATIN_NAME)
    return text


def _mobile(text: str) -> str:
    number = taiwan.normal_phone(text)
    if not taiwan.is_mobile(number):
        raise ValueError(NO_MOBILE)
    return number


def _landline(text: str) -> str:
    number = taiwan.normal_phone(text)
    # Many have no other number at home than their mobile.
    if not taiwan.is_landline(number) and not taiwan.is_mobile(number):
        raise ValueError(NO_LANDLINE)
    return number


def _phone(text: str) -> str:
    number = taiwan.normal_phone(text)
    if not taiwan.is_landline(number) and not taiwan.is_mobile(number):
        raise ValueError(NO_PHONE)
    return number


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or len(text) > LONGEST_EMAIL:
        raise ValueError(NO_EMAIL)
    return text


def _postal_code(text: str) -> str:
    code = taiwan.normal_postal_code(text)
    if not taiwan.is_postal_code(code):
        raise ValueError(NO_POSTAL_CODE)
    return code


def _address(text: str) -> str:
    if not SHORTEST_ADDRESS <= len(text) <= LONGEST_ADDRESS:
        raise ValueError(NO_ADDRESS)
    return text


def _agency_code(text: str) -> str:
    code = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    if not _AGENCY_CODE.fullmatch(code):
        raise ValueError(NO_AGENCY_CODE)
    return code


def _birth_date(answer: object) -> object:
    """Read a date in either calendar: 96-09-12 is 2007-09-12."""
    if isinstance(answer, date):
        return answer
    birth_date = taiwan.read_birth_date(answer) if isinstance(answer, str) else None
    if birth_date is None:
        raise PydanticCustomError("no_date", "is no date")
    return birth_date


Line = Annotated[str, AfterValidator(one_line)]


def check_birth_date(birth_date: date, *, today: date) -> date:
    """Accept the day of birth of somebody who may be alive."""
    if birth_date >= today:
        raise ValueError(BORN_LATER)
    if birth_date.year < today.year - OLDEST_YEARS:
        raise ValueError(BORN_LONG_AGO)
    return birth_date


Text = Annotated[Line, AfterValidator(_within(LONGEST_TEXT, TOO_LONG))]
Name = Annotated[Line, AfterValidator(_name)]
LatinName = Annotated[Line, AfterValidator(_latin_name)]
PersonalId = Annotated[Line, AfterValidator(taiwan.normal_personal_id)]
Mobile = Annotated[Line, AfterValidator(_mobile)]
Landline = Annotated[Line, AfterValidator(_landline)]
Phone = Annotated[Line, AfterValidator(_phone)]
Email = Annotated[Line, AfterValidator(_email)]
PostalCode = Annotated[Line, AfterValidator(_postal_code)]
PostalAddress = Annotated[Line, AfterValidator(_address)]
AgencyCode = Annotated[Line, AfterValidator(_agency_code)]
ReadBirthDate = BeforeValidator(_birth_date)
