"""From a registration to its order, which may still be on its way here."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from services.payments import order_book
from services.payments.pages import own
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.templates import render

# News takes a second or two. Whoever has waited this long is told what else to do.
PATIENCE = timedelta(minutes=2)
LOOK_EVERY_SECONDS = 4


async def find_order(request: web.Request) -> web.Response:
    """Lead to a registration's order as soon as it is here.

    Somebody else's registration, and one there is not, are waited for in the same way.
    """
    registration_id = own.named(request, "registration_id")
    async with transaction(request.app[POOL]) as tx:
        order = await order_book.find_of_registration(
            tx, registration_id=registration_id, account_id=request[PRINCIPAL].id
        )
    if order is not None:
        raise web.HTTPSeeOther(own.address(order))
    began_at = _began_at(request)
    return render(
        request,
        "candidate/preparing.html",
        registration_id=registration_id,
        since=int(began_at.timestamp()),
        look_every=LOOK_EVERY_SECONDS,
        is_late=request[ARRIVED_AT] - began_at >= PATIENCE,
    )


def _began_at(request: web.Request) -> datetime:
    """Since when somebody has been looking: the page says so each time it looks again."""
    now = request[ARRIVED_AT]
    since = request.query.get("since", "")
    if since.isascii() and since.isdigit() and len(since) <= 11:
        return min(now, datetime.fromtimestamp(int(since), UTC))
    return now


ROUTES = [
    web.get("/{registration_id}", find_order),
]
