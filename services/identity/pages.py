"""Pages for everyone: the front door, signing in, and one's own account."""

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, SecretStr
from yarl import URL

from services.identity import accounts, keys, sessions
from services.identity.accounts import Account
from services.identity.passwords import PASSWORDS
from services.identity.sessions import Session
from shared.auth import PRINCIPAL, SESSIONS, cookie_name
from shared.db import POOL, Tx, transaction
from shared.errors import Busy
from shared.forms import WHOLE_FORM, Form, Says
from shared.guards import SIGN_IN
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render
from shared.vault import Vault

VAULT = web.AppKey("vault", Vault)
ACCOUNT_PAGE = "/identity/"
JUST_NOW = timedelta(seconds=5)

WRONG = mark("The e-mail address or the password is not right. Check both and try again.")


class SignIn(BaseModel):
    """What signing in takes."""

    email: Annotated[str, Says(mark("Enter your e-mail address"))]
    password: Annotated[SecretStr, Says(mark("Enter your password"))]
    next: str = ACCOUNT_PAGE


async def home(request: web.Request) -> web.Response:
    return render(request, "public/home.html")


async def first_page(request: web.Request) -> web.Response:
    principal = request.get(PRINCIPAL)
    account = None
    if principal is not None:
        async with transaction(request.config_dict[POOL]) as tx:
            account = await accounts.load(tx, account_id=principal.id)
    return render(request, "public/first_page.html", account=account)


async def show_sign_in(request: web.Request) -> web.Response:
    form = Form.blank(SignIn, next=_own_page(request.query.get("next", "")))
    return render(request, "public/sign_in.html", form=form)


async def sign_in(request: web.Request) -> web.Response:
    form = Form.read(SignIn, await request.post())
    if form.value is None:
        return render(request, "public/sign_in.html", status=422, form=form)
    now = request[ARRIVED_AT]
    async with transaction(request.config_dict[POOL]) as tx:
        account = await accounts.find_by_email(tx, email=form.value.email)
    # Between the transactions: hashing takes long, and a connection is dear.
    passes = await request.config_dict[PASSWORDS].verify(
        account.password_hash if account else None, form.value.password.get_secret_value()
    )
    if account is None or not passes:
        form.add_error(WHOLE_FORM, WRONG)
        return render(request, "public/sign_in.html", status=422, form=form)
    response = web.HTTPSeeOther(_own_page(form.value.next))
    async with transaction(request.config_dict[POOL]) as tx:
        session = await sessions.begin(tx, account=account, now=now)
        await _hand_over(tx, request, response, session, account)
    raise response


async def renew(request: web.Request) -> web.Response:
    """Give a session that is still alive a fresh token, with today's name and roles."""
    back = _own_page(request.query.get("next", ""))
    now = request[ARRIVED_AT]
    token = request.cookies.get(cookie_name(request.config_dict[SETTINGS]), "")
    known = request.config_dict[SESSIONS].read_expired(token)
    response = web.HTTPSeeOther(back)
    async with transaction(request.config_dict[POOL]) as tx:
        session = known and await sessions.find_live(tx, session_id=known.session_id, now=now)
        if known and session:
            if now - known.issued_at < JUST_NOW:
                # Whoever sent us here cannot read a token this fresh: it has not heard of its key.
                # It could not read another one either, and the browser would go round for ever.
                raise Busy
            account = await accounts.load(tx, account_id=session.account_id)
            await _hand_over(tx, request, response, session, account)
    if not session:
        response = web.HTTPSeeOther(str(URL(SIGN_IN).with_query(next=back)))
        _forget_cookie(request, response)
    raise response


async def sign_out(request: web.Request) -> web.Response:
    principal = request.get(PRINCIPAL)
    if principal is not None:
        async with transaction(request.config_dict[POOL]) as tx:
            await sessions.end(tx, session_id=principal.session_id, now=request[ARRIVED_AT])
    response = web.HTTPSeeOther("/")
    _forget_cookie(request, response)
    raise response


async def _hand_over(
    tx: Tx, request: web.Request, response: web.HTTPSeeOther, session: Session, account: Account
) -> None:
    now = request[ARRIVED_AT]
    key = await keys.find_current(tx, vault=request.config_dict[VAULT], now=now)
    if key is None:
        raise Busy  # the worker makes the first key when it starts
    settings = request.config_dict[SETTINGS]
    response.set_cookie(
        cookie_name(settings),
        sessions.sign(session, account, key, now=now),
        max_age=int((session.ends_at - now).total_seconds()),
        path="/",
        httponly=True,
        secure=settings.is_https,
        samesite="Lax",
    )


def _forget_cookie(request: web.Request, response: web.HTTPSeeOther) -> None:
    settings = request.config_dict[SETTINGS]
    response.del_cookie(
        cookie_name(settings), path="/", httponly=True, secure=settings.is_https, samesite="Lax"
    )


def _own_page(address: str) -> str:
    """Only a path of ours is followed: an address that names a host leads elsewhere."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_path and address.isprintable() else ACCOUNT_PAGE


FRONT = [
    web.get("/", home),
]

ROUTES = [
    web.get("/", first_page),
    web.get("/sign-in", show_sign_in),
    web.post("/sign-in", sign_in),
    web.get("/renewal", renew),
    web.post("/sign-out", sign_out),
]
