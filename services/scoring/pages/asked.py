"""What a page was asked for: an id that is none names nothing."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from aiohttp import web

from services.scoring import statements
from services.scoring.statements import NoSuchResult, Own, Statement
from shared.auth import PRINCIPAL
from shared.db import Tx
from shared.errors import Refused
from shared.group_commit import GroupCommit

# On the morning of a release everybody looks at the same minute: those who arrive while the
# database answers others are answered together by one statement.
Crowd: TypeAlias = GroupCommit[Own, Statement]

CROWD = web.AppKey("crowd", Crowd)


async def settle(tx: Tx, asked: list[Own]) -> Sequence[Statement | Refused]:
    return await statements.load_all(tx, asked=asked)


async def find_own(request: web.Request) -> Statement:
    """Read the result that the address names, if the asking person holds it and it is out."""
    return await request.app[CROWD].ask(_own(request))


async def load_own(tx: Tx, request: web.Request) -> Statement:
    """The same within a transaction that goes on."""
    own = _own(request)
    return await statements.load(tx, result_id=own.result_id, account_id=own.account_id)


def _own(request: web.Request) -> Own:
    return Own(named(request, "result_id"), request[PRINCIPAL].id)


def named(request: web.Request, parameter: str) -> UUID:
    try:
        return UUID(request.match_info[parameter])
    except ValueError:
        raise NoSuchResult from None
