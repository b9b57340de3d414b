"""Checking by numbers, for recognising organisations: applying, accepting the terms, looking up."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.scoring import looks, organisations
from services.scoring.limits import LOOKS_AT_NUMBER, LOOKS_OF_ORGANISATION, TooOften
from services.scoring.organisations import TERMS_VERSION, NothingFits, Organisation
from services.scoring.statements import Statement
from shared import counters, entry_numbers
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import WHOLE_FORM, Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render
from shared.vault import VAULT

PAGE = "/scoring/verification/"
LONGEST_NAME = 100
LONGEST_WEBSITE = 200
LONGEST_PURPOSE = 1_000
NAME = mark("Enter the organisation's name, in at most 100 characters")
WEBSITE = mark("Enter the address of the organisation's website, like https://www.example.edu.tw")
PURPOSE = mark("Write for what you check statements, in at most 1,000 characters")
TERMS = mark("Accept the terms, or close this page")
ID_NUMBER = mark("Enter the ID number: 9 capitals and digits, like 937803WLC")
SECRET_NUMBER = mark("Enter the secret number: 4 digits")


def _name(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable() or len(line) > LONGEST_NAME:
        raise ValueError(NAME)
    return line


def _website(text: str) -> str:
    is_one = text.startswith(("https://", "http://")) and "." in text and text.isascii()
    if not is_one or not text.isprintable() or " " in text or len(text) > LONGEST_WEBSITE:
        raise ValueError(WEBSITE)
    return text


def _purpose(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable() or len(line) > LONGEST_PURPOSE:
        raise ValueError(PURPOSE)
    return line


def _id_number(text: str) -> str:
    number = entry_numbers.read_id_number(text)
    if number is None:
        raise ValueError(ID_NUMBER)
    return number


def _secret_number(text: str) -> str:
    if not entry_numbers.SECRET_NUMBER.fullmatch(text):
        raise ValueError(SECRET_NUMBER)
    return text


class Application(BaseModel):
    """Who wants to check statements, and why."""

    name: Annotated[str, AfterValidator(_name), Says(NAME)]
    website: Annotated[str, AfterValidator(_website), Says(WEBSITE)]
    purpose: Annotated[str, AfterValidator(_purpose), Says(PURPOSE)]


class Acceptance(BaseModel):
    """That the terms were read, and which."""

    version: Annotated[int, Says(TERMS)]
    accepted: Annotated[Literal["yes"], Says(TERMS)]


class Numbers(BaseModel):
    """What stands on a Confirmation of Entry."""

    id_number: Annotated[str, AfterValidator(_id_number), Says(ID_NUMBER)]
    secret_number: Annotated[str, AfterValidator(_secret_number), Says(SECRET_NUMBER)]


async def show_verification(request: web.Request) -> web.Response:
    """Show what can be done next: apply, wait, accept the terms, look up."""
    async with transaction(request.app[POOL]) as tx:
        organisation = await organisations.find(tx, account_id=request[PRINCIPAL].id)
    if organisation is None or organisation.state == "refused":
        return _ask(request, Form.blank(Application), organisation)
    if organisation.state == "applied":
        return render(request, "organisation/wait.html", organisation=organisation)
    if not organisation.may_look:
        return _show_terms(request, Form.blank(Acceptance, version=str(TERMS_VERSION)))
    return await _show_search(request, Form.blank(Numbers), organisation)


def _ask(
    request: web.Request, form: Form[Application], organisation: Organisation | None
) -> web.Response:
    return render(
        request,
        "organisation/apply.html",
        status=422 if form.errors else 200,
        form=form,
        organisation=organisation,
    )


async def apply(request: web.Request) -> web.Response:
    form = Form.read(Application, await request.post())
    account_id = request[PRINCIPAL].id
    async with transaction(request.app[POOL]) as tx:
        if form.value is not None:
            await organisations.apply(
                tx, account_id=account_id, **form.value.model_dump(), now=request[ARRIVED_AT]
            )
        organisation = await organisations.find(tx, account_id=account_id)
    if form.value is None:
        return _ask(request, form, organisation)
    raise web.HTTPSeeOther(PAGE)


def _show_terms(request: web.Request, form: Form[Acceptance]) -> web.Response:
    status = 422 if form.errors else 200
    return render(
        request, "organisation/accept_terms.html", status=status, form=form, version=TERMS_VERSION
    )


async def accept_terms(request: web.Request) -> web.Response:
    form = Form.read(Acceptance, await request.post())
    if form.value is None:
        return _show_terms(request, form)
    async with transaction(request.app[POOL]) as tx:
        await organisations.accept_terms(
            tx,
            account_id=request[PRINCIPAL].id,
            version=form.value.version,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(PAGE)


async def _show_search(
    request: web.Request, form: Form[Numbers], organisation: Organisation
) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        checked = await looks.list_of_organisation(tx, organisation_id=organisation.id)
    return render(
        request,
        "organisation/look_up.html",
        status=422 if form.errors else 200,
        form=form,
        organisation=organisation,
        checked=checked,
        zone=request.app[SETTINGS].time_zone,
    )


async def look_up(request: web.Request) -> web.Response:
    """Show a result to an organisation that knows its numbers. The answer to the form shows it."""
    form = Form.read(Numbers, await request.post())
    async with transaction(request.app[POOL]) as tx:
        organisation = await organisations.load_looking(tx, account_id=request[PRINCIPAL].id)
    if form.value is None:
        return await _show_search(request, form, organisation)
    try:
        versions = await _look_up(request, form.value, organisation)
    except NothingFits as nothing:
        form.add_error(WHOLE_FORM, nothing.sentence)
        return await _show_search(request, form, organisation)
    return render(
        request,
        "organisation/show_found.html",
        statement=versions[0],
        versions=versions,
        zone=request.app[SETTINGS].time_zone,
    )


async def _look_up(
    request: web.Request, numbers: Numbers, organisation: Organisation
) -> list[Statement]:
    pool, now = request.app[POOL], request[ARRIVED_AT]
    # Counted and committed before the look: however it ends, and however many look at once.
    async with transaction(pool) as tx:
        of, at = str(organisation.id), numbers.id_number
        may_look = await counters.admit(tx, LOOKS_OF_ORGANISATION, key=of, now=now)
        may_look = may_look and await counters.admit(tx, LOOKS_AT_NUMBER, key=at, now=now)
    if not may_look:
        raise TooOften
    async with transaction(pool) as tx:
        return await organisations.look_up(
            tx,
            account_id=request[PRINCIPAL].id,
            **numbers.model_dump(),
            vault=request.app[VAULT],
            now=now,
        )


ROUTES = [
    web.get("/", show_verification),
    web.post("/application", apply),
    web.post("/terms", accept_terms),
    web.post("/looks", look_up),
]
