"""Who put anything into a sitting's scores: they do not approve them. Writes `contributors`."""

from uuid import UUID

from shared.db import Tx
from shared.errors import Refused


class ContributedHere(Refused):
    """You put scores, absences or breaches of this sitting in, so somebody else approves and
    releases its results."""

    status = 403


async def add(tx: Tx, *, sitting: str, account_id: UUID) -> None:
    await tx.execute(
        """
        INSERT INTO contributors (sitting, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
        """,
        sitting,
        account_id,
    )


async def is_one(tx: Tx, *, sitting: str, account_id: UUID) -> bool:
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM contributors WHERE sitting = $1 AND account_id = $2)",
        sitting,
        account_id,
    )
    return found


async def refuse(tx: Tx, *, sitting: str, account_id: UUID) -> None:
    """Refuse whoever put anything in; the database refuses them once more."""
    if await is_one(tx, sitting=sitting, account_id=account_id):
        raise ContributedHere
