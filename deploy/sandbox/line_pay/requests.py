"""What a shop may ask LINE Pay for, checked field by field."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

from deploy.sandbox.ecpay.orders import is_address

M = TypeVar("M", bound=BaseModel)
CURRENCY = "TWD"
MOST_TWD = 10_000_000


class Refused(Exception):
    """LINE Pay answers with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


def _is_address(text: str) -> str:
    if not is_address(text):
        raise ValueError("not an address on the web")
    return text


def _is_currency(text: str) -> str:
    if text != CURRENCY:
        raise ValueError(f"only {CURRENCY}")
    return text


Amount = Annotated[StrictInt, Field(ge=1, le=MOST_TWD)]
Address = Annotated[StrictStr, Field(max_length=500), AfterValidator(_is_address)]
Currency = Annotated[StrictStr, AfterValidator(_is_currency)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Product(_Body):
    """Something that is paid for."""

    name: StrictStr = Field(min_length=1, max_length=4000)
    quantity: StrictInt = Field(ge=1)
    price: StrictInt = Field(ge=0, le=MOST_TWD)


class Package(_Body):
    """Products that belong together."""

    id: StrictStr = Field(min_length=1, max_length=50)
    amount: Amount
    name: StrictStr = Field("", max_length=100)
    products: list[Product] = Field(min_length=1)


class Redirects(_Body):
    """Where the browser goes afterwards."""

    confirmUrl: Address  # noqa: N815 their name
    cancelUrl: Address  # noqa: N815 their name


class PaymentAsked(_Body):
    """The body of a request."""

    amount: Amount
    currency: Currency
    orderId: StrictStr = Field(min_length=1, max_length=100)  # noqa: N815 their name
    packages: list[Package] = Field(min_length=1)
    redirectUrls: Redirects  # noqa: N815 their name


class Confirmation(_Body):
    """The body of a confirmation."""

    amount: Amount
    currency: Currency


class RefundAsked(_Body):
    """The body of a refund; without an amount all that is left goes back."""

    refundAmount: Amount | None = None  # noqa: N815 their name


def read_payment(body: bytes) -> PaymentAsked:
    asked = _read(PaymentAsked, body)
    for package in asked.packages:
        if package.amount != sum(one.quantity * one.price for one in package.products):
            raise Refused("1124", "The products do not add up to their package.")
    if asked.amount != sum(package.amount for package in asked.packages):
        raise Refused("1124", "The packages do not add up to the amount.")
    return asked


def read_confirmation(body: bytes) -> Confirmation:
    return _read(Confirmation, body)


def read_refund(body: bytes) -> RefundAsked:
    return _read(RefundAsked, body or b"{}")


def _read(model: type[M], body: bytes) -> M:
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refused("2102", "JSON data format error.")
    try:
        return model.model_validate(document)
    except ValidationError as wrong:
        [*places] = (".".join(str(part) for part in one["loc"]) for one in wrong.errors())
        raise Refused("2101", f"Parameter error: {', '.join(places)}") from None
