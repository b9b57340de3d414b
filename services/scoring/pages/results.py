"""One's results: the page of each, its statement as a PDF, and the proof of what it was."""

from aiohttp import hdrs, web

from services.scoring import digests, statements
from services.scoring.pages import asked
from services.scoring.pages.paper import STATEMENTS, describe
from services.scoring.results import prove
from services.scoring.rules import merkle
from shared.db import POOL, transaction
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.templates import render, translate
from shared.vault import VAULT


async def show_result(request: web.Request) -> web.Response:
    statement = await asked.find_own(request)
    return render(request, "candidate/show_result.html", statement=statement)


async def download_statement(request: web.Request) -> web.Response:
    """The Statement of Results, of the version that the address names."""
    statement = await asked.find_own(request)
    async with transaction(request.config_dict[POOL]) as tx:
        sealed = await statements.seal(
            tx, statement=statement, vault=request.config_dict[VAULT], now=request[ARRIVED_AT]
        )
    number = statement.candidate.id_number
    content = await request.config_dict[STATEMENTS].render(
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


async def download_proof(request: web.Request) -> web.Response:
    """What proves, together with the published digest, that this is what was approved."""
    async with transaction(request.config_dict[POOL]) as tx:
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
    web.get("/{result_id}", show_result),
    web.get("/{result_id}/statement.pdf", download_statement),
    web.get("/{result_id}/proof.json", download_proof),
]
