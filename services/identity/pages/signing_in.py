"""Signing in: the password, the second factor for staff, renewal, and signing out."""

from datetime import timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, SecretStr, StringConstraints
from yarl import URL

from services.identity import accounts, second_factors, sessions, tries
from services.identity.accounts import Account
from services.identity.pages.handover import (
    ACCOUNT_PAGE,
    begin_session,
    drop_step,
    find_step,
    forget_token,
    give_token,
    keep_step,
    own_page,
)
from services.identity.pages.proving import LOCKED, Sentences, check_password
from services.identity.rules import LONGEST_ADDRESS
from services.identity.settings import Settings
from shared.auth import PRINCIPAL, SESSIONS, cookie_name
from shared.cookies import cookie_of
from shared.db import POOL, Tx, transaction
from shared.errors import Busy
from shared.forms import WHOLE_FORM, Form, Says
from shared.guards import SIGN_IN
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render
from shared.vault import VAULT

JUST_NOW = timedelta(seconds=5)
# Between the password and the code of the second factor.
STEP = "sign-in-step"
STEP_LASTS = timedelta(minutes=10)
SECOND_FACTOR_PAGE = "/identity/second-factor"

WRONG = mark("The e-mail address or the password is not right. Check both and try again.")
SAYS = Sentences(WRONG, LOCKED)
WRONG_CODE = mark("This code is not right, or was used already. Wait for the next one.")


class SignIn(BaseModel):
    """What signing in takes."""

    # A longer one is nobody's, and the count of tries has no room for its name.
    email: Annotated[
        str, StringConstraints(max_length=LONGEST_ADDRESS), Says(mark("Enter your e-mail address"))
    ]
    password: Annotated[SecretStr, Says(mark("Enter your password"))]
    next: str = ACCOUNT_PAGE


class Code(BaseModel):
    """What the second factor takes."""

    code: Annotated[str, Says(mark("Enter the six digits that your app shows"))]


async def show_sign_in(request: web.Request) -> web.Response:
    form = Form.blank(SignIn, next=own_page(request.query.get("next", "")))
    return _show(request, form)


async def sign_in(request: web.Request) -> web.Response:
    form = Form.read(SignIn, await request.post())
    if form.value is None:
        return _show(request, form)
    password = form.value.password.get_secret_value()
    account, refusal = await check(request, form.value.email, password)
    if account is None:
        form.add_error(WHOLE_FORM, refusal)
        return _show(request, form)
    raise await go_on(request, account, next_page=own_page(form.value.next))


def _show(request: web.Request, form: Form[SignIn]) -> web.Response:
    settings = request.app[SETTINGS]
    with_issuer = isinstance(settings, Settings) and settings.oidc_issuer is not None
    status = 422 if form.errors else 200
    return render(request, "public/sign_in.html", status=status, form=form, with_issuer=with_issuer)


async def check(request: web.Request, email: str, password: str) -> tuple[Account | None, str]:
    """Return whose password this is, or what to say."""

    async def find(tx: Tx) -> Account | None:
        return await accounts.find_by_email(tx, email=email)

    return await check_password(request, password, name=email, find=find, says=SAYS)


async def go_on(request: web.Request, account: Account, *, next_page: str) -> web.HTTPSeeOther:
    """After the first proof: candidates are in, staff prove a second time."""
    if account.is_staff:
        response = web.HTTPSeeOther(SECOND_FACTOR_PAGE)
        proved = f"{account.id} {_mark_of_password(account)} {next_page}"
        keep_step(request, response, STEP, proved, lasts=STEP_LASTS)
        return response
    response = web.HTTPSeeOther(next_page)
    async with transaction(request.app[POOL]) as tx:
        await begin_session(tx, request, response, account)
    return response


async def show_second_factor(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        account, _ = await load_step(tx, request)
        await _load_secret(tx, request, account)
    return render(request, "public/second_factor.html", form=Form.blank(Code))


async def prove_second_factor(request: web.Request) -> web.Response:
    form = Form.read(Code, await request.post())
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        account, next_page = await load_step(tx, request)
        response = web.HTTPSeeOther(next_page)
        if form.value is not None:
            # Six digits can be guessed: wrong codes count like wrong passwords.
            device = f"second factor of {account.id}"
            may_try = await tries.begin(tx, name=account.email, device=device, now=now)
            secret = await _load_secret(tx, request, account)
            step = second_factors.find_step(secret, form.value.code, now=now)
            if not may_try:
                form.add_error(WHOLE_FORM, LOCKED)
            elif step is None or not await second_factors.use(tx, account_id=account.id, step=step):
                form.add_error("code", WRONG_CODE)
            else:
                await tries.forget(tx, name=account.email, device=device)
                await begin_session(tx, request, response, account)
    if form.errors:
        return render(request, "public/second_factor.html", status=422, form=form)
    drop_step(request, response, STEP)
    raise response


async def load_step(tx: Tx, request: web.Request) -> tuple[Account, str]:
    """Read who has proved the password a moment ago, or send them back to begin again."""
    step = find_step(request, STEP)
    if step is not None:
        account_id, _, rest = step.partition(" ")
        password, _, next_page = rest.partition(" ")
        account = await accounts.find(tx, account_id=UUID(account_id))
        if account and account.is_staff and _mark_of_password(account) == password:
            return account, next_page
    raise web.HTTPSeeOther(SIGN_IN)


def _mark_of_password(account: Account) -> str:
    """Whoever proved a password that was changed since has proved nothing."""
    return sha256((account.password_hash or "").encode()).hexdigest()[:16]


async def _load_secret(tx: Tx, request: web.Request, account: Account) -> str:
    """Read the secret, or send staff who have none yet to set it up."""
    secret = await second_factors.find_secret(tx, account_id=account.id, vault=request.app[VAULT])
    if secret is None:
        raise web.HTTPSeeOther("/identity/second-factor/new")
    return secret


async def renew(request: web.Request) -> web.Response:
    """Give a session that is still alive a fresh token, with today's name and roles."""
    back = own_page(request.query.get("next", ""))
    now = request[ARRIVED_AT]
    token = cookie_of(request, cookie_name(request.app[SETTINGS])) or ""
    known = request.app[SESSIONS].read_expired(token)
    response = web.HTTPSeeOther(back)
    async with transaction(request.app[POOL]) as tx:
        session = known and await sessions.find_live(tx, session_id=known.session_id, now=now)
        account = session and await sessions.find_holder(tx, session=session)
        if known and session and account:
            if now - known.issued_at < JUST_NOW:
                # Whoever sent us here cannot read a token this fresh: it has not heard of its key.
                # It could not read another one either, and the browser would go round for ever.
                raise Busy
            await give_token(tx, request, response, session, account)
    if not account:
        response = web.HTTPSeeOther(str(URL(SIGN_IN).with_query(next=back)))
        forget_token(request, response)
    raise response


async def sign_out(request: web.Request) -> web.Response:
    principal = request.get(PRINCIPAL)
    if principal is not None:
        async with transaction(request.app[POOL]) as tx:
            await sessions.end(tx, session_id=principal.session_id, now=request[ARRIVED_AT])
    response = web.HTTPSeeOther("/")
    forget_token(request, response)
    raise response


ROUTES = [
    web.get("/sign-in", show_sign_in),
    web.post("/sign-in", sign_in),
    web.get("/second-factor", show_second_factor),
    web.post("/second-factor", prove_second_factor),
    web.get("/renewal", renew),
    web.post("/sign-out", sign_out),
]
