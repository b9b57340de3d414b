"""Secret numbers: four digits, looked at rarely enough that nobody guesses one.

Every look is counted before it is made, for the ID number, for the network it comes from, and for
the whole site. Sole writer of the `secret_tries` table.
"""

from datetime import datetime, timedelta

from services.identity import known_entries
from services.identity.known_entries import Entry
from services.identity.limits import TooOften
from shared import audit, counters
from shared.counters import Limit
from shared.db import Tx, affected
from shared.entry_numbers import is_secret_number
from shared.errors import Refused
from shared.vault import Vault

ALLOWED = 3  # more than three wrong tries lock, like wrong passwords
FIRST_LOCK = timedelta(minutes=30)
# Each further wrong try locks twice as long: in three months somebody who never gives up gets 16
# looks of 10,000.
MOST_DOUBLINGS = 12
KEPT_FOR = timedelta(days=365)
FORGOTTEN_AT_ONCE = 1_000

# A classroom registers together, and some mistype; only what is wrong stays counted.
WRONG_FROM_NETWORK = Limit("wrong secret numbers from a network", 30, timedelta(minutes=10))
# Beyond this, over all networks, it is no crowd of people any more. Then networks may be wrong less
# often; one that was quiet is never refused, so that nobody is kept out by what others do.
WRONG_EVERYWHERE = Limit("wrong secret numbers", 300, timedelta(minutes=10))
EVERYWHERE = "everywhere"
LEFT_TO_EACH_NETWORK = 3

# Looked at where there is no such entry: as much work, and never right.
NOBODYS_DIGEST = "0" * 64


class TriedTooOften(Refused):
    """There were too many wrong tries with this ID Number. Wait 30 minutes; every further wrong try
    makes the wait twice as long. Your exam centre can give you a new Secret Number.
    """

    status = 429


async def prove(
    tx: Tx, vault: Vault, *, id_number: str, secret_number: str, network: str, now: datetime
) -> Entry | None:
    """Return the entry whose secret number this is, or None; both take as long for no entry."""
    entry = await known_entries.find_by_id_number(tx, id_number=id_number)
    expected = entry.secret_digest if entry else NOBODYS_DIGEST
    everywhere = await _count(tx, id_number=id_number, expected=expected, network=network, now=now)
    is_right = is_secret_number(
        vault, id_number=id_number, secret_number=secret_number, expected_digest=expected
    )
    if entry is None or entry.is_cancelled or not is_right:
        if everywhere == WRONG_EVERYWHERE.most + 1:
            noticed = audit.Line("results service", "guessing_noticed", EVERYWHERE, {})
            await audit.record(tx, [noticed])
        return None
    await tx.execute("DELETE FROM secret_tries WHERE id_number = $1", id_number)
    await counters.take_back(tx, WRONG_FROM_NETWORK, key=network)
    await counters.take_back(tx, WRONG_EVERYWHERE, key=EVERYWHERE)
    return entry


async def vouch(tx: Tx) -> None:
    """Take a mistake of somebody else back: of people, far more are right than wrong.

    For whoever registers, and not for every right number: one that is shown again and again would
    hide an attack.
    """
    await counters.take_back(tx, WRONG_EVERYWHERE, key=EVERYWHERE)


async def _count(tx: Tx, *, id_number: str, expected: str, network: str, now: datetime) -> int:
    """Count a look, and return how many there were everywhere; or refuse it.

    What is refused is rolled back, and counts nowhere.
    """
    may_look = await tx.fetchval(
        """
        INSERT INTO secret_tries AS t (id_number, secret_digest, count, last_at)
        VALUES ($1, $2, 1, $3)
        ON CONFLICT (id_number, secret_digest) DO UPDATE
           SET count = t.count + 1,
               locked_until = CASE WHEN t.count >= $4
                              THEN $3 + $5::interval * 2 ^ LEAST(t.count - $4, $6) END,
               last_at = $3
         WHERE t.locked_until IS NULL OR t.locked_until <= $3
        RETURNING true
        """,
        id_number,
        expected,
        now,
        ALLOWED,
        FIRST_LOCK,
        MOST_DOUBLINGS,
    )
    if not may_look:
        raise TriedTooOften
    from_network = await counters.count(tx, WRONG_FROM_NETWORK, key=network, now=now)
    everywhere = await counters.count(tx, WRONG_EVERYWHERE, key=EVERYWHERE, now=now)
    is_attack = everywhere > WRONG_EVERYWHERE.most
    if from_network > (LEFT_TO_EACH_NETWORK if is_attack else WRONG_FROM_NETWORK.most):
        raise TooOften
    return everywhere


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute(
        """
        DELETE FROM secret_tries WHERE (id_number, secret_digest) IN (
            SELECT id_number, secret_digest FROM secret_tries WHERE last_at < $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
