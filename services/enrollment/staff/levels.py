"""Level groups and their series, for registrars: made and changed."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from services.enrollment import levels, programmes
from services.enrollment.changes import CodeTaken
from services.enrollment.levels import LevelGroup, Series
from services.enrollment.staff import editing
from services.enrollment.staff.editing import BACK, CODE, Input, Page
from services.enrollment.staff.forms import ChangedLevel, ChangedSeries, NewLevel, NewSeries
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render

INPUTS = [
    Input("title_zh", mark("Chinese name")),
    Input("title_en", mark("English name")),
    Input("position", mark("Position in the list")),
]
SERIES_INPUTS = [
    *INPUTS,
    Input(
        "submit_within_days",
        mark("Days to send the form, the day of the claim included (optional)"),
        hint=mark("Empty: until registration ends"),
    ),
    Input("one_only", mark("A person may enter one sitting of this series"), "yes"),
    Input("absence_bars", mark("Who is absent may enter no later sitting of that year"), "yes"),
]


async def show_level(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        level = await _load(tx, request)
        own = [s for s in await levels.list_series(tx) if _is_of(s, level)]
    return render(request, "staff/show_level.html", level=level, series=own)


def _is_of(series: Series, level: LevelGroup) -> bool:
    return (series.programme, series.level_group) == (level.programme, level.code)


async def _load(tx: Tx, request: web.Request) -> LevelGroup:
    asked = request.match_info
    return await levels.load(tx, programme=asked["programme"], code=asked["level"])


async def show_new(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        programme = await programmes.load(tx, code=request.match_info["programme"])
    return _show_new(request, programme.code, Form.blank(NewLevel, position="0"))


def _show_new(request: web.Request, programme: str, form: Form[NewLevel]) -> web.Response:
    page = Page(mark("Add a level"), BACK, [CODE, *INPUTS], about=programme)
    return editing.show(request, page, form)


async def add(request: web.Request) -> web.Response:
    form = Form.read(NewLevel, await request.post())
    async with transaction(request.app[POOL]) as tx:
        programme = await programmes.load(tx, code=request.match_info["programme"])
        if form.value is not None:
            level = LevelGroup(
                programme=programme.code,
                code=form.value.code,
                titles=editing.read_titles(form.value.title_zh, form.value.title_en),
                position=form.value.position,
                edited_at=request[ARRIVED_AT],
            )
            try:
                await levels.add(tx, level=level, actor=str(request[PRINCIPAL].id))
            except CodeTaken as refusal:
                editing.refuse(form, "code", refusal)
    if form.value is None:
        return _show_new(request, programme.code, form)
    raise web.HTTPSeeOther(_address(level))


async def show_changed(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        old = await _load(tx, request)
    typed = {**editing.write_titles(old.titles), "position": str(old.position)}
    form = Form.blank(ChangedLevel, **typed)
    return editing.show(request, _page(old), form, seen=old.edited_at)


async def change(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangedLevel, posted)
    async with transaction(request.app[POOL]) as tx:
        old = await _load(tx, request)
        editing.check_seen(posted, old.edited_at)
        if form.value is not None:
            new = replace(
                old,
                titles=editing.read_titles(form.value.title_zh, form.value.title_en),
                position=form.value.position,
                edited_at=request[ARRIVED_AT],
            )
            await levels.change(tx, old=old, new=new, actor=str(request[PRINCIPAL].id))
    if form.value is None:
        return editing.show(request, _page(old), form, seen=old.edited_at)
    raise web.HTTPSeeOther(_address(old))


def _page(level: LevelGroup) -> Page:
    back = (_address(level), mark("The level"))
    return Page(mark("Change a level"), back, INPUTS, about=f"{level.programme} {level.code}")


def _address(level: LevelGroup) -> str:
    return f"/enrollment/staff/programmes/{level.programme}/levels/{level.code}"


async def show_new_series(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        level = await _load(tx, request)
    return _show_new_series(request, level, Form.blank(NewSeries, position="0"))


def _show_new_series(
    request: web.Request, level: LevelGroup, form: Form[NewSeries]
) -> web.Response:
    back = (_address(level), mark("The level"))
    about = f"{level.programme} {level.code}"
    page = Page(mark("Add a series"), back, [CODE, *SERIES_INPUTS], about=about)
    return editing.show(request, page, form)


async def add_series(request: web.Request) -> web.Response:
    form = Form.read(NewSeries, await request.post())
    async with transaction(request.app[POOL]) as tx:
        level = await _load(tx, request)
        if form.value is not None:
            series = Series(
                programme=level.programme,
                level_group=level.code,
                code=form.value.code,
                **_read_series(form.value),
                edited_at=request[ARRIVED_AT],
            )
            try:
                await levels.add_series(tx, series=series, actor=str(request[PRINCIPAL].id))
            except CodeTaken as refusal:
                editing.refuse(form, "code", refusal)
    if form.value is None:
        return _show_new_series(request, level, form)
    raise web.HTTPSeeOther(_address(level))


async def _load_series(tx: Tx, request: web.Request) -> Series:
    asked = request.match_info
    return await levels.load_series(
        tx, programme=asked["programme"], level_group=asked["level"], code=asked["series"]
    )


async def show_changed_series(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        level, old = await _load(tx, request), await _load_series(tx, request)
    typed = {
        **editing.write_titles(old.titles),
        "position": str(old.position),
        "submit_within_days": str(old.submit_within_days or ""),
        "one_only": "yes" if old.one_only else "",
        "absence_bars": "yes" if old.absence_bars else "",
    }
    form = Form.blank(ChangedSeries, **typed)
    return editing.show(request, _series_page(level, old), form, seen=old.edited_at)


async def change_series(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangedSeries, posted)
    async with transaction(request.app[POOL]) as tx:
        level, old = await _load(tx, request), await _load_series(tx, request)
        editing.check_seen(posted, old.edited_at)
        if form.value is not None:
            new = replace(old, **_read_series(form.value), edited_at=request[ARRIVED_AT])
            await levels.change_series(tx, old=old, new=new, actor=str(request[PRINCIPAL].id))
    if form.value is None:
        return editing.show(request, _series_page(level, old), form, seen=old.edited_at)
    raise web.HTTPSeeOther(_address(level))


def _series_page(level: LevelGroup, series: Series) -> Page:
    back = (_address(level), mark("The level"))
    about = f"{level.programme} {level.code} {series.code}"
    return Page(mark("Change a series"), back, SERIES_INPUTS, about=about)


def _read_series(answers: ChangedSeries) -> dict[str, Any]:
    return {
        "titles": editing.read_titles(answers.title_zh, answers.title_en),
        "position": answers.position,
        "submit_within_days": answers.submit_within_days,
        "one_only": answers.one_only,
        "absence_bars": answers.absence_bars,
    }


ROUTES = [
    web.get("/programmes/{programme}/levels/new", show_new),
    web.post("/programmes/{programme}/levels/new", add),
    web.get("/programmes/{programme}/levels/{level}", show_level),
    web.get("/programmes/{programme}/levels/{level}/details", show_changed),
    web.post("/programmes/{programme}/levels/{level}/details", change),
    web.get("/programmes/{programme}/levels/{level}/series/new", show_new_series),
    web.post("/programmes/{programme}/levels/{level}/series/new", add_series),
    web.get("/programmes/{programme}/levels/{level}/series/{series}", show_changed_series),
    web.post("/programmes/{programme}/levels/{level}/series/{series}", change_series),
]
