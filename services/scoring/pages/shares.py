"""Links to a result: making them, taking them back, who looked; and the page they lead to."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid4

from aiohttp import web
from pydantic import AfterValidator, BaseModel

from services.scoring import looks, shares, statements
from services.scoring.pages import asked
from services.scoring.shares import LIFETIMES_DAYS, LONGEST_LABEL, NoSuchShare, Share
from services.scoring.statements import Statement
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

LONGEST_VISITOR = 100
REPEAT = mark("Open this page again and repeat what you did")
LABEL = mark("Write for whom the link is, in at most 60 characters")
DAYS = mark("Choose how long the link works")
VISITOR = mark("Write who you are, in at most 100 characters")


def _label(text: str) -> str:
    return _line(text, LONGEST_LABEL, LABEL)


def _visitor(text: str) -> str:
    return _line(text, LONGEST_VISITOR, VISITOR)


def _line(text: str, longest: int, says: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable() or len(line) > longest:
        raise ValueError(says)
    return line


def _days(days: int) -> int:
    if days not in LIFETIMES_DAYS:
        raise ValueError(DAYS)
    return days


class NewShare(BaseModel):
    """For whom somebody makes a link."""

    # Made with the form: sent twice, it makes one link.
    share_id: Annotated[UUID, Says(REPEAT)]
    label: Annotated[str, AfterValidator(_label), Says(LABEL)]
    days: Annotated[int, AfterValidator(_days), Says(DAYS)]


class Visitor(BaseModel):
    """Who somebody says they are, before they are shown a result."""

    name: Annotated[str, AfterValidator(_visitor), Says(VISITOR)]


async def list_shares(request: web.Request) -> web.Response:
    form = Form.blank(NewShare, share_id=str(uuid4()), days=str(LIFETIMES_DAYS[0]))
    return await _show(request, form)


async def _show(request: web.Request, form: Form[NewShare]) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        statement = await asked.load_own(tx, request)
        entry_id = statement.result.entry_id
        made = await shares.list_of(tx, entry_id=entry_id, account_id=request[PRINCIPAL].id)
        looked = await looks.list_of_entry(tx, entry_id=entry_id)
    return render(
        request,
        "candidate/list_shares.html",
        status=422 if form.errors else 200,
        form=form,
        statement=statement,
        shares=made,
        looks=looked,
        lifetimes=LIFETIMES_DAYS,
        now=request[ARRIVED_AT],
        zone=request.app[SETTINGS].time_zone,
    )


async def create_share(request: web.Request) -> web.Response:
    """Make a link. The answer to the form shows it, because nothing else ever can."""
    form = Form.read(NewShare, await request.post())
    if form.value is None:
        return await _show(request, form)
    now = request[ARRIVED_AT]
    expires_at = now + timedelta(days=form.value.days)
    async with transaction(request.app[POOL]) as tx:
        statement = await asked.load_own(tx, request)
        token = await shares.create(
            tx,
            share_id=form.value.share_id,
            entry_id=statement.result.entry_id,
            account_id=request[PRINCIPAL].id,
            label=form.value.label,
            expires_at=expires_at,
            now=now,
        )
    site = str(request.app[SETTINGS].public_url).rstrip("/")
    return render(
        request,
        "candidate/show_share.html",
        statement=statement,
        link=f"{site}/scoring/shared/{token}",
        label=form.value.label,
        expires_at=expires_at,
        zone=request.app[SETTINGS].time_zone,
    )


async def revoke_share(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        statement = await asked.load_own(tx, request)
        await shares.revoke(
            tx,
            share_id=asked.named(request, "share_id"),
            account_id=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"/scoring/results/{statement.result.id}/shares")


async def ask_visitor(request: web.Request) -> web.Response:
    """Ask who it is. So no program that follows links sees a result, and none counts as a look."""
    async with transaction(request.app[POOL]) as tx:
        await _load_shared(request, tx)
    return render(request, "public/ask_visitor.html", form=Form.blank(Visitor))


async def show_shared(request: web.Request) -> web.Response:
    """Show the result to whoever said who they are, and note it for the candidate."""
    form = Form.read(Visitor, await request.post())
    async with transaction(request.app[POOL]) as tx:
        share, statement = await _load_shared(request, tx)
        if form.value is not None:
            await looks.note(
                tx,
                result=statement.result,
                share_id=share.id,
                looked_by=form.value.name,
                now=request[ARRIVED_AT],
            )
    if form.value is None:
        return render(request, "public/ask_visitor.html", status=422, form=form)
    return render(request, "public/show_shared.html", statement=statement)


async def _load_shared(request: web.Request, tx: Tx) -> tuple[Share, Statement]:
    token, now = request.match_info["token"], request[ARRIVED_AT]
    share = await shares.load_open(tx, token=token, now=now)
    versions = await statements.list_versions(tx, entry_id=share.entry_id)
    if not versions:
        raise NoSuchShare
    return share, versions[0]


OWN_ROUTES = [
    web.get("/{result_id}/shares", list_shares),
    web.post("/{result_id}/shares", create_share),
    web.post("/{result_id}/shares/{share_id}/revocation", revoke_share),
]

ROUTES = [
    web.get("/shared/{token}", ask_visitor),
    web.post("/shared/{token}", show_shared),
]
