"""The first page for finance: is the service well, and what waits for somebody."""

from aiohttp import web

from services.payments import application_book, differences, money_lists, refund_lists
from shared import staff_page
from shared.db import POOL, transaction


async def first_page(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        undecided = await money_lists.count_undecided(tx)
        refunds = await refund_lists.count_states(tx)
        stuck = await refund_lists.count_stuck(tx)
        applications = await application_book.count_states(tx)
        found = await differences.count_open(tx)
    return await staff_page.show(
        request,
        "staff/overview.html",
        undecided=undecided,
        refunds=refunds,
        stuck=stuck,
        applications=applications,
        differences=sum(found.values()),
    )


ROUTES = [
    web.get("/", first_page),
]
