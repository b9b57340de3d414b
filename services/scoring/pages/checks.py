"""Checking a statement, for everyone who holds one: the page its code leads to, and the keys."""

from aiohttp import web

from services.scoring import statement_keys, statements
from services.scoring.rules import tables
from services.scoring.statements import Standing
from shared.db import POOL, transaction
from shared.templates import render


async def check_statement(request: web.Request) -> web.Response:
    """Say whether a statement holds, and what it says, so that paper can be held against it."""
    async with transaction(request.app[POOL]) as tx:
        finding = await statements.check(tx, sealed=request.match_info["seal"])
    table = None
    if finding.statement is not None:
        found = finding.statement
        table = tables.lay_out(found.result.outcome, programme=found.sitting.programme)
    return render(
        request,
        "public/check_statement.html",
        status=404 if finding.standing == Standing.UNKNOWN else 200,
        finding=finding,
        table=table,
    )


async def list_keys(request: web.Request) -> web.Response:
    """The keys with which statements are checked offline. They are kept for ever."""
    async with transaction(request.app[POOL]) as tx:
        keys = await statement_keys.list_public(tx)
    return web.json_response(
        {
            "algorithm": "Ed25519",
            "keys": [
                {
                    "key_id": key.key_id.hex(),
                    "public_key": key.public_key.hex(),
                    "signs_from": key.signs_from.isoformat(),
                    "signs_until": key.signs_until.isoformat(),
                }
                for key in keys
            ],
        },
        headers={"Cache-Control": "public, max-age=300"},
    )


ROUTES = [
    web.get("/statements/{seal}", check_statement),
    web.get("/statement-keys.json", list_keys),
]
