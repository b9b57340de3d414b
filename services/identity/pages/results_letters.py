"""The results service by letter: a forgotten password, and another address.

Nobody has proved that the address an account was registered with is its holder's. So the link in a
letter lets choose a password, but it does not sign in, and it does not tell the ID number.
"""

from functools import partial
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from services.identity import inquiries, links, results_accounts, sessions, tries
from services.identity.inquiries import Inquiry
from services.identity.limits import LETTERS
from services.identity.links import LinkUnknown, Purpose
from services.identity.pages.letters import NewPassword, read_new_password
from services.identity.pages.results_front import WELCOME
from services.identity.passwords import PASSWORDS
from services.identity.results_accounts import ResultsAccount, sign_in_name
from services.identity.rules import find_results_password_fault
from shared import counters
from shared.db import POOL, Tx, transaction
from shared.entry_numbers import read_id_number
from shared.forms import Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render


class WhoForgot(BaseModel):
    """The ID number of whoever forgot the password."""

    id_number: Annotated[str, Says(mark("Enter your ID Number"))]


async def show_forgotten(request: web.Request) -> web.Response:
    return render(request, "results/forgotten.html", form=Form.blank(WhoForgot))


async def ask_for_password(request: web.Request) -> web.Response:
    """Have the letter written; the answer is the same for every ID number."""
    form = Form.read(WhoForgot, await request.post())
    if form.value is None:
        return render(request, "results/forgotten.html", status=422, form=form)
    id_number = read_id_number(form.value.id_number)
    if id_number is not None:  # what cannot be one is nobody's; nobody is told more of any other
        await _ask(request, id_number)
    raise web.HTTPSeeOther("/identity/results/forgotten-password/sent")


async def _ask(request: web.Request, id_number: str) -> None:
    now = request[ARRIVED_AT]
    inquiry = Inquiry("reset_results_password", "", "", language_of(request), id_number=id_number)
    async with transaction(request.app[POOL]) as tx:
        if await counters.admit(tx, LETTERS, key=sign_in_name(id_number), now=now):
            await inquiries.ask(tx, inquiry, now=now)


async def show_forgotten_sent(request: web.Request) -> web.Response:
    return render(request, "results/forgotten_sent.html")


async def _load_account(tx: Tx, link: links.Link) -> ResultsAccount:
    account = await results_accounts.find(tx, account_id=UUID(link.details["account_id"]))
    if account is None:
        raise LinkUnknown  # closed since the letter was written
    return account


async def _load(request: web.Request, purpose: Purpose) -> tuple[links.Link, ResultsAccount]:
    async with transaction(request.app[POOL]) as tx:
        link = await links.load(
            tx, purpose=purpose, token=request.match_info["token"], now=request[ARRIVED_AT]
        )
        return link, await _load_account(tx, link)


async def _use(tx: Tx, request: web.Request, purpose: Purpose) -> links.Link:
    return await links.use(
        tx, purpose=purpose, token=request.match_info["token"], now=request[ARRIVED_AT]
    )


async def show_new_password(request: web.Request) -> web.Response:
    await _load(request, Purpose.RESULTS_PASSWORD)
    return render(request, "results/new_password.html", form=Form.blank(NewPassword))


async def set_new_password(request: web.Request) -> web.Response:
    """Set the password and end all sessions; whoever knows the ID number may log in with it."""
    now = request[ARRIVED_AT]
    _, account = await _load(request, Purpose.RESULTS_PASSWORD)
    rule = partial(find_results_password_fault, id_number=account.id_number)
    form = read_new_password(await request.post(), rule=rule)
    if form.value is None:
        return render(request, "results/new_password.html", status=422, form=form)
    hashed = await request.app[PASSWORDS].hash(form.value.password.get_secret_value())
    async with transaction(request.app[POOL]) as tx:
        await _use(tx, request, Purpose.RESULTS_PASSWORD)
        await results_accounts.set_password(tx, account=account, password_hash=hashed, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=str(account.id), now=now)
        # Strangers who locked the owner out have lost.
        await tries.forget(tx, name=account.sign_in_name, device=tries.UNKNOWN)
        await tries.forget_devices(tx, account_id=account.id)
    raise web.HTTPSeeOther(f"{WELCOME}?password=changed")


async def show_address(request: web.Request) -> web.Response:
    link, _ = await _load(request, Purpose.RESULTS_ADDRESS)
    return render(request, "public/confirm_address.html", email=link.details["email"])


async def confirm_address(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        link = await _use(tx, request, Purpose.RESULTS_ADDRESS)
        account = await _load_account(tx, link)
        await results_accounts.set_address(
            tx, account=account, email=link.details["email"], now=request[ARRIVED_AT]
        )
    raise web.HTTPSeeOther(f"{WELCOME}?address=changed")


ROUTES = [
    web.get("/results/forgotten-password", show_forgotten),
    web.post("/results/forgotten-password", ask_for_password),
    web.get("/results/forgotten-password/sent", show_forgotten_sent),
    web.get("/letters/results-password/{token}", show_new_password),
    web.post("/letters/results-password/{token}", set_new_password),
    web.get("/letters/results-address/{token}", show_address),
    web.post("/letters/results-address/{token}", confirm_address),
]
