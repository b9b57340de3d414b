"""Proving who one is with a password: at the door, and again before something is changed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from services.identity import tries
from services.identity.limits import WRONG_PASSWORDS, TooOften, network
from services.identity.pages.handover import device_cookie
from services.identity.passwords import PASSWORDS
from services.identity.sessions import Holder
from shared import counters
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.proxies import client_address

NOT_PRESENT = mark("This is not your present password")
LOCKED = mark(
    "There were more than three wrong tries in a row. Wait 30 minutes, or set a new password."
)

H = TypeVar("H", bound=Holder)
Find = Callable[[Tx], Awaitable[H | None]]


@dataclass(frozen=True, slots=True)
class Sentences:
    """What one way in says to whom it does not let in."""

    wrong: str
    locked: str


async def check_password(
    request: web.Request, password: str, *, name: str, find: Find[H], says: Sentences
) -> tuple[H | None, str]:
    """Return whose password this is, or what to say. Both take as long where nobody is found."""
    now = request[ARRIVED_AT]
    cookie = device_cookie(request)
    neighbours = network(client_address(request))
    async with transaction(request.app[POOL]) as tx:
        if await counters.is_over(tx, WRONG_PASSWORDS, key=neighbours, now=now):
            raise TooOften
        account = await find(tx)
        device = await tries.find_device(
            tx, account_id=account.id if account else None, cookie=cookie
        )
        may_try = await tries.begin(tx, name=name, device=device, now=now)
    if not may_try:
        return None, says.locked
    # Between the transactions: hashing takes long, and a connection is dear.
    hashed = account.password_hash if account else None
    if await request.app[PASSWORDS].verify(hashed, password) and account:
        return account, ""
    async with transaction(request.app[POOL]) as tx:
        await counters.count(tx, WRONG_PASSWORDS, key=neighbours, now=now)
    return None, says.wrong


async def find_fault(request: web.Request, account: Holder, *, present: str) -> str | None:
    """Check the present password of whoever is signed in; a session left open is not enough."""
    now = request[ARRIVED_AT]
    name, device = account.sign_in_name, f"session {request[PRINCIPAL].session_id}"
    async with transaction(request.app[POOL]) as tx:
        may_try = await tries.begin(tx, name=name, device=device, now=now)
    if not may_try:
        return LOCKED
    if not await request.app[PASSWORDS].verify(account.password_hash, present):
        return NOT_PRESENT
    async with transaction(request.app[POOL]) as tx:
        await tries.forget(tx, name=name, device=device)
    return None
