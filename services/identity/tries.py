"""Tries: wrong passwords in a row, per account and device. Writes `tries` and `devices`.

Anybody can type a name they know: an address, or the ID number of an entry. So the devices that
have signed in before are counted each by itself, and all others together: a stranger's tries lock
strangers out, never the owner at home.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from services.identity.rules import email_key
from shared import audit
from shared.db import Tx, affected

ALLOWED = 3  # more than three wrong tries in a row lock
LOCKED_FOR = timedelta(minutes=30)
KEPT_FOR = timedelta(days=1)
UNKNOWN = "unknown"
FORGOTTEN_AT_ONCE = 1_000


async def find_device(tx: Tx, *, account_id: UUID | None, cookie: str) -> str:
    """Name the device for counting: by itself if the account was signed in to on it before."""
    digest = _digest(cookie)
    known = cookie and await tx.fetchval(
        "SELECT true FROM devices WHERE account_id = $1 AND digest = $2", account_id, digest
    )
    return digest if known else UNKNOWN


async def begin(tx: Tx, *, name: str, device: str, now: datetime) -> bool:
    """Count a try before it is made, so that thousands at once are counted too.

    False when the device is locked out; the password is then not even looked at.
    """
    row = await tx.fetchrow(
        """
        INSERT INTO tries AS t (email_key, device, count, last_at) VALUES ($1, $2, 1, $3)
        ON CONFLICT (email_key, device) DO UPDATE
           SET count = CASE WHEN t.locked_until <= $3 THEN 1 ELSE t.count + 1 END,
               locked_until = CASE WHEN t.locked_until <= $3 THEN NULL
                                   WHEN t.locked_until IS NULL AND t.count >= $4 THEN $3 + $5
                                   ELSE t.locked_until END,
               last_at = $3
        RETURNING count, locked_until
        """,
        email_key(name),
        device,
        now,
        ALLOWED,
        LOCKED_FOR,
    )
    assert row is not None
    if row["count"] == ALLOWED + 1:
        await audit.record(
            tx, [audit.Line("sign-in", "locked_out", f"name {_digest(email_key(name))}", {})]
        )
    return row["locked_until"] is None or row["count"] == ALLOWED + 1


async def forget(tx: Tx, *, name: str, device: str) -> None:
    """The last try was right: begin to count anew."""
    await tx.execute(
        "DELETE FROM tries WHERE email_key = $1 AND device = $2", email_key(name), device
    )


async def succeed(
    tx: Tx, *, name: str, device: str, account_id: UUID, cookie: str, now: datetime
) -> None:
    """Forget the wrong tries of this device, and know it from now on."""
    await forget(tx, name=name, device=device)
    await tx.execute(
        """
        INSERT INTO devices (account_id, digest, last_at) VALUES ($1, $2, $3)
        ON CONFLICT (account_id, digest) DO UPDATE SET last_at = $3
        """,
        account_id,
        _digest(cookie),
        now,
    )


async def forget_devices(tx: Tx, *, account_id: UUID) -> None:
    await tx.execute("DELETE FROM devices WHERE account_id = $1", account_id)


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute(
        """
        DELETE FROM tries WHERE (email_key, device) IN (
            SELECT email_key, device FROM tries WHERE last_at < $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
