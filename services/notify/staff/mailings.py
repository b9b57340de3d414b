"""How far the letters about released results are, for releasers: queued, sent, failed."""

from aiohttp import web

from services.notify import letter_lists, unaddressed
from shared.db import POOL, transaction
from shared.templates import render


async def list_mailings(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        found = await letter_lists.list_mailings(tx)
    return render(request, "staff/list_mailings.html", mailings=found)


async def show_mailing(request: web.Request) -> web.Response:
    """Show one, also when no letter of it has been asked for yet: it may be on its way."""
    mailing = request.match_info["mailing"]
    async with transaction(request.app[POOL]) as tx:
        found = await letter_lists.list_mailings(tx, mailing=mailing)
        strangers = await unaddressed.count_of_mailing(tx, mailing=mailing)
    return render(
        request,
        "staff/show_mailing.html",
        mailing=mailing,
        mailings=found,
        strangers=strangers,
        is_under_way=any(
            number
            for each in found
            for state, number in each.counts.items()
            if state in letter_lists.UNDER_WAY
        ),
    )


ROUTES = [
    web.get("/", list_mailings),
    web.get("/{mailing}", show_mailing),
]
