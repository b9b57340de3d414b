"""Programmes, for registrars: looked through, made and changed."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from services.enrollment import calendars, programmes
from services.enrollment.calendars import Calendar, Listed
from services.enrollment.changes import CodeTaken
from services.enrollment.programmes import Programme, StillUsed
from services.enrollment.staff import editing
from services.enrollment.staff.editing import BACK, CATALOGUE, CODE, Input, Page
from services.enrollment.staff.forms import ChangedProgramme, NewProgramme
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render

INPUTS = [
    Input("title_zh", mark("Chinese name")),
    Input("title_en", mark("English name")),
    Input("zone", mark("Time zone"), hint=mark("Whose days and hours its calendar means")),
    Input("year", mark("Year")),
    Input("publish_time", mark("Hour at which tickets and results appear, such as 09:00")),
    Input(
        "entry",
        mark("Who enters candidates"),
        "select",
        options=[
            ("candidate", mark("The candidate, here")),
            ("centre", mark("The exam centre, from a list")),
        ],
    ),
    Input(
        "fee_rule",
        mark("What a place costs"),
        "select",
        options=[
            ("free_to_birthday", mark("The fee; nothing up to a birthday")),
            ("flat", mark("The fee")),
            ("centre", mark("It is settled with the exam centre")),
        ],
    ),
    Input("fee_twd", mark("Fee in NT$")),
    Input(
        "fee_free_to_birthday",
        mark("Free up to which birthday (optional)"),
        hint=mark("Free is whoever turns this age on the day of the exam or later"),
    ),
    Input(
        "areas",
        mark("Areas (optional)"),
        "lines",
        hint=mark("One a line: code | Chinese name | English name"),
    ),
    Input(
        "dialects",
        mark("Dialects or other variants (optional)"),
        "lines",
        hint=mark("One a line: code | Chinese name | English name"),
    ),
]


async def show_catalogue(request: web.Request) -> web.Response:
    """Show what fits the words that are searched for; all when there are none."""
    now, asked = request[ARRIVED_AT], request.query
    words, window = asked.get("words", ""), asked.get("window", "")
    async with transaction(request.app[POOL]) as tx:
        calendar = await calendars.read(tx, now=now)
    return render(
        request,
        "staff/show_catalogue.html",
        calendar=calendar,
        found=[
            listed
            for listed in calendar.listed.values()
            if _says(words, listed) and window in {"", listed.sitting.window(now)}
        ],
        levels=_find_levels(calendar, words),
        words=words,
        window=window,
        now=now,
    )


def _says(words: str, listed: Listed) -> bool:
    sitting = listed.sitting
    told = [sitting.code, *sitting.titles.values(), sitting.exam_date.isoformat()]
    told += [*listed.programme.titles.values(), *listed.level.titles.values()]
    return words.strip().casefold() in "\n".join(told).casefold()


def _find_levels(calendar: Calendar, words: str) -> list[tuple[Programme, list[Any]]]:
    """Find programmes, and levels of which the words are told or whose programme's they are."""
    wanted = words.strip().casefold()
    found = []
    for programme in calendar.programmes:
        own = [level for level in calendar.levels if level.programme == programme.code]
        names = "\n".join([programme.code, *programme.titles.values()]).casefold()
        fitting = [
            level
            for level in own
            if wanted in names
            or wanted in "\n".join([level.code, *level.titles.values()]).casefold()
        ]
        if fitting or wanted in names:
            found.append((programme, fitting))
    return found


async def show_new(request: web.Request) -> web.Response:
    typed = {"zone": "Asia/Taipei", "publish_time": "09:00", "entry": "candidate"}
    return await _show_new(request, Form.blank(NewProgramme, **typed))


async def _show_new(request: web.Request, form: Form[NewProgramme]) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        known = await programmes.list_(tx)
    like = Input(
        "like",
        mark("Take the form and the documents from"),
        "select",
        options=[("", mark("no other programme")), *((p.code, p.code) for p in known)],
    )
    page = Page(mark("Add a programme"), BACK, [CODE, *INPUTS, like])
    return editing.show(request, page, form)


async def add(request: web.Request) -> web.Response:
    form = Form.read(NewProgramme, await request.post())
    if form.value is None:
        return await _show_new(request, form)
    new, now = form.value, request[ARRIVED_AT]
    try:
        async with transaction(request.app[POOL]) as tx:
            like = await programmes.find(tx, code=new.like)
            programme = Programme(
                code=new.code,
                **_read(new),
                form=like.form if like else {},
                documents=like.documents if like else [],
                consents=like.consents if like else [],
                edited_at=now,
            )
            actor = str(request[PRINCIPAL].id)
            await programmes.add(tx, programme=programme, actor=actor)
    except CodeTaken as refusal:
        editing.refuse(form, "code", refusal)
        return await _show_new(request, form)
    raise web.HTTPSeeOther(f"{CATALOGUE}?words={new.code}")


async def show_changed(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        old = await programmes.load(tx, code=request.match_info["programme"])
    typed = {
        **editing.write_titles(old.titles),
        "zone": old.zone.key,
        "year": str(old.year),
        "publish_time": f"{old.publish_time:%H:%M}",
        "entry": old.entry,
        "fee_rule": old.fee_rule,
        "fee_twd": str(old.fee_twd),
        "fee_free_to_birthday": str(old.fee_free_to_birthday or ""),
        "areas": editing.write_choices(old.areas),
        "dialects": editing.write_choices(old.dialects),
    }
    form = Form.blank(ChangedProgramme, **typed)
    return editing.show(request, _page(old), form, seen=old.edited_at)


async def change(request: web.Request) -> web.Response:
    posted = await request.post()
    form = Form.read(ChangedProgramme, posted)
    async with transaction(request.app[POOL]) as tx:
        old = await programmes.load(tx, code=request.match_info["programme"])
        editing.check_seen(posted, old.edited_at)
        if form.value is not None:
            new = replace(old, **_read(form.value), edited_at=request[ARRIVED_AT])
            try:
                actor = str(request[PRINCIPAL].id)
                await programmes.change(tx, old=old, new=new, actor=actor)
            except StillUsed as refusal:
                editing.refuse(form, "areas", refusal)
    if form.value is None:
        return editing.show(request, _page(old), form, seen=old.edited_at)
    raise web.HTTPSeeOther(f"{CATALOGUE}?words={old.code}")


def _page(programme: Programme) -> Page:
    return Page(mark("Change a programme"), BACK, INPUTS, about=programme.code)


def _read(answers: ChangedProgramme) -> dict[str, Any]:
    return {
        "titles": editing.read_titles(answers.title_zh, answers.title_en),
        "zone": ZoneInfo(answers.zone),
        "year": answers.year,
        "publish_time": answers.publish_time,
        "entry": answers.entry,
        "fee_rule": answers.fee_rule,
        "fee_twd": answers.fee_twd,
        "fee_free_to_birthday": answers.fee_free_to_birthday,
        "areas": editing.read_choices(answers.areas),
        "dialects": editing.read_choices(answers.dialects),
    }


ROUTES = [
    web.get("/catalogue", show_catalogue),
    web.get("/programmes/new", show_new),
    web.post("/programmes/new", add),
    web.get("/programmes/{programme}", show_changed),
    web.post("/programmes/{programme}", change),
]
