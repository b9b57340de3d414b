"""Sittings, for registrars: made, looked at and changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from services.enrollment import calendars, entries, levels, places, programmes, sittings
from services.enrollment.catalogue_files import METHODS
from services.enrollment.changes import CodeTaken
from services.enrollment.levels import Series
from services.enrollment.names import METHOD_NAMES
from services.enrollment.programmes import Choice, Programme
from services.enrollment.sittings import Sitting
from services.enrollment.staff import editing
from services.enrollment.staff.editing import CODE, Input, Page
from services.enrollment.staff.forms import ChangedSitting, NewSitting
from shared.auth import PRINCIPAL
from shared.days import end_of_day, start_of_day
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.forms import Form
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render

NAMES = [
    Input("title_zh", mark("Chinese name")),
    Input("title_en", mark("English name")),
    Input("number", mark("Number within its series")),
]
DAYS = [
    Input("exam_date", mark("Day of the exam"), "date"),
    Input("materials_on", mark("Materials are sent from (optional)"), "date"),
    Input("tickets_on", mark("Admission tickets from"), "date"),
    Input("results_on", mark("Results from"), "date"),
    Input("certificates_on", mark("Certificates are sent from (optional)"), "date"),
]
WINDOW = [
    Input("opens_on", mark("First day of registration"), "date"),
    Input("closes_on", mark("Last day of registration"), "date"),
]
METHODS_OFFERED = Input(
    "methods",
    mark("Ways to pay (optional)"),
    "boxes",
    options=[(method, METHOD_NAMES[method]) for method in METHODS],
)


async def show_sitting(request: web.Request) -> web.Response:
    now, code = request[ARRIVED_AT], request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        calendar = await calendars.read(tx, now=now)
    listed = calendar.listed.get(code)
    if listed is None:
        raise NoSuchPage
    offered = {place.area for place in listed.places}
    return render(
        request,
        "staff/show_sitting.html",
        listed=listed,
        sitting=listed.sitting,
        programme=listed.programme,
        window=listed.sitting.window(now),
        method_names=METHOD_NAMES,
        other_areas=[area for area in listed.programme.areas if area.code not in offered],
    )


async def show_new(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        programme, series = await _load_series(tx, request)
    dialects = [dialect.code for dialect in programme.dialects]
    form = Form.blank(NewSitting, number="1", dialects=dialects, methods=list(METHODS))
    return _show_new(request, programme, series, form)


async def _load_series(tx: Tx, request: web.Request) -> tuple[Programme, Series]:
    asked = request.match_info
    programme = await programmes.load(tx, code=asked["programme"])
    series = await levels.load_series(
        tx, programme=programme.code, level_group=asked["level"], code=asked["series"]
    )
    return programme, series


def _show_new(
    request: web.Request, programme: Programme, series: Series, form: Form[NewSitting]
) -> web.Response:
    level = f"/enrollment/staff/programmes/{series.programme}/levels/{series.level_group}"
    areas = Input("areas", mark("Areas"), "boxes", options=_options(request, programme.areas))
    page = Page(
        mark("Add a sitting"),
        (level, mark("The level")),
        [CODE, *NAMES, *DAYS, *WINDOW, *_choices(request, programme, areas)],
        about=f"{series.programme} {series.level_group} {series.code}",
    )
    return editing.show(request, page, form)


def _options(request: web.Request, choices: Sequence[Choice]) -> list[tuple[str, str]]:
    return [(choice.code, choice.titles[language_of(request)]) for choice in choices]


def _choices(request: web.Request, programme: Programme, *areas: Input) -> list[Input]:
    """Ask what candidates choose from; whom a centre enters chooses nothing and pays nothing."""
    if programme.entry == "centre":
        return []
    return [*areas, METHODS_OFFERED, _dialects(request, programme)]


def _dialects(request: web.Request, programme: Programme) -> Input:
    label = mark("Dialects or other variants (optional)")
    return Input("dialects", label, "boxes", options=_options(request, programme.dialects))


async def add(request: web.Request) -> web.Response:
    form = Form.read(NewSitting, await request.post())
    now, actor = request[ARRIVED_AT], str(request[PRINCIPAL].id)
    async with transaction(request.app[POOL]) as tx:
        programme, series = await _load_series(tx, request)
        _check_choices(form, programme)
        if form.value is not None:
            sitting = _make(form.value, programme, series, now=now)
            try:
                await sittings.add(tx, sitting=sitting, actor=actor)
                await places.offer(
                    tx,
                    sitting=sitting.code,
                    capacities=dict.fromkeys(form.value.areas),
                    actor=actor,
                    edited_at=now,
                )
            except CodeTaken as refusal:
                editing.refuse(form, "code", refusal)
    if form.value is None:
        return _show_new(request, programme, series, form)
    raise web.HTTPSeeOther(f"/enrollment/staff/sittings/{sitting.code}")


def _check_choices(form: Form[Any], programme: Programme) -> None:
    """Refuse what only a page of another programme could have offered."""
    offers_nothing = isinstance(form.value, NewSitting) and not form.value.areas
    if offers_nothing and programme.entry == "candidate":
        form.add_error("areas", mark("Choose at least one area"))
    for name, choices in (("areas", programme.areas), ("dialects", programme.dialects)):
        known = {choice.code for choice in choices}
        if form.value is not None and not set(getattr(form.value, name, [])) <= known:
            form.add_error(name, mark("Choose from these"))


def _make(answers: NewSitting, programme: Programme, series: Series, *, now: datetime) -> Sitting:
    return Sitting(
        code=answers.code,
        programme=series.programme,
        level_group=series.level_group,
        series=series.code,
        year=programme.year,
        opens_at=start_of_day(answers.opens_on, programme.zone),
        closes_at=end_of_day(answers.closes_on, programme.zone),
        zone=programme.zone,
        submit_within_days=series.submit_within_days,
        one_only=series.one_only,
        absence_bars=series.absence_bars,
        edited_at=now,
        **_read(answers, programme),
    )


def _read(answers: ChangedSitting | NewSitting, programme: Programme) -> dict[str, Any]:
    def at(day: date) -> datetime:
        return datetime.combine(day, programme.publish_time, programme.zone).astimezone(UTC)

    return {
        "number": answers.number,
        "titles": editing.read_titles(answers.title_zh, answers.title_en),
        "exam_date": answers.exam_date,
        "materials_on": answers.materials_on,
        "tickets_at": at(answers.tickets_on),
        "results_at": at(answers.results_on),
        "certificates_on": answers.certificates_on,
        "methods": answers.methods,
        "dialects": answers.dialects,
    }


async def show_changed(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        old = await sittings.load(tx, code=request.match_info["sitting"])
        programme = await programmes.load(tx, code=old.programme)
    typed = {
        **editing.write_titles(old.titles),
        "number": str(old.number),
        "exam_date": editing.write_date(old.exam_date),
        "materials_on": editing.write_date(old.materials_on),
        "tickets_on": editing.write_date(old.tickets_at.astimezone(old.zone).date()),
        "results_on": editing.write_date(old.results_at.astimezone(old.zone).date()),
        "certificates_on": editing.write_date(old.certificates_on),
        "methods": list(old.methods),
        "dialects": list(old.dialects),
    }
    page = _page(request, old, programme)
    return editing.show(request, page, Form.blank(ChangedSitting, **typed), seen=old.edited_at)


def _page(request: web.Request, sitting: Sitting, programme: Programme) -> Page:
    return Page(
        mark("Change the sitting"),
        (f"/enrollment/staff/sittings/{sitting.code}", mark("The sitting")),
        [*NAMES, *DAYS, *_choices(request, programme)],
        about=sitting.code,
    )


async def change(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangedSitting, posted)
    code = request.match_info["sitting"]
    try:
        async with transaction(request.app[POOL]) as tx:
            old = await sittings.load(tx, code=code)
            programme = await programmes.load(tx, code=old.programme)
            editing.check_seen(posted, old.edited_at)
            _check_choices(form, programme)
            _check_window(form, old)
            if form.value is not None:
                now = request[ARRIVED_AT]
                new = replace(old, **_read(form.value, programme), edited_at=now)
                await sittings.change(tx, old=old, new=new, actor=str(request[PRINCIPAL].id))
                await entries.tell_again(tx, sitting=code, now=now)
    except CodeTaken as refusal:
        editing.refuse(form, "number", refusal)
    if form.value is None:
        return editing.show(request, _page(request, old, programme), form, seen=old.edited_at)
    raise web.HTTPSeeOther(f"/enrollment/staff/sittings/{code}")


def _check_window(form: Form[ChangedSitting], sitting: Sitting) -> None:
    last_day = (sitting.closes_at - timedelta(microseconds=1)).astimezone(sitting.zone).date()
    if form.value is not None and form.value.exam_date <= last_day:
        form.add_error("exam_date", mark("Registration must end before the exam"))


ROUTES = [
    web.get("/programmes/{programme}/levels/{level}/series/{series}/sittings/new", show_new),
    web.post("/programmes/{programme}/levels/{level}/series/{series}/sittings/new", add),
    web.get("/sittings/{sitting}", show_sitting),
    web.get("/sittings/{sitting}/details", show_changed),
    web.post("/sittings/{sitting}/details", change),
]
