"""Counters: how often something was done by somebody within a while. Writes `counters`, which a
service has whose migrations make it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.db import Tx, affected

FORGOTTEN_AT_ONCE = 1_000
# No limit reaches further back.
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is too much."""

    name: str
    most: int
    within: timedelta


async def count(tx: Tx, limit: Limit, *, key: str, now: datetime) -> int:
    """Count one more, and return how many there were within the while."""
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
    return number


async def admit(tx: Tx, limit: Limit, *, key: str, now: datetime) -> bool:
    """Count one more, and tell whether it is still within the limit."""
    return await count(tx, limit, key=key, now=now) <= limit.most


async def take_back(tx: Tx, limit: Limit, *, key: str) -> None:
    """Count one less again: what was counted turned out to be right."""
    await tx.execute(
        "UPDATE counters SET count = GREATEST(count - 1, 0) WHERE name = $1 AND key = $2",
        limit.name,
        key,
    )


async def is_over(tx: Tx, limit: Limit, *, key: str, now: datetime) -> bool:
    """Tell, without counting, whether the most was reached."""
    reached = await tx.fetchval(
        """
        SELECT count >= $3 FROM counters
         WHERE name = $1 AND key = $2 AND began_at > $4
        """,
        limit.name,
        key,
        limit.most,
        now - limit.within,
    )
    return bool(reached)


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
