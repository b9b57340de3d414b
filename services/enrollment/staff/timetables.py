"""The timetable of a sitting at a centre, said by its staff: where, when and in which rooms."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, BaseModel, create_model

from services.enrollment import timetables
from services.enrollment.form_fields import PostalAddress, Text
from services.enrollment.staff import editing, own_centres
from services.enrollment.staff.editing import Input, Page
from services.enrollment.staff.own_centres import Held
from services.enrollment.timetables import Timetable
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import translate

NO_HOUR = mark("Enter an hour such as 09:00")
VENUE = [
    Input("venue", mark("Venue")),
    Input("venue_address", mark("Venue address")),
]


def _hour(text: str) -> str:
    found = re.fullmatch(r"([01]?[0-9]|2[0-3])[:：]?([0-5][0-9])", text.strip())
    if not found:
        raise ValueError(NO_HOUR)
    return f"{int(found[1]):02}:{found[2]}"


class VenueForm(BaseModel):
    """Where a sitting is held; the papers follow it, each with its day, hour and room."""

    venue: Annotated[Text, Says(mark("Enter the venue"))]
    venue_address: Annotated[PostalAddress, Says(mark("Enter the address of the venue"))]


def _model(timetable: Timetable) -> type[VenueForm]:
    asked: dict[str, Any] = {}
    for place in range(len(timetable.papers)):
        day = Says(mark("Enter the day of the exam"), mark("There is no such day"))
        asked[f"on_{place}"] = (Annotated[date, day], ...)
        asked[f"starts_at_{place}"] = (Annotated[str, AfterValidator(_hour), Says(NO_HOUR)], ...)
        asked[f"room_{place}"] = (Text, "")
    return create_model("TimetableForm", __base__=VenueForm, **asked)


def _inputs(request: web.Request, timetable: Timetable) -> Sequence[Input]:
    inputs = list(VENUE)
    for place, paper in enumerate(timetable.papers):
        title = paper.titles[language_of(request)]
        for name, label, kind in (
            ("on", mark("{paper}: day"), "date"),
            ("starts_at", mark("{paper}: begins at"), "text"),
            ("room", mark("{paper}: room (optional)"), "text"),
        ):
            words = translate(request, label).format(paper=title)
            inputs.append(Input(f"{name}_{place}", words, kind))
    return inputs


async def show_timetable(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        timetable = await timetables.load(
            tx, centre=held.centre, sitting=held.sitting, level=held.level
        )
    typed: dict[str, Any] = {"venue": timetable.venue, "venue_address": timetable.venue_address}
    for place, paper in enumerate(timetable.papers):
        typed[f"on_{place}"] = editing.write_date(paper.on)
        typed[f"starts_at_{place}"] = paper.starts_at
        typed[f"room_{place}"] = paper.room
    return _show(request, held, timetable, Form.blank(_model(timetable), **typed))


def _show(
    request: web.Request, held: Held, timetable: Timetable, form: Form[VenueForm]
) -> web.Response:
    page = Page(
        mark("Change the timetable"),
        (held.address(), mark("The sitting")),
        _inputs(request, timetable),
        about=f"{held.centre.number} {held.sitting.code}",
    )
    return editing.show(request, page, form)


async def change_timetable(request: web.Request) -> web.Response:
    posted = await request.post()
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        timetable = await timetables.load(
            tx, centre=held.centre, sitting=held.sitting, level=held.level
        )
        form = Form.read(_model(timetable), posted)
        if form.value is not None:
            said = form.value.model_dump()
            papers = [
                replace(
                    paper,
                    on=said[f"on_{place}"],
                    starts_at=said[f"starts_at_{place}"],
                    room=said[f"room_{place}"],
                )
                for place, paper in enumerate(timetable.papers)
            ]
            await timetables.keep(
                tx,
                centre=held.centre.number,
                sitting=held.sitting.code,
                timetable=Timetable(form.value.venue, form.value.venue_address, papers),
                actor=str(request[PRINCIPAL].id),
                now=request[ARRIVED_AT],
            )
    if form.value is None:
        return _show(request, held, timetable, form)
    raise web.HTTPSeeOther(held.address())


ROUTES = [
    web.get("/{centre}/{sitting}/timetable", show_timetable),
    web.post("/{centre}/{sitting}/timetable", change_timetable),
]
