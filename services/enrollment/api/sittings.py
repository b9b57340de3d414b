"""For programs: which sittings there are."""

from collections import defaultdict

from aiohttp import web

from services.enrollment import places, programmes, sittings
from services.enrollment.api import calls, shapes
from services.enrollment.places import Place
from shared import api
from shared.api import Operation
from shared.db import POOL, transaction
from shared.observe import ARRIVED_AT


async def list_sittings(request: web.Request) -> web.Response:
    """The sittings that can be entered now or later, and how many places each has left."""
    now = request[ARRIVED_AT]
    async with transaction(request.app[POOL]) as tx:
        known = {programme.code: programme for programme in await programmes.list_(tx)}
        listed = [
            one
            for one in await sittings.list_(tx)
            if one.window(now) != "closed" and known[one.programme].entry == "candidate"
        ]
        offered: defaultdict[str, list[Place]] = defaultdict(list)
        for place in await places.list_(tx, sittings=[sitting.code for sitting in listed]):
            offered[place.sitting].append(place)
    return api.answer(
        shapes.OpenSittings(
            sittings=[
                shapes.OpenSitting.of(one, known[one.programme], offered[one.code], now)
                for one in listed
            ]
        )
    )


OPERATIONS: api.Operations = {
    list_sittings: Operation(response=shapes.OpenSittings, refusals=calls.READS),
}

ROUTES = [
    web.get("/sittings", list_sittings),
]
