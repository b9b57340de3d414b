"""Exam centres, for registrars: made and changed, and who enters candidates for them."""

from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, StringConstraints

from services.enrollment import centres, entries
from services.enrollment.centres import Centre
from services.enrollment.changes import CodeTaken
from services.enrollment.form_fields import Email, PostalAddress, Text
from services.enrollment.staff import editing
from services.enrollment.staff.editing import Input, Page
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.forms import Form, Says
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.templates import render

HOME = "/enrollment/staff/centres"
BACK = (HOME, mark("Exam centres"))
NUMBER = Input("number", mark("Centre number"), hint=mark("Such as TW940. It cannot be changed."))
INPUTS = [
    Input("name", mark("Name")),
    Input("venue", mark("Venue, where a timetable names no other")),
    Input("venue_address", mark("Venue address")),
]


class ChangedCentre(BaseModel):
    """A place that enters candidates and holds their exams."""

    name: Annotated[Text, Says(mark("Enter the name"))]
    venue: Annotated[Text, Says(mark("Enter the venue"))]
    venue_address: Annotated[PostalAddress, Says(mark("Enter the address of the venue"))]


class NewCentre(ChangedCentre):
    """A centre and its number."""

    number: Annotated[
        str,
        BeforeValidator(lambda number: str(number).upper()),
        StringConstraints(pattern=r"^[A-Z0-9]{3,10}$"),
        Says(
            mark("Enter the centre number"),
            mark("A centre number is made of 3 to 10 capitals and digits"),
        ),
    ]


class Admitted(BaseModel):
    """Who is to enter candidates."""

    email: Annotated[Email, Says(mark("Enter the e-mail address of their account"))]


async def list_centres(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        known = await centres.list_(tx)
    return render(request, "staff/list_centres.html", centres=known, home=HOME)


async def show_new(request: web.Request) -> web.Response:
    return _show_new(request, Form.blank(NewCentre))


def _show_new(request: web.Request, form: Form[NewCentre]) -> web.Response:
    return editing.show(request, Page(mark("Add a centre"), BACK, [NUMBER, *INPUTS]), form)


async def add(request: web.Request) -> web.Response:
    form = Form.read(NewCentre, await request.post())
    if form.value is not None:
        said = form.value
        centre = Centre(said.number, said.name, said.venue, said.venue_address, request[ARRIVED_AT])
        try:
            async with transaction(request.app[POOL]) as tx:
                await centres.add(tx, centre=centre, actor=str(request[PRINCIPAL].id))
        except CodeTaken as refusal:
            editing.refuse(form, "number", refusal)
    if form.value is None:
        return _show_new(request, form)
    raise web.HTTPSeeOther(f"{HOME}/{form.value.number}")


async def show_centre(request: web.Request) -> web.Response:
    return await _show(request, Form.blank(Admitted))


async def _show(request: web.Request, form: Form[Admitted]) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        centre = await centres.load(tx, number=request.match_info["centre"])
        admitted = await centres.list_staff(tx, number=centre.number)
    return render(
        request,
        "staff/show_centre.html",
        status=422 if form.errors else 200,
        centre=centre,
        admitted=admitted,
        form=form,
        here=f"{HOME}/{centre.number}",
    )


async def show_changed(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        old = await centres.load(tx, number=request.match_info["centre"])
    typed = {"name": old.name, "venue": old.venue, "venue_address": old.venue_address}
    form = Form.blank(ChangedCentre, **typed)
    return editing.show(request, _page(old), form, seen=old.edited_at)


def _page(centre: Centre) -> Page:
    back = (f"{HOME}/{centre.number}", mark("The centre"))
    return Page(mark("Change the centre"), back, INPUTS, about=centre.number)


async def change(request: web.Request) -> web.Response:
    posted = await request.post()
    form, now = Form.read(ChangedCentre, posted), request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        old = await centres.load(tx, number=request.match_info["centre"])
        editing.check_seen(posted, old.edited_at)
        if form.value is not None:
            new = replace(old, **form.value.model_dump(), edited_at=now)
            await centres.change(tx, old=old, new=new, actor=str(request[PRINCIPAL].id))
            if new.name != old.name:
                await entries.tell_again(tx, centre=old.number, now=now)
    if form.value is None:
        return editing.show(request, _page(old), form, seen=old.edited_at)
    raise web.HTTPSeeOther(f"{HOME}/{old.number}")


async def admit(request: web.Request) -> web.Response:
    form = Form.read(Admitted, await request.post())
    if form.value is None:
        return await _show(request, form)
    number = request.match_info["centre"]
    async with transaction(request.app[POOL]) as tx:
        await centres.load(tx, number=number)
        await centres.admit(
            tx, number=number, email=form.value.email, actor=str(request[PRINCIPAL].id)
        )
    raise web.HTTPSeeOther(f"{HOME}/{number}")


async def dismiss(request: web.Request) -> web.Response:
    email = str((await request.post()).get("email", ""))
    number = request.match_info["centre"]
    async with transaction(request.app[POOL]) as tx:
        await centres.load(tx, number=number)
        await centres.dismiss(tx, number=number, email=email, actor=str(request[PRINCIPAL].id))
    raise web.HTTPSeeOther(f"{HOME}/{number}")


ROUTES = [
    web.get("/centres", list_centres),
    web.get("/centres/new", show_new),
    web.post("/centres/new", add),
    web.get("/centres/{centre}", show_centre),
    web.get("/centres/{centre}/details", show_changed),
    web.post("/centres/{centre}/details", change),
    web.post("/centres/{centre}/staff", admit),
    web.post("/centres/{centre}/dismissals", dismiss),
]
