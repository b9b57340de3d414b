"""How one can pay; and for whoever is signed in, what is owed and what was paid."""

from collections.abc import Sequence

from aiohttp import web

from services.payments import order_book
from services.payments.order_book import Order
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.settings import SETTINGS
from shared.templates import render

# A group's representative has many; more than this nobody reads.
MOST_SHOWN = 100


async def first_page(request: web.Request) -> web.Response:
    orders: Sequence[Order] = ()
    if PRINCIPAL in request:
        async with transaction(request.app[POOL]) as tx:
            orders = await order_book.list_of_account(
                tx, account_id=request[PRINCIPAL].id, limit=MOST_SHOWN
            )
    return render(
        request,
        "public/first_page.html",
        orders=orders,
        now=request[ARRIVED_AT],
        zone=request.app[SETTINGS].time_zone,
    )


ROUTES = [
    web.get("/", first_page),
]
