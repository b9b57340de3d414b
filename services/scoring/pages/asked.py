"""What a page was asked for: an id that is none names nothing."""

from uuid import UUID

from aiohttp import web

from services.scoring import statements
from services.scoring.results import NoSuchResult
from services.scoring.statements import Statement
from shared.auth import PRINCIPAL
from shared.db import Tx


async def load_own(tx: Tx, request: web.Request) -> Statement:
    """Load the result that the address names, if the asking person holds it and it is out."""
    return await statements.load(
        tx, result_id=named(request, "result_id"), account_id=request[PRINCIPAL].id
    )


def named(request: web.Request, parameter: str) -> UUID:
    try:
        return UUID(request.match_info[parameter])
    except ValueError:
        raise NoSuchResult from None
