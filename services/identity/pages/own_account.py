"""One's own account: what it says, and changing it."""

from typing import Annotated
from uuid import uuid4

from aiohttp import web
from pydantic import BaseModel, SecretStr

from services.identity import accounts, inquiries, links, results_accounts, sessions, tries
from services.identity.accounts import Account
from services.identity.limits import LETTERS, TooOften
from services.identity.links import Link, Purpose
from services.identity.pages.handover import ACCOUNT_PAGE, begin_session, forget_token
from services.identity.pages.letters import read_new_password, rule_for
from services.identity.pages.proving import find_fault
from services.identity.pages.signing_up import SAME_ADDRESS, EmailAddress
from services.identity.passwords import PASSWORDS
from services.identity.rules import email_key
from shared import counters, outbox
from shared.auth import PRINCIPAL, Principal
from shared.db import POOL, Tx, transaction
from shared.errors import SignedOut
from shared.events.identity import AddressChangeRequested
from shared.forms import Form, Says
from shared.i18n import LANGUAGES, mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

ENTER_PASSWORD = mark("Enter your present password")


class ChangePassword(BaseModel):
    """The present password as a proof, and a new one; `read_new_password` looks at that."""

    present: Annotated[SecretStr, Says(ENTER_PASSWORD)]
    password: SecretStr = SecretStr("")
    password_again: SecretStr = SecretStr("")


class ChangeAddress(BaseModel):
    """A new address, typed twice, and the present password as a proof."""

    email: EmailAddress
    email_again: Annotated[str, Says(mark("Enter your e-mail address again"))]
    present: Annotated[SecretStr, Says(ENTER_PASSWORD)]


class Closing(BaseModel):
    """The present password, as a proof that it is meant."""

    present: Annotated[SecretStr, Says(ENTER_PASSWORD)]


NOTICES = {
    "opened": mark("Your account is open. Welcome."),
    "password": mark("Your password was changed. All other devices are signed out."),
    "address": mark("Your e-mail address was changed."),
    "language": mark("We will write to you in the language you chose."),
    "devices": mark("All other devices are signed out."),
    "linked": mark("You can sign in with Google from now on."),
}


async def first_page(request: web.Request) -> web.Response:
    account = None
    if PRINCIPAL in request:
        async with transaction(request.app[POOL]) as tx:
            own = request[PRINCIPAL].id
            account = await accounts.find(tx, account_id=own)
            if account is None and await results_accounts.find(tx, account_id=own):
                raise web.HTTPSeeOther("/identity/results/details/")
    notice = next((NOTICES[name] for name in request.query if name in NOTICES), None)
    return render(request, "public/first_page.html", account=account, notice=notice)


def _principal(request: web.Request) -> Principal:
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None:
        raise SignedOut
    return principal


async def load_own(tx: Tx, request: web.Request) -> Account:
    principal = _principal(request)
    account = await accounts.find(tx, account_id=principal.id)
    # Who has become staff since has to prove the second factor before a new session begins.
    if account is None or (account.is_staff and not principal.is_staff):
        raise SignedOut
    return account


async def _prove(
    request: web.Request, form: "Form[ChangePassword] | Form[ChangeAddress] | Form[Closing]"
) -> Account:
    """Load the account of whoever is signed in and knows its password."""
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
    if form.value is not None:
        present = form.value.present.get_secret_value()
        if fault := await find_fault(request, account, present=present):
            form.add_error("present", fault)
    return account


async def show_change_password(request: web.Request) -> web.Response:
    return render(request, "account/change_password.html", form=Form.blank(ChangePassword))


async def change_password(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangePassword, posted)
    account = await _prove(request, form)
    for field, sentence in read_new_password(posted, rule=rule_for(account.email)).errors.items():
        form.add_error(field, sentence)
    if form.value is None:
        return render(request, "account/change_password.html", status=422, form=form)
    now = request[ARRIVED_AT]
    hashed = await request.app[PASSWORDS].hash(form.value.password.get_secret_value())
    response = web.HTTPSeeOther(f"{ACCOUNT_PAGE}?password=changed")
    async with transaction(request.app[POOL]) as tx:
        actor = str(account.id)
        await accounts.set_password(tx, account=account, password_hash=hashed, actor=actor, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)
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
    async with transaction(request.app[POOL]) as tx:
        if not await counters.admit(tx, LETTERS, key=email_key(email), now=now):
            raise TooOften
        details = {"account_id": str(account.id), "email": email}
        link = Link(Purpose.ADDRESS, account.subject, details, now + links.LASTS)
        token = await links.issue(tx, link, now=now)
        # Whether the new address has an account already is not told to whoever asks: it is
        # noticed when its owner follows the link.
        await outbox.publish(
            tx,
            [
                AddressChangeRequested(
                    request_id=uuid4(),
                    email=email,
                    person=account.person,
                    language=account.language,
                    link=inquiries.address(str(request.app[SETTINGS].public_url), link, token),
                    expires_at=link.expires_at,
                )
            ],
        )
    raise web.HTTPSeeOther("/identity/account/address/sent")


async def show_address_sent(request: web.Request) -> web.Response:
    return render(request, "account/address_sent.html")


async def choose_language(request: web.Request) -> web.Response:
    language = str((await request.post()).get("language", ""))
    if language not in LANGUAGES:
        raise web.HTTPBadRequest
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
        await accounts.set_language(tx, account=account, language=language, now=request[ARRIVED_AT])
    raise web.HTTPSeeOther(f"{ACCOUNT_PAGE}?language=chosen&lang={language}")


async def sign_out_everywhere(request: web.Request) -> web.Response:
    """End every session but this one, which gets a fresh token."""
    now = request[ARRIVED_AT]
    response = web.HTTPSeeOther(f"{ACCOUNT_PAGE}?devices=signed-out")
    async with transaction(request.app[POOL]) as tx:
        account = await load_own(tx, request)
        actor = str(account.id)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)
        await begin_session(tx, request, response, account)
    raise response


async def show_closing(request: web.Request) -> web.Response:
    return render(request, "account/closing.html", form=Form.blank(Closing))


async def close(request: web.Request) -> web.Response:
    form = Form.read(Closing, await request.post())
    account = await _prove(request, form)
    if form.value is None:
        return render(request, "account/closing.html", status=422, form=form)
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        actor = str(account.id)
        await accounts.close(tx, account=account, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)
        await tries.forget_devices(tx, account_id=account.id)
    response = web.HTTPSeeOther("/identity/closed")
    forget_token(request, response)
    raise response


async def show_closed(request: web.Request) -> web.Response:
    return render(request, "public/closed.html")


ROUTES = [
    web.get("/password", show_change_password),
    web.post("/password", change_password),
    web.get("/address", show_change_address),
    web.post("/address", change_address),
    web.get("/address/sent", show_address_sent),
    web.post("/language", choose_language),
    web.post("/sign-out-everywhere", sign_out_everywhere),
    web.get("/closing", show_closing),
    web.post("/closing", close),
]
