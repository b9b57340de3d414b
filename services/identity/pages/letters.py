"""What the links in letters lead to. Only a button changes something: mail programs open links."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, SecretStr

from services.identity import accounts, links, sessions, tries
from services.identity.accounts import Account
from services.identity.links import LinkUnknown, Purpose
from services.identity.pages.handover import begin_session, drop_step, find_step
from services.identity.pages.proving import LOCKED
from services.identity.pages.signing_in import go_on
from services.identity.pages.signing_up import SAME_PASSWORD, SIGNED_UP, which_sign_up
from services.identity.passwords import PASSWORDS
from services.identity.rules import find_password_fault
from shared.auth import Role
from shared.db import POOL, Tx, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render

NOT_CHOSEN = mark(
    "This is not the password that was chosen. If you have forgotten it, sign up again; if you"
    " never signed up, close this page: nothing will happen."
)


class NewPassword(BaseModel):
    """A password, typed twice."""

    password: Annotated[SecretStr, Says(mark("Choose a password"))]
    password_again: Annotated[SecretStr, Says(mark("Enter the password again"))]


def read_new_password(posted: Any, *, rule: Callable[[str], str | None]) -> Form[NewPassword]:
    """Read a new password, and hold it against the rule."""
    form = Form.read(NewPassword, posted)
    if form.value is not None:
        password = form.value.password.get_secret_value()
        fault = rule(password)
        if fault:
            form.add_error("password", fault)
        elif form.value.password_again.get_secret_value() != password:
            form.add_error("password_again", SAME_PASSWORD)
    return form


def rule_for(email: str) -> Callable[[str], str | None]:
    return partial(find_password_fault, email=email)


async def _load(request: web.Request, purpose: Purpose) -> links.Link:
    async with transaction(request.app[POOL]) as tx:
        return await links.load(
            tx, purpose=purpose, token=request.match_info["token"], now=request[ARRIVED_AT]
        )


async def _use(tx: Tx, request: web.Request, purpose: Purpose) -> links.Link:
    return await links.use(
        tx, purpose=purpose, token=request.match_info["token"], now=request[ARRIVED_AT]
    )


class Confirmation(BaseModel):
    """The password that was chosen when signing up."""

    password: Annotated[SecretStr, Says(mark("Enter the password you chose when you signed up"))]


async def show_confirmation(request: web.Request) -> web.Response:
    link = await _load(request, Purpose.CONFIRMATION)
    return _show_confirmation(request, link, Form.blank(Confirmation))


def _show_confirmation(
    request: web.Request, link: links.Link, form: Form[Confirmation]
) -> web.Response:
    return render(
        request,
        "public/confirm_sign_up.html",
        status=422 if form.errors else 200,
        form=form,
        email=link.details["email"],
        is_same_sign_up=_is_same_sign_up(request, link),
    )


def _is_same_sign_up(request: web.Request, link: links.Link) -> bool:
    return find_step(request, SIGNED_UP) == which_sign_up(link.details["password_hash"])


async def confirm(request: web.Request) -> web.Response:
    """Open the account that was asked for, and sign its owner in."""
    response = web.HTTPSeeOther("/identity/?opened=yes")
    now = request[ARRIVED_AT]
    link = await _load(request, Purpose.CONFIRMATION)
    if not _is_same_sign_up(request, link):
        # Somebody else may have signed up with this address and a password of theirs: its owner
        # must not open that account for them.
        form = Form.read(Confirmation, await request.post())
        await _check_chosen_password(request, link, form)
        if form.errors:
            return _show_confirmation(request, link, form)
    async with transaction(request.app[POOL]) as tx:
        link = await _use(tx, request, Purpose.CONFIRMATION)
        account_id = await accounts.open_(tx, **link.details, roles=(), actor="sign-up", now=now)
        account = await _load_account(tx, account_id)
        await begin_session(tx, request, response, account)
    drop_step(request, response, SIGNED_UP)
    raise response


async def _check_chosen_password(
    request: web.Request, link: links.Link, form: Form[Confirmation]
) -> None:
    if form.value is None:
        return
    async with transaction(request.app[POOL]) as tx:
        may_try = await tries.begin(
            tx, name=link.details["email"], device="confirmation", now=request[ARRIVED_AT]
        )
    if not may_try:
        form.add_error("password", LOCKED)
    elif not await request.app[PASSWORDS].verify(
        link.details["password_hash"], form.value.password.get_secret_value()
    ):
        form.add_error("password", NOT_CHOSEN)


async def _load_account(tx: Tx, account_id: UUID) -> Account:
    account = await accounts.find(tx, account_id=account_id)
    if account is None:
        raise LinkUnknown  # closed since the letter was written
    return account


async def show_new_password(request: web.Request) -> web.Response:
    await _load(request, Purpose.PASSWORD)
    return render(request, "public/new_password.html", form=Form.blank(NewPassword))


async def set_new_password(request: web.Request) -> web.Response:
    """Set the password, end all sessions, and sign in the owner of the mailbox."""
    now = request[ARRIVED_AT]
    link = await _load(request, Purpose.PASSWORD)
    async with transaction(request.app[POOL]) as tx:
        account = await _load_account(tx, UUID(link.details["account_id"]))
    form = read_new_password(await request.post(), rule=rule_for(account.email))
    if form.value is None:
        return render(request, "public/new_password.html", status=422, form=form)
    hashed = await request.app[PASSWORDS].hash(form.value.password.get_secret_value())
    async with transaction(request.app[POOL]) as tx:
        await _use(tx, request, Purpose.PASSWORD)
        actor = str(account.id)
        await accounts.set_password(tx, account=account, password_hash=hashed, actor=actor, now=now)
        await sessions.end_all(tx, account_id=account.id, actor=actor, now=now)
        # Whoever had this account before may have linked an identity of theirs to it.
        await accounts.unlink_all(tx, account=account, actor=actor)
        # Strangers who locked the owner out have lost: the mailbox is the better proof.
        await tries.forget(tx, name=account.email, device=tries.UNKNOWN)
        await tries.forget_devices(tx, account_id=account.id)
    raise await go_on(request, account, next_page="/identity/")


async def show_address(request: web.Request) -> web.Response:
    link = await _load(request, Purpose.ADDRESS)
    return render(request, "public/confirm_address.html", email=link.details["email"])


async def confirm_address(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        link = await _use(tx, request, Purpose.ADDRESS)
        account = await _load_account(tx, UUID(link.details["account_id"]))
        await accounts.set_address(
            tx, account=account, email=link.details["email"], now=request[ARRIVED_AT]
        )
    raise web.HTTPSeeOther("/identity/?address=changed")


async def show_invitation(request: web.Request) -> web.Response:
    link = await _load(request, Purpose.INVITATION)
    return render(
        request, "public/invitation.html", form=Form.blank(NewPassword), invitation=link.details
    )


async def accept_invitation(request: web.Request) -> web.Response:
    """Open a staff account; the second factor is set up next."""
    now = request[ARRIVED_AT]
    link = await _load(request, Purpose.INVITATION)
    invited = link.details
    form = read_new_password(await request.post(), rule=rule_for(invited["email"]))
    if form.value is None:
        return render(request, "public/invitation.html", status=422, form=form, invitation=invited)
    hashed = await request.app[PASSWORDS].hash(form.value.password.get_secret_value())
    async with transaction(request.app[POOL]) as tx:
        await _use(tx, request, Purpose.INVITATION)
        account_id = await accounts.open_(
            tx,
            email=invited["email"],
            person=invited["person"],
            language=invited["language"],
            password_hash=hashed,
            roles=[Role(role) for role in invited["roles"]],
            actor=invited["by"],
            now=now,
        )
        account = await _load_account(tx, account_id)
    raise await go_on(request, account, next_page="/identity/")


ROUTES = [
    web.get("/letters/confirmation/{token}", show_confirmation),
    web.post("/letters/confirmation/{token}", confirm),
    web.get("/letters/password/{token}", show_new_password),
    web.post("/letters/password/{token}", set_new_password),
    web.get("/letters/address/{token}", show_address),
    web.post("/letters/address/{token}", confirm_address),
    web.get("/letters/invitation/{token}", show_invitation),
    web.post("/letters/invitation/{token}", accept_invitation),
]
