"""Counters: how often something was tried within a while. Sole writer of `counters`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.db import Tx, affected
from shared.errors import Refused

FORGOTTEN_AT_ONCE = 1_000
KEPT_FOR = timedelta(days=2)


class TooOften(Refused):
    """This was tried too often within a short time. Please try again in an hour."""

    status = 429
    retry_after_seconds = 3_600


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is too much."""

    name: str
    most: int
    within: timedelta


# An office checks a whole intake in a day; who tries numbers at random needs thousands.
LOOKS_OF_ORGANISATION = Limit("looks of an organisation", 200, timedelta(hours=1))
# Ten thousand secret numbers at ten an hour, by all organisations together: six weeks without rest.
LOOKS_AT_NUMBER = Limit("looks at an ID number", 10, timedelta(hours=1))


async def take(tx: Tx, limit: Limit, *, key: str, now: datetime) -> bool:
    """Count one more; tell whether that is still within the limit.

    To be committed before what is counted is done: a refusal must not undo it.
    """
    number: int = await tx.fetchval(
        """
        INSERT INTO counters AS c (name, key, count, began_at) VALUES ($1, $2, 1, $3)
        ON CONFLICT (name, key) DO UPDATE
           SET count = CASE WHEN c.began_at <= $3 - $4::interval THEN 1 ELSE c.count + 1 END,
               began_at = CASE WHEN c.began_at <= $3 - $4::interval THEN $3 ELSE c.began_at END
        RETURNING count
        """,
        limit.name,
        key,
        now,
        limit.within,
    )
    return number <= limit.most


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute(
        """
        DELETE FROM counters WHERE (name, key) IN (
            SELECT name, key FROM counters WHERE began_at < $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
