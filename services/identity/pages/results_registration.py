"""Registering for the results service, with the numbers on the Confirmation of Entry."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, SecretStr, ValidationInfo, field_validator

from services.identity import results_accounts, secret_numbers, sessions, tries
from services.identity.limits import network
from services.identity.pages.results_front import WELCOME
from services.identity.pages.signing_up import SAME_ADDRESS, SAME_PASSWORD, EmailAddress
from services.identity.passwords import PASSWORDS
from services.identity.results_accounts import NoSuchEntry, RegisteredAlready, Registration
from services.identity.rules import email_key, find_results_password_fault
from services.identity.secret_numbers import TriedTooOften
from shared.db import POOL, transaction
from shared.entry_numbers import SECRET_NUMBER, read_id_number
from shared.forms import WHOLE_FORM, Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.proxies import client_address
from shared.templates import render
from shared.vault import VAULT

CHOOSE = mark("Choose whether you agree to the terms of use")
NOT_AGREED = mark("You can only register if you agree to the terms of use")


def _check_id_number(typed: str) -> str:
    number = read_id_number(typed)
    if number is None:
        raise ValueError(mark("An ID Number has 9 characters: capital letters and numbers"))
    return number


def _check_secret_number(typed: SecretStr) -> SecretStr:
    number = "".join(typed.get_secret_value().split())
    if not SECRET_NUMBER.fullmatch(number):
        raise ValueError(mark("A Secret Number has 4 digits"))
    return SecretStr(number)


class Register(BaseModel):
    """What registering takes."""

    id_number: Annotated[str, Says(mark("Enter your ID Number")), AfterValidator(_check_id_number)]
    secret_number: Annotated[
        SecretStr, Says(mark("Enter your Secret Number")), AfterValidator(_check_secret_number)
    ]
    email: EmailAddress
    email_again: Annotated[str, Says(mark("Enter your e-mail address again"))]
    password: Annotated[SecretStr, Says(mark("Choose a password"))]
    password_again: Annotated[SecretStr, Says(mark("Enter the password again"))]
    terms: Annotated[Literal["agreed", "not agreed"], Says(CHOOSE)]
    updates: bool = False

    @field_validator("email_again")
    @classmethod
    def _is_same_address(cls, again: str, info: ValidationInfo) -> str:
        if "email" in info.data and email_key(again) != email_key(info.data["email"]):
            raise ValueError(SAME_ADDRESS)
        return again

    @field_validator("password")
    @classmethod
    def _keeps_to_the_rule(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        id_number = info.data.get("id_number", "")
        fault = find_results_password_fault(password.get_secret_value(), id_number=id_number)
        if fault:
            raise ValueError(fault)
        return password

    @field_validator("password_again")
    @classmethod
    def _is_same_password(cls, again: SecretStr, info: ValidationInfo) -> SecretStr:
        if "password" in info.data and again != info.data["password"]:
            raise ValueError(SAME_PASSWORD)
        return again

    @field_validator("terms")
    @classmethod
    def _is_agreed(cls, terms: str) -> str:
        if terms != "agreed":
            raise ValueError(NOT_AGREED)
        return terms


async def show_form(request: web.Request) -> web.Response:
    return _show(request, Form.blank(Register))


async def register(request: web.Request) -> web.Response:
    form = Form.read(Register, await request.post())
    # A look at a secret number is not wasted on a form with a slip of the finger.
    if form.value is None:
        return _show(request, form, status=422)
    try:
        await _open(request, form.value)
    except (NoSuchEntry, TriedTooOften, RegisteredAlready) as refusal:
        form.add_error(WHOLE_FORM, refusal.sentence)
        return _show(request, form, status=refusal.status)
    raise web.HTTPSeeOther(f"{WELCOME}?registered=yes")


async def _open(request: web.Request, wanted: Register) -> None:
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        entry = await secret_numbers.prove(
            tx,
            request.app[VAULT],
            id_number=wanted.id_number,
            secret_number=wanted.secret_number.get_secret_value(),
            network=network(client_address(request)),
            now=now,
        )
    if entry is None:  # after the transaction, which has to remember the look
        raise NoSuchEntry
    registration = Registration(
        email=wanted.email,
        language=language_of(request),
        password_hash=await request.app[PASSWORDS].hash(wanted.password.get_secret_value()),
        wants_updates=wanted.updates,
    )
    async with transaction(request.app[POOL]) as tx:
        replaced = await results_accounts.open_(tx, entry=entry, registration=registration, now=now)
        if replaced is not None:
            actor = "new secret number"
            await sessions.end_all(tx, account_id=replaced.id, actor=actor, now=now)
            await tries.forget_devices(tx, account_id=replaced.id)
        await secret_numbers.vouch(tx)


def _show(request: web.Request, form: Form[Register], *, status: int = 200) -> web.Response:
    return render(request, "results/register.html", status=status, form=form)


ROUTES = [
    web.get("/results/registration", show_form),
    web.post("/results/registration", register),
]
