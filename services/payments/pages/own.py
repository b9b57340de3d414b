"""What all pages about one's own order begin with: it is yours, and here it is."""

from datetime import datetime
from uuid import UUID

from aiohttp import web

from services.payments import attempt_book, order_book
from services.payments.attempt_book import Attempt
from services.payments.order_book import NoSuchOrder, Order
from services.payments.rules import TAIPEI
from shared.auth import PRINCIPAL
from shared.db import Tx

# What is paid in Taiwan is due by the clocks of Taiwan.
ZONE = TAIPEI


def named(request: web.Request, parameter: str) -> UUID:
    """Read the id that an address names; there is nothing under any other name."""
    try:
        return UUID(request.match_info[parameter])
    except ValueError:
        raise NoSuchOrder from None


def address(order: Order, page: str = "") -> str:
    return f"/payments/orders/{order.id}{page}"


async def load(tx: Tx, request: web.Request) -> Order:
    """Load the order that the address names, if it is the asking person's."""
    return await order_book.load(
        tx, order_id=named(request, "order_id"), account_id=request[PRINCIPAL].id
    )


async def load_attempt(tx: Tx, request: web.Request) -> tuple[Order, Attempt]:
    """Load one try to pay one's own order."""
    order = await load(tx, request)
    wanted = named(request, "attempt_id")
    for attempt in await attempt_book.list_of_order(tx, order_id=order.id):
        if attempt.id == wanted:
            return order, attempt
    raise NoSuchOrder


def pay_until(order: Order, attempt: Attempt) -> datetime:
    """Until when to pay with what was given out: never later than is in time for us."""
    return min(attempt.expires_at or order.pay_by, order.pay_by)
