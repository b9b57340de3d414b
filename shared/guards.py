"""Doors: who may come through to a group of routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from yarl import URL

from shared.auth import PRINCIPAL, RENEW_AFTER, SESSIONS, Principal, Role, cookie_name
from shared.cookies import cookie_of
from shared.errors import ForeignForm, NotAllowed, SignedOut
from shared.forms import is_cross_site
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS

SIGN_IN = "/identity/sign-in"
RENEWAL = "/identity/renewal"


@dataclass(frozen=True, slots=True)
class Guard:
    """Whom a door lets in. Its name stands in the documents and in the access matrix."""

    name: str
    admits: Callable[[Principal | None], bool]
    for_machines: bool = False
    # Of a door for machines: looks at the token that a program shows, and refuses what is none.
    check: Callable[[web.Request], Awaitable[None]] | None = None


EVERYONE = Guard("everyone", lambda principal: True)
CANDIDATES = Guard("candidates", lambda principal: principal is not None and not principal.is_staff)
SIGNED_IN = Guard("anybody signed in", lambda principal: principal is not None)
# Programs that need no session: published keys, providers whose messages are signed.
MACHINES = Guard("machines", lambda principal: True, for_machines=True)
ANY_STAFF = Guard("any staff", lambda principal: principal is not None and principal.is_staff)


def bearers(check: Callable[[web.Request], Awaitable[None]]) -> Guard:
    """Programs that show a token, which `check` looks at."""
    return Guard("machines with a token", lambda principal: True, for_machines=True, check=check)


def staff(*roles: Role) -> Guard:
    """Staff who hold at least one of the roles."""
    admitted = frozenset(roles)
    return Guard(
        f"staff: {', '.join(sorted(roles))}",
        lambda principal: principal is not None and bool(principal.roles & admitted),
    )


def pass_guard(
    guard: Guard, request: web.Request, handler: Handler
) -> Awaitable[web.StreamResponse]:
    """Let a request through, send a person to sign in, or refuse.

    No coroutine of its own: a crowd would begin and resume one more for every request.
    """
    if guard.for_machines:
        # No cookie is read there, so nobody's browser can be abused.
        return handler(request) if guard.check is None else _check(guard.check, request, handler)
    app = request.app
    if is_cross_site(request, public_url=app[SETTINGS].public_url):
        raise ForeignForm
    principal = None
    if token := _session(request):
        principal = app[SESSIONS].read(token, now=request[ARRIVED_AT])
    if principal is not None:
        request[PRINCIPAL] = principal
    if not guard.admits(principal):
        if principal is not None:
            raise NotAllowed
        if request.method == hdrs.METH_GET:
            raise web.HTTPSeeOther(_ask_identity(request))
        raise SignedOut
    if _wants_renewal(request, principal):
        raise web.HTTPSeeOther(_ask_identity(request))
    return handler(request)


async def _check(
    check: Callable[[web.Request], Awaitable[None]], request: web.Request, handler: Handler
) -> web.StreamResponse:
    await check(request)
    return await handler(request)


def _session(request: web.Request) -> str:
    return cookie_of(request, cookie_name(request.app[SETTINGS])) or ""


def _wants_renewal(request: web.Request, principal: Principal | None) -> bool:
    """Tell whether identity should be asked for a fresh session on the way to this page."""
    # Only pages are sent round by identity: a form must not lose what was typed.
    if request.method != hdrs.METH_GET or request.path in {RENEWAL, SIGN_IN}:
        return False
    if principal is None:
        return bool(_session(request))  # it ran out or was revoked: renewed, or its cookie removed
    return request[ARRIVED_AT] - principal.issued_at > RENEW_AFTER


def _ask_identity(request: web.Request) -> str:
    """Identity renews a session it still knows, and asks everybody else to sign in."""
    page = RENEWAL if _session(request) else SIGN_IN
    return str(URL(page).with_query(next=request.path_qs))
