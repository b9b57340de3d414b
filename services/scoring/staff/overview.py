"""How far the results of each sitting are: counts and dates, and no result."""

from aiohttp import web

from services.scoring import corrections, digests, releases, score_files, sitting_lists
from services.scoring.sitting_lists import STATES
from services.scoring.staff import asked
from shared import audit, staff_page
from shared.auth import Role
from shared.db import POOL, transaction
from shared.templates import render

ACTS_SHOWN = 50
FILES_SHOWN = 20
CORRECTIONS_SHOWN = 100


async def first_page(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        listed = await sitting_lists.list_(tx)
    return await staff_page.show(request, "staff/overview.html", listed=listed, states=STATES)


async def show_sitting(request: web.Request) -> web.Response:
    code = request.match_info["sitting"]
    async with transaction(request.app[POOL]) as tx:
        listed = await sitting_lists.load(tx, code=code)
        release = await releases.find(tx, sitting=code)
        digest = await digests.load(tx, digest_id=release.digest_id) if release else None
        files = await score_files.list_(tx, sitting=code, limit=FILES_SHOWN)
        acts = await audit.list_about(tx, subjects=[f"sitting {code}"], limit=ACTS_SHOWN)
        waiting = await corrections.list_(tx, sitting=code, limit=CORRECTIONS_SHOWN)
    return render(
        request,
        "staff/show_sitting.html",
        listed=listed,
        sitting=listed.sitting,
        release=release,
        digest=digest,
        files=files,
        acts=acts,
        corrections=waiting,
        states=STATES,
        is_examiner=asked.is_a(request, Role.EXAMINER),
        is_releaser=asked.is_a(request, Role.RELEASER),
    )


ROUTES = [
    web.get("/", first_page),
    web.get("/sittings/{sitting}", show_sitting),
]
