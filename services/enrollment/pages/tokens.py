"""One's tokens: what programs of one's own show instead of a password."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid4

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.enrollment import tokens
from services.enrollment.tokens import LIFETIMES_DAYS, LONGEST_LABEL, MOST_TOKENS, NoSuchToken
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

PAGE = "/enrollment/tokens/"


def _label(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable() or len(line) > LONGEST_LABEL:
        raise ValueError(mark("Write a name of at most 60 characters"))
    return line


def _days(days: int) -> int:
    if days not in LIFETIMES_DAYS:
        raise ValueError(mark("Choose how long the token is valid"))
    return days


class NewToken(BaseModel):
    """What somebody wants a token for."""

    # Made with the form: sent twice, it makes one token.
    token_id: Annotated[UUID, Says(mark("Open this page again and repeat what you did"))]
    label: Annotated[str, AfterValidator(_label), Says(mark("Enter what the token is for"))]
    days: Annotated[int, AfterValidator(_days), Says(mark("Choose how long the token is valid"))]


async def list_tokens(request: web.Request) -> web.Response:
    form = Form.blank(NewToken, token_id=str(uuid4()), days=str(LIFETIMES_DAYS[0]))
    return await _show(request, form)


async def _show(request: web.Request, form: Form[NewToken]) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        live = await tokens.list_live(tx, account_id=request[PRINCIPAL].id, now=request[ARRIVED_AT])
    return render(
        request,
        "candidate/list_tokens.html",
        status=422 if form.errors else 200,
        form=form,
        tokens=live,
        can_make_more=len(live) < MOST_TOKENS,
        lifetimes=LIFETIMES_DAYS,
        zone=request.app[SETTINGS].time_zone,
    )


async def create_token(request: web.Request) -> web.Response:
    """Make a token. The answer to the form shows it, because nothing else ever can."""
    form = Form.read(NewToken, await request.post())
    if form.value is None:
        return await _show(request, form)
    now = request[ARRIVED_AT]
    expires_at = now + timedelta(days=form.value.days)
    async with transaction(request.app[POOL]) as tx:
        token = await tokens.create(
            tx,
            token_id=form.value.token_id,
            account_id=request[PRINCIPAL].id,
            label=form.value.label,
            expires_at=expires_at,
            now=now,
        )
    return render(
        request,
        "candidate/show_token.html",
        token=token,
        label=form.value.label,
        expires_at=expires_at,
        zone=request.app[SETTINGS].time_zone,
        site=str(request.app[SETTINGS].public_url).rstrip("/"),
    )


async def revoke_token(request: web.Request) -> web.Response:
    try:
        token_id = UUID(request.match_info["token_id"])
    except ValueError:
        raise NoSuchToken from None
    async with transaction(request.app[POOL]) as tx:
        await tokens.revoke(
            tx,
            token_id=token_id,
            account_id=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(PAGE)


ROUTES = [
    web.get("/", list_tokens),
    web.post("/", create_token),
    web.post("/{token_id}/revocation", revoke_token),
]
