"""To whom a refund is sent that no provider can make: a postal money order needs an address."""

from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.payments import payees, refund_book
from services.payments.order_book import NoSuchOrder
from services.payments.pages import own
from services.payments.payees import Payee
from services.payments.refunds import AlreadyDone
from shared import taiwan
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render
from shared.vault import VAULT

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


async def show_payee(request: web.Request) -> web.Response:
    return await _ask(request, Form.blank(PayeeForm))


async def _ask(request: web.Request, form: Form[PayeeForm]) -> web.Response:
    refund_id = own.named(request, "refund_id")
    async with transaction(request.config_dict[POOL]) as tx:
        order = await own.load(tx, request)
        refunds = await refund_book.list_of_order(tx, order_id=order.id)
    refund = next((refund for refund in refunds if refund.id == refund_id), None)
    if refund is None:
        raise NoSuchOrder
    if refund.state == "completed":
        raise web.HTTPSeeOther(own.address(order))
    return render(
        request,
        "candidate/show_payee.html",
        status=422 if form.errors else 200,
        order=order,
        refund=refund,
        form=form,
    )


async def give_payee(request: web.Request) -> web.Response:
    form = Form.read(PayeeForm, await request.post())
    if form.value is None:
        return await _ask(request, form)
    async with transaction(request.config_dict[POOL]) as tx:
        order = await own.load(tx, request)
        try:
            await payees.give(
                tx,
                refund_id=own.named(request, "refund_id"),
                account_id=request[PRINCIPAL].id,
                payee=form.value.given,
                vault=request.config_dict[VAULT],
                now=request[ARRIVED_AT],
            )
        except AlreadyDone:
            notice = ""  # paid meanwhile: the order's page says so
        else:
            notice = "?payee"
    raise web.HTTPSeeOther(own.address(order, notice))


ROUTES = [
    web.get("/{order_id}/refunds/{refund_id}/payee", show_payee),
    web.post("/{order_id}/refunds/{refund_id}/payee", give_payee),
]
