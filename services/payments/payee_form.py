"""The form in which one says to whom a postal money order is made out, and where it is sent."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from services.payments.payees import Payee
from shared import taiwan
from shared.forms import Says
from shared.i18n import mark

LONGEST_NAME = 50
SHORTEST_ADDRESS, LONGEST_ADDRESS = 6, 120
NO_NAME = mark("Enter the name in letters, as on the identity document")
NO_POSTAL_CODE = mark("Enter a postal code of 3, 5 or 6 digits, such as 106 or 106209")
NO_ADDRESS = mark("Enter the whole address: city or county, district, road and number")
NO_PHONE = mark("Enter a mobile number such as 0912-345-678, or one with area code: 02-7749-8207")


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name.isprintable() or not any(map(str.isalpha, name)) or len(name) > LONGEST_NAME:
        raise ValueError(NO_NAME)
    return name


def _postal_code(text: str) -> str:
    code = taiwan.normal_postal_code(text)
    if not taiwan.is_postal_code(code):
        raise ValueError(NO_POSTAL_CODE)
    return code


def _address(text: str) -> str:
    address = " ".join(text.split())
    if not address.isprintable() or not SHORTEST_ADDRESS <= len(address) <= LONGEST_ADDRESS:
        raise ValueError(NO_ADDRESS)
    return address


def _phone(text: str) -> str:
    number = taiwan.normal_phone(text)
    if not taiwan.is_mobile(number) and not taiwan.is_landline(number):
        raise ValueError(NO_PHONE)
    return number


class PayeeForm(BaseModel):
    """Whoever gets the money order, and where."""

    payee: Annotated[
        str, Says(mark("Enter the name of whoever gets the money")), AfterValidator(_name)
    ]
    postal_code: Annotated[str, Says(NO_POSTAL_CODE), AfterValidator(_postal_code)]
    address: Annotated[str, Says(NO_ADDRESS), AfterValidator(_address)]
    phone: Annotated[str, Says(NO_PHONE), AfterValidator(_phone)]

    @property
    def given(self) -> Payee:
        return Payee(self.payee, self.postal_code, self.address, self.phone)
