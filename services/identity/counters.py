"""Counters: how often something was done by somebody within a while. Writes `counters`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from shared.db import Tx, affected
from shared.errors import Refused

FORGOTTEN_AT_ONCE = 1_000
KEPT_FOR = timedelta(days=1)


class TooOften(Refused):
    """This was tried very often from here within a short time. Please try again in ten minutes."""

    status = 429
    retry_after_seconds = 600


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is too much."""

    name: str
    most: int
    within: timedelta


# A school's or an office's whole network signs up in one lesson; a machine does it all night.
SIGN_UPS_BEFORE_PUZZLE = Limit("sign-ups before a puzzle", 5, timedelta(minutes=10))
SIGN_UPS = Limit("sign-ups", 200, timedelta(minutes=10))
# Letters one address can be made to receive by whoever types it.
LETTERS = Limit("letters", 5, timedelta(hours=1))
# Wrong passwords from one network over all accounts: beyond this it is guessing names, too.
WRONG_PASSWORDS = Limit("wrong passwords", 200, timedelta(minutes=10))


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


def network(address: str) -> str:
    """The network somebody comes from: one subscriber has a whole /64, or shares a /24."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    bits = 56 if isinstance(parsed, IPv6Address) else 24
    return str(ip_network(f"{parsed}/{bits}", strict=False))


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
