"""Calls of programs: whose they are, how many there may be, and that none is carried out twice."""

import re
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias

from aiohttp import hdrs, web
from pydantic import BaseModel

from services.enrollment import idempotency, tokens
from services.enrollment.idempotency import Answer, Keyed, KeyReused
from services.enrollment.settings import Settings
from services.enrollment.tokens import Caller, NoToken, TooManyCalls
from shared import api
from shared.api import JSON, Header
from shared.db import POOL, Tx, transaction
from shared.errors import Refused
from shared.observe import ARRIVED_AT
from shared.problems import PROBLEM_TYPE, show_refusal
from shared.settings import SETTINGS

CALLER = web.RequestKey("caller", Caller)

KEY_PATTERN = "^[!-~]{1,255}$"
KEY = Header(
    "Idempotency-Key",
    "Names this call, so that repeating it changes nothing and gets the same answer, for 24 hours.",
    KEY_PATTERN,
)
REPEATED = "Idempotent-Replayed"
# Answers that mean "later": the same call may then be carried out, so they are not kept.
LATER = {425, 429, 503}


class NoIdempotencyKey(Refused):
    """Send an Idempotency-Key of 1 to 255 printable characters, a new one for each new request."""

    status: ClassVar[int] = 400


# What every call may be answered, and every one that changes something.
READS = (NoToken, TooManyCalls)
WRITES = (*READS, NoIdempotencyKey, KeyReused)


async def check_token(request: web.Request) -> None:
    """Let in whoever shows a token that is valid and not used too often."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise NoToken
    settings = request.app[SETTINGS]
    assert isinstance(settings, Settings)
    async with transaction(request.app[POOL]) as tx:
        # To lose the count of a call in a power cut harms nobody; to wait for the disk would.
        await tx.execute("SET LOCAL synchronous_commit = off")
        request[CALLER] = await tokens.use(
            tx,
            token=token.strip(),
            calls_per_minute=settings.api_calls_per_minute,
            now=request[ARRIVED_AT],
        )


async def read_keyed(request: web.Request) -> Keyed:
    """Read under which key something is asked, and what."""
    key = request.headers.get(KEY.name, "")
    if not re.fullmatch(KEY_PATTERN, key):
        raise NoIdempotencyKey
    digest = idempotency.digest(request.method, request.path, await request.read())
    return Keyed(request[CALLER].token_id, key, digest)


# Does what a call asks for, in its transaction.
Act: TypeAlias = Callable[[Tx], Awaitable[BaseModel]]
# Does what follows from a refusal, in the transaction that keeps it as the answer.
Refuse: TypeAlias = Callable[[Tx, Refused], Awaitable[None]]


async def once(request: web.Request, act: Act, refuse: Refuse | None = None) -> web.Response:
    """Carry a call out, or repeat what was answered to it; its answer commits with its effect."""
    call = await read_keyed(request)
    async with transaction(request.app[POOL]) as tx:
        [before] = await idempotency.begin(tx, calls=[call], now=request[ARRIVED_AT])
        if before is not None:
            return repeat(before)
        try:
            async with tx.transaction():  # what was refused leaves nothing but its answer
                response = api.answer(await act(tx))
        except Refused as refusal:
            if refusal.status in LATER:
                raise
            if refuse is not None:
                await refuse(tx, refusal)
            response = show_refusal(request, refusal)
        await idempotency.keep(tx, answers=[(call, take_down(response))])
    return response


def take_down(response: web.Response) -> Answer:
    """Note an answer, to be repeated."""
    assert isinstance(response.body, bytes)
    return Answer(response.status, response.body)


async def find_answered(tx: Tx, request: web.Request) -> web.Response | None:
    """Find what was answered to this very call, before work that need not be done again."""
    before = await idempotency.find(tx, call=await read_keyed(request))
    return None if before is None else repeat(before)


def repeat(answer: Answer | KeyReused) -> web.Response:
    """Answer as it was taken down; say so if that was for an earlier call."""
    if isinstance(answer, KeyReused):
        raise answer
    return web.Response(
        body=answer.body,
        status=answer.status,
        content_type=JSON if answer.status < 400 else PROBLEM_TYPE,
        headers={REPEATED: "true"} if answer.is_repeated else {},
    )
