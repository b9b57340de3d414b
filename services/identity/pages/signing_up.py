"""Signing up, and asking for a new password: the answer is the same for every address."""

from hashlib import sha256
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, SecretStr, field_validator

from services.identity import inquiries, links, puzzles
from services.identity.inquiries import Inquiry
from services.identity.limits import LETTERS, SIGN_UPS, SIGN_UPS_BEFORE_PUZZLE, TooOften, network
from services.identity.pages.handover import keep_step
from services.identity.passwords import PASSWORDS
from services.identity.rules import (
    LONGEST_NAME,
    email_key,
    find_address_fault,
    find_password_fault,
)
from shared import counters
from shared.db import POOL, Tx, transaction
from shared.forms import WHOLE_FORM, Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.proxies import client_address
from shared.templates import render
from shared.vault import VAULT

# In the browser that signed up the link in the letter is enough. It remembers which sign-up it was,
# not for which address: strangers sign up with that, too, and theirs may be the letter that came.
SIGNED_UP = "signed-up"

ENTER_ADDRESS = mark("Enter your e-mail address")
SAME_ADDRESS = mark("Enter the same e-mail address twice")
SAME_PASSWORD = mark("Enter the same password twice")
NOT_SOLVED = mark("Wait one minute after this page has opened, then press the button again")


def _check_address(email: str) -> str:
    fault = find_address_fault(email)
    if fault:
        raise ValueError(fault)
    return email


EmailAddress = Annotated[str, Says(ENTER_ADDRESS), AfterValidator(_check_address)]


class Address(BaseModel):
    """An e-mail address somebody typed."""

    email: EmailAddress


class SignUp(BaseModel):
    """What an account takes."""

    person: Annotated[str, Says(mark("Enter your name"))]
    email: EmailAddress
    email_again: Annotated[str, Says(mark("Enter your e-mail address again"))]
    password: Annotated[SecretStr, Says(mark("Choose a password"))]
    password_again: Annotated[SecretStr, Says(mark("Enter the password again"))]
    terms: Annotated[Literal["agreed"], Says(mark("Agree to the terms of use to open an account"))]
    solution: str = ""
    ticket: str = ""

    @field_validator("person")
    @classmethod
    def _fits(cls, person: str) -> str:
        if len(person) > LONGEST_NAME or not person.isprintable():
            raise ValueError(mark("Enter a name of at most 100 characters"))
        return person


def check_passwords(form: Form[SignUp], *, email: str) -> None:
    """Hold what was typed twice against each other, and the password against the rule."""
    if form.value is None:
        return
    password = form.value.password.get_secret_value()
    again = form.value.password_again.get_secret_value()
    fault = find_password_fault(password, email=email)
    if fault:
        form.add_error("password", fault)
    elif again != password:
        form.add_error("password_again", SAME_PASSWORD)


async def show_sign_up(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        suspicious = await _is_suspicious(tx, request)
    return _show(request, Form.blank(SignUp), suspicious=suspicious)


async def sign_up(request: web.Request) -> web.Response:
    form = Form.read(SignUp, await request.post())
    value = form.value
    if value is not None:
        check_passwords(form, email=value.email)
        if email_key(value.email) != email_key(value.email_again):
            form.add_error("email_again", SAME_ADDRESS)
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        suspicious = await _is_suspicious(tx, request)
        if form.value is not None and suspicious:
            accepted = await puzzles.accept(
                tx,
                request.app[VAULT],
                solution=form.value.solution,
                ticket=form.value.ticket,
                now=now,
            )
            if not accepted:
                form.add_error(WHOLE_FORM, NOT_SOLVED)
    if form.value is None or value is None:
        return _show(request, form, suspicious=suspicious)
    hashed = await request.app[PASSWORDS].hash(value.password.get_secret_value())
    inquiry = Inquiry("sign_up", value.email, value.person, language_of(request), hashed)
    async with transaction(request.app[POOL]) as tx:
        neighbours = network(client_address(request))
        await counters.count(tx, SIGN_UPS_BEFORE_PUZZLE, key=neighbours, now=now)
        if not await counters.admit(tx, SIGN_UPS, key=neighbours, now=now):
            raise TooOften
        await _ask(tx, request, inquiry)
    response = web.HTTPSeeOther("/identity/sign-up/sent")
    keep_step(request, response, SIGNED_UP, which_sign_up(hashed), lasts=links.LASTS)
    raise response


def which_sign_up(password_hash: str) -> str:
    """Tell one sign-up from every other: each hash has a salt of its own."""
    return sha256(password_hash.encode()).hexdigest()


async def show_sign_up_sent(request: web.Request) -> web.Response:
    return render(request, "public/sign_up_sent.html")


async def show_forgotten(request: web.Request) -> web.Response:
    return render(request, "public/forgotten.html", form=Form.blank(Address))


async def ask_for_password(request: web.Request) -> web.Response:
    form = Form.read(Address, await request.post())
    if form.value is None:
        return render(request, "public/forgotten.html", status=422, form=form)
    inquiry = Inquiry("reset_password", form.value.email, "", language_of(request))
    async with transaction(request.app[POOL]) as tx:
        await _ask(tx, request, inquiry)
    raise web.HTTPSeeOther("/identity/forgotten-password/sent")


async def show_forgotten_sent(request: web.Request) -> web.Response:
    return render(request, "public/forgotten_sent.html")


async def _ask(tx: Tx, request: web.Request, inquiry: Inquiry) -> None:
    """Have the letter written, unless the address was made to receive very many already.

    Beyond the limit the page says the same: whoever typed it learns nothing, and the mailbox is
    spared.
    """
    now = request[ARRIVED_AT]
    if await counters.admit(tx, LETTERS, key=email_key(inquiry.email), now=now):
        await inquiries.ask(tx, inquiry, now=now)


async def _is_suspicious(tx: Tx, request: web.Request) -> bool:
    key = network(client_address(request))
    return await counters.is_over(tx, SIGN_UPS_BEFORE_PUZZLE, key=key, now=request[ARRIVED_AT])


def _show(request: web.Request, form: Form[SignUp], *, suspicious: bool) -> web.Response:
    puzzle = None
    if suspicious:
        puzzle = puzzles.make(request.app[VAULT], now=request[ARRIVED_AT])
    status = 422 if form.errors else 200
    return render(request, "public/sign_up.html", status=status, form=form, puzzle=puzzle)


ROUTES = [
    web.get("/sign-up", show_sign_up),
    web.post("/sign-up", sign_up),
    web.get("/sign-up/sent", show_sign_up_sent),
    web.get("/forgotten-password", show_forgotten),
    web.post("/forgotten-password", ask_for_password),
    web.get("/forgotten-password/sent", show_forgotten_sent),
]
