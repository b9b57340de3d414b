"""How a browser is given a session, and how it is taken back."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from aiohttp import web

from services.identity import keys, sessions, tries
from services.identity.sessions import Holder, Session
from shared.auth import cookie_name
from shared.db import Tx
from shared.errors import Busy
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS, ServiceSettings
from shared.vault import VAULT

ACCOUNT_PAGE = "/identity/"
# In bytes: it travels in cookies, encrypted, and browsers drop those of more than 4 KB.
LONGEST_ADDRESS = 1_000
DEVICE_LASTS = timedelta(days=730)


async def begin_session(
    tx: Tx, request: web.Request, response: web.StreamResponse, account: Holder
) -> None:
    """Sign somebody in who has proved everything, and know this device from now on."""
    now = request[ARRIVED_AT]
    session = await sessions.begin(tx, account=account, now=now)
    await give_token(tx, request, response, session, account)
    device = device_cookie(request) or token_urlsafe(24)
    counted_as = await tries.find_device(tx, account_id=account.id, cookie=device)
    await tries.succeed(
        tx,
        name=account.sign_in_name,
        device=counted_as,
        account_id=account.id,
        cookie=device,
        now=now,
    )
    settings = request.app[SETTINGS]
    _set_cookie(response, settings, _device_name(settings), device, lasts=DEVICE_LASTS)


async def give_token(
    tx: Tx, request: web.Request, response: web.StreamResponse, session: Session, account: Holder
) -> None:
    now = request[ARRIVED_AT]
    key = await keys.find_current(tx, vault=request.app[VAULT], now=now)
    if key is None:
        raise Busy  # the worker makes the first key when it starts
    settings = request.app[SETTINGS]
    token = sessions.sign(session, account, key, now=now)
    _set_cookie(response, settings, cookie_name(settings), token, lasts=session.ends_at - now)


def forget_token(request: web.Request, response: web.StreamResponse) -> None:
    settings = request.app[SETTINGS]
    drop_cookie(response, settings, cookie_name(settings))


def device_cookie(request: web.Request) -> str:
    return request.cookies.get(_device_name(request.app[SETTINGS]), "")


def _device_name(settings: ServiceSettings) -> str:
    return prefixed("device", settings)


def prefixed(name: str, settings: ServiceSettings) -> str:
    return f"__Host-{name}" if settings.is_https else name


def _set_cookie(
    response: web.StreamResponse,
    settings: ServiceSettings,
    name: str,
    value: str,
    *,
    lasts: timedelta,
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        secure=settings.is_https,
        samesite="Lax",
    )


def drop_cookie(response: web.StreamResponse, settings: ServiceSettings, name: str) -> None:
    response.del_cookie(name, path="/", httponly=True, secure=settings.is_https, samesite="Lax")


def keep_step(
    request: web.Request, response: web.StreamResponse, name: str, value: str, *, lasts: timedelta
) -> None:
    """Remember a step of signing in, in the browser, encrypted: nothing to clean up here."""
    settings = request.app[SETTINGS]
    until: datetime = request[ARRIVED_AT] + lasts
    plain = f"{until.timestamp()} {value}".encode()
    sealed = request.app[VAULT].encrypt(plain, purpose=name).hex()
    _set_cookie(response, settings, prefixed(name, settings), sealed, lasts=lasts)


def find_step(request: web.Request, name: str) -> str | None:
    """Read a step back, unless it ran out or was tampered with."""
    sealed = request.cookies.get(prefixed(name, request.app[SETTINGS]), "")
    try:
        plain = request.app[VAULT].decrypt(bytes.fromhex(sealed), purpose=name).decode()
    except Exception:  # a cookie can hold anything, and all of it means the same
        return None
    until, _, value = plain.partition(" ")
    return value if request[ARRIVED_AT].timestamp() < float(until) else None


def drop_step(request: web.Request, response: web.StreamResponse, name: str) -> None:
    settings = request.app[SETTINGS]
    drop_cookie(response, settings, prefixed(name, settings))


def own_page(address: str, *, otherwise: str = ACCOUNT_PAGE) -> str:
    """Only a path of ours is followed: an address that names a host leads elsewhere."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    fits = address.isprintable() and len(address.encode()) <= LONGEST_ADDRESS
    return address if is_path and fits else otherwise
