"""The queue for review: what waits for how long, who is at it, and the next one."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from services.enrollment import names, registration_lists, reviews
from services.enrollment.registration_lists import PlaceInQueue, Wanted
from services.enrollment.reviews import NothingWaits, Reviewer
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

SHOWN = 50
# What can be asked for: waiting at least so many days.
DAYS = (0, 1, 2, 3, 7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def show_queue(request: web.Request) -> web.Response:
    asked, now = request.query, request[ARRIVED_AT]
    days = next((days for days in DAYS if asked.get("days") == str(days)), 0)
    async with transaction(request.app[POOL]) as tx:
        known = await names.load(tx)
        wanted = Wanted(
            sitting=asked.get("sitting", "") if asked.get("sitting") in known.sittings else "",
            area=asked.get("area", "") if asked.get("area") in known.areas() else "",
        )
        found = await registration_lists.list_queue(
            tx,
            wanted=wanted,
            waiting_before=now - timedelta(days=days),
            now=now,
            limit=SHOWN + 1,
            after=_read_place(asked.get("after", "")),
        )
        count = await registration_lists.count_queue(tx)
    return render(
        request,
        "staff/show_queue.html",
        names=known,
        wanted=wanted,
        days=days,
        all_days=DAYS,
        waiting=found[:SHOWN],
        next_place=_write_place(found[SHOWN - 1].place) if len(found) > SHOWN else None,
        count=count,
        now=now,
        me=request[PRINCIPAL].id,
        done=asked.get("done", ""),
        zone=request.app[SETTINGS].time_zone,
    )


async def take_next(request: web.Request) -> web.Response:
    posted = await request.post()
    principal = request[PRINCIPAL]
    try:
        async with transaction(request.app[POOL]) as tx:
            known = await names.load(tx)
            sitting, area = str(posted.get("sitting", "")), str(posted.get("area", ""))
            taken = await reviews.take_next(
                tx,
                sitting=sitting if sitting in known.sittings else "",
                area=area if area in known.areas() else "",
                reviewer=Reviewer(principal.id, principal.name),
                now=request[ARRIVED_AT],
            )
    except NothingWaits:
        raise web.HTTPSeeOther("/enrollment/staff/review?done=nothing") from None
    raise web.HTTPSeeOther(f"/enrollment/staff/registrations/{taken}")


def _write_place(place: PlaceInQueue) -> str:
    since, number = place
    return f"{(since - EPOCH) // timedelta(microseconds=1)}-{number}"


def _read_place(text: str) -> PlaceInQueue | None:
    """Read where a page of the queue begins; what cannot be read is the beginning."""
    since, _, number = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in (since, number)):
        return None
    try:
        return EPOCH + timedelta(microseconds=int(since)), int(number)
    except OverflowError:
        return None


ROUTES = [
    web.get("/review", show_queue),
    web.post("/review/next", take_next),
]
