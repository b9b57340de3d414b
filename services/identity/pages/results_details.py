"""My details: what an account of the results service says of its holder, and changing it."""

from functools import partial
from uuid import uuid4

from aiohttp import web
from pydantic import BaseModel

from services.identity import inquiries, links, results_accounts, sessions, tries
from services.identity.limits import LETTERS, TooOften
from services.identity.links import Link, Purpose
from services.identity.pages.handover import ACCOUNT_PAGE, begin_session, forget_token
from services.identity.pages.letters import read_new_password
from services.identity.pages.own_account import ChangeAddress, ChangePassword, Closing
from services.identity.pages.proving import find_fault
from services.identity.pages.signing_up import SAME_ADDRESS
from services.identity.passwords import PASSWORDS
from services.identity.results_accounts import ResultsAccount
from services.identity.rules import email_key, find_results_password_fault
from shared import counters, outbox
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.events.identity import AddressChangeRequested
from shared.forms import Form
from shared.i18n import LANGUAGES, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

DETAILS = "/identity/results/details/"
NOTICES = {
    "password": mark("Your password was changed. All other devices are signed out."),
    "letters": mark("Your choice was saved."),
    "devices": mark("All other devices are signed out."),
}


class Letters(BaseModel):
    """Which letters somebody wants, in which language."""

    language: str
    updates: bool = False


async def load_own(tx: Tx, request: web.Request) -> ResultsAccount:
    """Load the account of whoever is signed in; others have an account of the other kind."""
    account = await results_accounts.find(tx, account_id=request[PRINCIPAL].id)
    if account is None:
        raise web.HTTPSeeOther(ACCOUNT_PAGE)
    return account


async def show_details(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
    notice = next((NOTICES[name] for name in request.query if name in NOTICES), None)
    return render(request, "results/details.html", account=account, notice=notice)


async def _prove(
    request: web.Request, form: "Form[ChangePassword] | Form[ChangeAddress] | Form[Closing]"
) -> ResultsAccount:
    """Load the account of whoever is signed in and knows its password."""
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
    if form.value is not None:
        present = form.value.present.get_secret_value()
        if fault := await find_fault(request, account, present=present):
            form.add_error("present", fault)
    return account


async def show_change_password(request: web.Request) -> web.Response:
    return render(request, "results/change_password.html", form=Form.blank(ChangePassword))


async def change_password(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangePassword, posted)
    account = await _prove(request, form)
    rule = partial(find_results_password_fault, id_number=account.id_number)
    for field, sentence in read_new_password(posted, rule=rule).errors.items():
        form.add_error(field, sentence)
    if form.value is None:
        return render(request, "results/change_password.html", status=422, form=form)
    now = request[ARRIVED_AT]
    hashed = await request.app[PASSWORDS].hash(form.value.password.get_secret_value())
    response = web.HTTPSeeOther(f"{DETAILS}?password=changed")
    async with transaction(request.app[POOL]) as tx:
        await results_accounts.set_password(tx, account=account, password_hash=hashed, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=str(account.id), now=now)
        await tries.forget_devices(tx, account_id=account.id)
        await begin_session(tx, request, response, account)
    raise response


async def show_change_address(request: web.Request) -> web.Response:
    return render(request, "account/change_address.html", form=Form.blank(ChangeAddress))


async def change_address(request: web.Request) -> web.Response:
    """Write to the new address; nothing changes before its owner has followed the link."""
    form = Form.read(ChangeAddress, await request.post())
    account = await _prove(request, form)
    if form.value is not None and email_key(form.value.email) != email_key(form.value.email_again):
        form.add_error("email_again", SAME_ADDRESS)
    if form.value is None:
        return render(request, "account/change_address.html", status=422, form=form)
    now, email = request[ARRIVED_AT], form.value.email
    site = str(request.app[SETTINGS].public_url)
    async with transaction(request.app[POOL]) as tx:
        if not await counters.admit(tx, LETTERS, key=email_key(email), now=now):
            raise TooOften
        details = {"account_id": str(account.id), "email": email}
        link = Link(Purpose.RESULTS_ADDRESS, account.subject, details, now + links.LASTS)
        token = await links.issue(tx, link, now=now)
        asked = AddressChangeRequested(
            request_id=uuid4(),
            email=email,
            person=account.person,
            language=account.language,
            link=inquiries.address(site, link, token),
            expires_at=link.expires_at,
        )
        await outbox.publish(tx, [asked])
    raise web.HTTPSeeOther(f"{DETAILS}address/sent")


async def show_address_sent(request: web.Request) -> web.Response:
    return render(request, "account/address_sent.html")


async def choose_letters(request: web.Request) -> web.Response:
    form = Form.read(Letters, await request.post())
    if form.value is None or form.value.language not in LANGUAGES:
        raise web.HTTPBadRequest
    chosen = form.value
    async with transaction(request.app[POOL]) as tx:
        await results_accounts.choose_letters(
            tx,
            account=await load_own(tx, request),
            language=chosen.language,
            wants_updates=chosen.updates,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"{DETAILS}?letters=chosen")


async def sign_out_everywhere(request: web.Request) -> web.Response:
    """End every session but this one, which gets a fresh token."""
    now = request[ARRIVED_AT]
    response = web.HTTPSeeOther(f"{DETAILS}?devices=signed-out")
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
        await sessions.end_all(tx, account_id=account.id, actor=str(account.id), now=now)
        await begin_session(tx, request, response, account)
    raise response


async def show_closing(request: web.Request) -> web.Response:
    return render(request, "results/closing.html", form=Form.blank(Closing))


async def close(request: web.Request) -> web.Response:
    form = Form.read(Closing, await request.post())
    account = await _prove(request, form)
    if form.value is None:
        return render(request, "results/closing.html", status=422, form=form)
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        actor = str(account.id)
        await results_accounts.close(tx, account=account, actor=actor, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)
        await tries.forget_devices(tx, account_id=account.id)
    response = web.HTTPSeeOther("/identity/closed")
    forget_token(request, response)
    raise response


ROUTES = [
    web.get("/", show_details),
    web.get("/password", show_change_password),
    web.post("/password", change_password),
    web.get("/address", show_change_address),
    web.post("/address", change_address),
    web.get("/address/sent", show_address_sent),
    web.post("/letters", choose_letters),
    web.post("/sign-out-everywhere", sign_out_everywhere),
    web.get("/closing", show_closing),
    web.post("/closing", close),
]
