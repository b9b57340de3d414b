"""The first page: what there is to know about results, and one's own as far as they are out."""

from aiohttp import web

from services.scoring import statements
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT
from shared.templates import render


async def first_page(request: web.Request) -> web.Response:
    principal = request.get(PRINCIPAL)
    if principal is None or principal.is_staff:
        return render(request, "public/first_page.html")
    async with transaction(request.app[POOL]) as tx:
        own = await statements.list_(tx, account_id=principal.id)
        awaited = await statements.list_awaited(tx, account_id=principal.id)
    return render(
        request,
        "candidate/list_results.html",
        statements=own,
        awaited=awaited,
        now=request[ARRIVED_AT],
    )


ROUTES = [
    web.get("/", first_page),
]
