"""Windows and places of a sitting, for registrars: from when, until when, and how many."""

from dataclasses import replace
from datetime import timedelta

from aiohttp import web

from services.enrollment import places, programmes, sittings
from services.enrollment.places import MoreAreTaken, Place
from services.enrollment.registrations import drafts
from services.enrollment.sittings import Sitting
from services.enrollment.staff import editing
from services.enrollment.staff.editing import Input, Page
from services.enrollment.staff.forms import ChangedCapacity, ChangedWindow
from shared.auth import PRINCIPAL
from shared.days import end_of_day, start_of_day
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT

INPUTS = [
    Input("opens_on", mark("First day of registration"), "date", mark("It opens at 00:00.")),
    Input("closes_on", mark("Last day of registration"), "date", mark("It ends at 23:59.")),
]
CAPACITY = Input(
    "capacity",
    mark("How many places there are (optional)"),
    hint=mark("Empty: as many as want to. Never fewer than are taken."),
)


def _address(code: str) -> str:
    return f"/enrollment/staff/sittings/{code}"


async def show_window(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        old = await sittings.load(tx, code=request.match_info["sitting"])
    last_moment = old.closes_at - timedelta(microseconds=1)
    typed = {
        "opens_on": editing.write_date(old.opens_at.astimezone(old.zone).date()),
        "closes_on": editing.write_date(last_moment.astimezone(old.zone).date()),
    }
    form = Form.blank(ChangedWindow, **typed)
    return editing.show(request, _window_page(old), form, seen=old.edited_at)


def _window_page(sitting: Sitting) -> Page:
    back = (_address(sitting.code), mark("The sitting"))
    return Page(mark("Change when one can register"), back, INPUTS, about=sitting.code)


async def change_window(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangedWindow, posted)
    async with transaction(request.app[POOL]) as tx:
        old = await sittings.load(tx, code=request.match_info["sitting"])
        editing.check_seen(posted, old.edited_at)
        if form.value is not None and form.value.closes_on >= old.exam_date:
            form.add_error("closes_on", mark("Registration must end before the exam"))
        if form.value is not None:
            new = replace(
                old,
                opens_at=start_of_day(form.value.opens_on, old.zone),
                closes_at=end_of_day(form.value.closes_on, old.zone),
                edited_at=request[ARRIVED_AT],
            )
            await sittings.change(tx, old=old, new=new, actor=str(request[PRINCIPAL].id))
            await drafts.extend(tx, sitting=new.code)
    if form.value is None:
        return editing.show(request, _window_page(old), form, seen=old.edited_at)
    raise web.HTTPSeeOther(_address(old.code))


async def open_window(request: web.Request) -> web.Response:
    actor, now = str(request[PRINCIPAL].id), request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        await sittings.open_now(tx, code=sitting.code, actor=actor, now=now)
    raise web.HTTPSeeOther(_address(sitting.code))


async def close_window(request: web.Request) -> web.Response:
    actor, now = str(request[PRINCIPAL].id), request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        await sittings.close_now(tx, code=sitting.code, actor=actor, now=now)
    raise web.HTTPSeeOther(_address(sitting.code))


async def show_capacity(request: web.Request) -> web.Response:
    asked = request.match_info
    async with transaction(request.app[POOL]) as tx:
        place = await places.load(tx, sitting=asked["sitting"], area=asked["area"])
    typed = "" if place.capacity is None else str(place.capacity)
    return _show_capacity(request, place, Form.blank(ChangedCapacity, capacity=typed))


def _show_capacity(request: web.Request, place: Place, form: Form[ChangedCapacity]) -> web.Response:
    back = (_address(place.sitting), mark("The sitting"))
    page = Page(
        mark("Change how many places there are"),
        back,
        [CAPACITY],
        about=f"{place.sitting} {place.area}: {place.taken}",
    )
    return editing.show(request, page, form)


async def change_capacity(request: web.Request) -> web.Response:
    form = Form.read(ChangedCapacity, await request.post())
    asked = request.match_info
    async with transaction(request.app[POOL]) as tx:
        place = await places.load(tx, sitting=asked["sitting"], area=asked["area"])
        if form.value is not None:
            try:
                await places.change_capacity(
                    tx,
                    sitting=place.sitting,
                    area=place.area,
                    capacity=form.value.capacity,
                    actor=str(request[PRINCIPAL].id),
                    now=request[ARRIVED_AT],
                )
            except MoreAreTaken as refusal:
                editing.refuse(form, "capacity", refusal)
    if form.value is None:
        return _show_capacity(request, place, form)
    raise web.HTTPSeeOther(_address(place.sitting))


async def offer_area(request: web.Request) -> web.Response:
    posted = await request.post()
    area = str(posted.get("area", ""))
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        programme = await programmes.load(tx, code=sitting.programme)
        if area not in {one.code for one in programme.areas}:
            raise NoSuchPage
        held = await places.list_(tx, sittings=[sitting.code])
        if area not in {place.area for place in held}:
            await places.offer(
                tx,
                sitting=sitting.code,
                capacities={area: 0},  # nobody comes before it is known how many may
                actor=str(request[PRINCIPAL].id),
                edited_at=request[ARRIVED_AT],
            )
    raise web.HTTPSeeOther(f"{_address(sitting.code)}/places/{area}")


ROUTES = [
    web.get("/sittings/{sitting}/window", show_window),
    web.post("/sittings/{sitting}/window", change_window),
    web.post("/sittings/{sitting}/openings", open_window),
    web.post("/sittings/{sitting}/closings", close_window),
    web.post("/sittings/{sitting}/places", offer_area),
    web.get("/sittings/{sitting}/places/{area}", show_capacity),
    web.post("/sittings/{sitting}/places/{area}", change_capacity),
]
