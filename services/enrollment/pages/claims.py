"""Taking a place: the form that ten thousand people send in the same second."""

from typing import Annotated

from aiohttp import hdrs, web
from pydantic import BaseModel, StringConstraints, ValidationError

from services.enrollment.crowd import CROWD, Wish
from services.enrollment.registrations.claims import (
    AlreadyThere,
    NoSuchPlace,
    NotYetOpen,
    OtherSittingHeld,
    SittingFull,
    WindowClosed,
)
from services.enrollment.registrations.openings import Barred
from shared.auth import PRINCIPAL
from shared.errors import Busy, Refused
from shared.observe import STARTED
from shared.templates import render, render_for_crowd

# Nothing else is let into the crowd: a sign that the database cannot hold would fail the wishes of
# five hundred others, which would then be settled one by one.
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,100}$")]


class TakePlace(BaseModel):
    """Where somebody wants to sit. Buttons fill it in: nobody types it, so nothing is kept."""

    sitting: Code
    area: Code


# Each tells what one can do now. They answer a crowd, so each is written for its case only.
PAGES: dict[type[Refused], str] = {
    AlreadyThere: "candidate/already_there.html",
    Barred: "candidate/barred.html",
    Busy: "candidate/busy.html",
    NoSuchPlace: "candidate/no_such_place.html",
    NotYetOpen: "candidate/not_yet_open.html",
    OtherSittingHeld: "candidate/other_sitting_held.html",
    WindowClosed: "candidate/window_closed.html",
}


async def take_place(request: web.Request) -> web.Response:
    try:
        place = TakePlace.model_validate(dict(await request.post()))
    except ValidationError:
        raise NoSuchPlace from None
    wish = Wish(request[PRINCIPAL].id, place.sitting, place.area, started=request[STARTED])
    try:
        claimed = await request.app[CROWD].ask(wish, about=wish.account_id.bytes)
    except SittingFull as refusal:
        return render_for_crowd(
            request,
            "candidate/sitting_full.html",
            status=refusal.status,
            refusal=refusal.sentence,
            sitting=wish.sitting,
        )
    except Refused as refusal:
        return _show(request, refusal, wish)
    # Returned, not raised: an exception with a body of its own would cost as much as the claim.
    return web.Response(
        status=303, headers={hdrs.LOCATION: f"/enrollment/registrations/{claimed.id}"}
    )


def _show(request: web.Request, refusal: Refused, wish: Wish) -> web.Response:
    response = render(
        request, PAGES[type(refusal)], status=refusal.status, refusal=refusal, sitting=wish.sitting
    )
    if refusal.retry_after_seconds is not None:
        response.headers[hdrs.RETRY_AFTER] = str(refusal.retry_after_seconds)
    return response


ROUTES = [
    web.post("/", take_place),
]
