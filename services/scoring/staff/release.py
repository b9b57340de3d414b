"""Approving and releasing, for releasers: who put scores in is refused here as well."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, BeforeValidator

from services.scoring import (
    contributors,
    corrections,
    digests,
    errands,
    releases,
    sitting_lists,
    tellings,
)
from services.scoring.staff import asked
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render

MOST_COMPUTATIONS = 1_000_000_000
AS_SHOWN = mark("Enter the day and the hour as 2026-03-16 09:00")
NO_SUCH_HOUR = mark("There is no such hour on this day: clocks are put forward over it")


def _read_clock(text: object) -> datetime:
    """Read what a clock shows; an instant with a zone of its own is none."""
    found = datetime.fromisoformat(str(text)) if len(str(text)) > len("2026-03-16") else None
    if found is None or found.tzinfo is not None:
        raise ValueError(AS_SHOWN)
    return found


class Instant(BaseModel):
    """When results are to be released, as clocks of the programme's zone show it."""

    at: Annotated[
        datetime,
        BeforeValidator(_read_clock),
        Says(mark("Enter the day and the hour of the release"), AS_SHOWN),
    ]


async def show_release(request: web.Request) -> web.Response:
    return await _show(request)


async def _show(request: web.Request, form: Form[Instant] | None = None) -> web.Response:
    code = request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        listed = await sitting_lists.load(tx, code=code)
        errand = await errands.find_newest(tx, sitting=code)
        release = await releases.find(tx, sitting=code)
        digest = await digests.load(tx, digest_id=release.digest_id) if release else None
        progress = await tellings.measure(tx, sitting=code) if release else None
        has_contributed = await contributors.is_one(
            tx, sitting=code, account_id=request[PRINCIPAL].id
        )
    zone = listed.sitting.zone
    promised = listed.sitting.results_at.astimezone(zone)
    return render(
        request,
        "staff/show_release.html",
        status=422 if form else 200,
        listed=listed,
        sitting=listed.sitting,
        errand=errand,
        release=release,
        digest=digest,
        progress=progress,
        has_contributed=has_contributed,
        form=form or Form.blank(Instant, at=f"{promised:%Y-%m-%dT%H:%M}"),
        now=request[ARRIVED_AT],
    )


async def approve(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    posted = await request.post()
    number = asked.number(str(posted.get("number", "")), most=MOST_COMPUTATIONS)
    async with transaction(request.app[POOL]) as tx:
        await errands.ask_to_approve(
            tx,
            code=code,
            number=number,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _back(code)


async def order(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    form = Form.read(Instant, await request.post())
    async with transaction(request.app[POOL]) as tx:
        listed = await sitting_lists.load(tx, code=code)
    instant = _read_instant(form, listed.sitting.zone)
    if instant is None:
        return await _show(request, form)
    async with transaction(request.app[POOL]) as tx:
        await releases.order(
            tx,
            sitting=code,
            released_at=instant,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    return _back(code)


def _read_instant(form: Form[Instant], zone: ZoneInfo) -> datetime | None:
    """What the clocks of a zone show. An hour that comes twice in autumn is the first one."""
    if form.value is None:
        return None
    local = form.value.at.replace(tzinfo=zone)
    try:
        instant = local.astimezone(UTC)
    except OverflowError:  # before the first year, or after the last one that there is
        form.add_error("at", AS_SHOWN)
        return None
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        form.add_error("at", NO_SUCH_HOUR)
        return None
    return instant


async def release_now(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        await releases.order_at_once(tx, sitting=code, actor=request[PRINCIPAL].id)
    return _back(code)


async def stop(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        await releases.stop(tx, sitting=code, actor=request[PRINCIPAL].id)
    return _back(code)


def _back(code: str) -> web.Response:
    raise web.HTTPSeeOther(f"/scoring/staff/release/{code}")


async def approve_correction(request: web.Request) -> web.Response:
    return await _decide(request, corrections.approve)


async def reject_correction(request: web.Request) -> web.Response:
    return await _decide(request, corrections.reject)


async def _decide(
    request: web.Request, decide: Callable[..., Coroutine[Any, Any, object]]
) -> web.Response:
    correction_id = asked.named(request, "correction_id")
    async with transaction(request.app[POOL]) as tx:
        await decide(
            tx,
            correction_id=correction_id,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"/scoring/staff/results/corrections/{correction_id}")


ROUTES = [
    web.get("/{sitting}", show_release),
    web.post("/{sitting}/approval", approve),
    web.post("/{sitting}/instant", order),
    web.post("/{sitting}/now", release_now),
    web.post("/{sitting}/stop", stop),
    web.post("/corrections/{correction_id}/approval", approve_correction),
    web.post("/corrections/{correction_id}/rejection", reject_correction),
]
