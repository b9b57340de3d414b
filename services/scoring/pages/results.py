"""One's results: the page of each, its statement as a PDF, and the proof of what it was."""

from aiohttp import hdrs, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.scoring import digests
from services.scoring.pages import asked
from services.scoring.pages.paper import STATEMENTS, describe
from services.scoring.results import prove
from services.scoring.rules import merkle, seals
from services.scoring.statement_keys import Signer
from shared.db import POOL, transaction
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render, translate

SIGNER = web.AppKey("signer", Signer)


async def go_to_list(request: web.Request) -> web.Response:
    """All of one's results stand on the first page. Letters that were sent lead here."""
    raise web.HTTPSeeOther("/scoring/")


async def show_result(request: web.Request) -> web.Response:
    statement = await asked.find_own(request)
    return render(request, "candidate/show_result.html", statement=statement)


async def download_statement(request: web.Request) -> web.Response:
    """The Statement of Results, of the version that the address names."""
    statement = await asked.find_own(request)
    sealed = seals.seal(statement.claims, await _load_signing_key(request))
    number = statement.candidate.id_number
    content = await request.app[STATEMENTS].render(
        "statement",
        describe(request, statement, sealed),
        title=translate(request, mark("Statement of Results {number}")).format(number=number),
        language=language_of(request),
    )
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={hdrs.CONTENT_DISPOSITION: f'inline; filename="statement-{number}.pdf"'},
    )


async def _load_signing_key(request: web.Request) -> Ed25519PrivateKey:
    signer, now = request.app[SIGNER], request[ARRIVED_AT]
    if key := signer.find(now=now):
        return key
    async with transaction(request.app[POOL]) as tx:
        return await signer.load(tx, now=now)


async def download_proof(request: web.Request) -> web.Response:
    """What proves, together with the published digest, that this is what was approved."""
    async with transaction(request.app[POOL]) as tx:
        statement = await asked.load_own(tx, request)
        digest = await digests.load(tx, digest_id=statement.result.digest_id)
    proof = merkle.write_proof(prove(statement.result, count=digest.count))
    name = f"proof-{statement.candidate.id_number}.json"
    return web.Response(
        text=proof,
        content_type="application/json",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'},
    )


ROUTES = [
    web.get("/", go_to_list),
    web.get("/{result_id}", show_result),
    web.get("/{result_id}/statement.pdf", download_statement),
    web.get("/{result_id}/proof.json", download_proof),
]
