"""Published digests, for everyone: what was approved before anybody saw it; and whether a proof
holds."""

from uuid import UUID

from aiohttp import web

from services.scoring import digests
from services.scoring.digests import Digest
from services.scoring.rules import merkle
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.i18n import mark
from shared.templates import render

SHOWN = 50

NO_PROOF = mark("This is no proof. Paste the whole text of the file you were given")
PROVED = mark(
    "This result is one of those that were approved, and has not been changed since by one letter."
)
NOT_PROVED = mark(
    "No published digest fits this proof: the result or the proof is not as it was approved."
)


async def list_digests(request: web.Request) -> web.Response:
    return await _show(request)


async def check_proof(request: web.Request) -> web.Response:
    """Work out where a proof leads. Nothing is kept of it."""
    typed = str((await request.post()).get("proof", ""))
    proof = merkle.read_proof(typed)
    root = proof.find_root() if proof else None
    if proof is None or root is None:
        return await _show(request, typed=typed, problem=NO_PROOF)
    async with transaction(request.app[POOL]) as tx:
        found = await digests.find_by_root(tx, root=root)
    if found is None or found.count != proof.count:
        return await _show(request, typed=typed, problem=NOT_PROVED)
    return await _show(request, typed=typed, said=PROVED, found=found)


async def _show(
    request: web.Request,
    *,
    typed: str = "",
    problem: str | None = None,
    said: str | None = None,
    found: Digest | None = None,
) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        shown = await digests.list_(tx, limit=SHOWN + 1, after=_id(request.query.get("after", "")))
    return render(
        request,
        "public/list_digests.html",
        status=422 if problem else 200,
        digests=shown[:SHOWN],
        has_more=len(shown) > SHOWN,
        typed=typed,
        problem=problem,
        said=said,
        found=found,
    )


async def show_digest(request: web.Request) -> web.Response:
    digest_id = _id(request.match_info["digest_id"])
    if digest_id is None:
        raise NoSuchPage
    async with transaction(request.app[POOL]) as tx:
        digest = await digests.load(tx, digest_id=digest_id)
    return render(request, "public/show_digest.html", digest=digest)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


ROUTES = [
    web.get("/digests/", list_digests),
    web.post("/digests/checks", check_proof),
    web.get("/digests/{digest_id}", show_digest),
]
