"""Signing keys: made ahead, announced, used for a while, retired. Sole writer of `signing_keys`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import auth, outbox
from shared.db import Tx
from shared.events.identity import SigningKeyPublished
from shared.vault import Vault

PURPOSE = "session signing key"
SIGNS_FOR = timedelta(days=30)
# Time for every service to hear of a key before a session is signed by it.
ANNOUNCED_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs sessions now."""

    key_id: str
    private_key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What the world may know of a key."""

    key_id: str
    public_key: bytes


async def rotate(tx: Tx, *, vault: Vault, now: datetime, sessions_last: timedelta) -> int:
    """See to it that a key signs now and the next one is announced; return how many were made."""
    covered_until = await tx.fetchval(
        "SELECT max(signs_until) FROM signing_keys WHERE signs_until > $1", now
    )
    if covered_until is not None and covered_until > now + ANNOUNCED_AHEAD:
        return 0
    # The very first signs at once; before it, nobody could sign in anyway.
    signs_from = covered_until or now
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key().public_bytes_raw()
    published = SigningKeyPublished(
        key_id=uuid4().hex,
        public_key=public_key.hex(),
        retires_at=signs_from + SIGNS_FOR + sessions_last,
    )
    await tx.execute(
        """
        INSERT INTO signing_keys
               (key_id, private_key, public_key, signs_from, signs_until, retires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        published.key_id,
        vault.encrypt(private_key.private_bytes_raw(), purpose=PURPOSE),
        public_key,
        signs_from,
        signs_from + SIGNS_FOR,
        published.retires_at,
    )
    await auth.remember_keys(tx, [published])
    await outbox.publish(tx, [published])
    return 1


async def find_current(tx: Tx, *, vault: Vault, now: datetime) -> SigningKey | None:
    row = await tx.fetchrow(
        """
        SELECT key_id, private_key FROM signing_keys
         WHERE signs_from <= $1 AND signs_until > $1
         ORDER BY signs_from
         LIMIT 1
        """,
        now,
    )
    if row is None:
        return None
    private = vault.decrypt(row["private_key"], purpose=PURPOSE)
    return SigningKey(row["key_id"], Ed25519PrivateKey.from_private_bytes(private))


async def list_public(tx: Tx, *, now: datetime) -> list[PublicKey]:
    rows = await tx.fetch(
        "SELECT key_id, public_key FROM signing_keys WHERE retires_at > $1 ORDER BY signs_from", now
    )
    return [PublicKey(**row) for row in rows]
