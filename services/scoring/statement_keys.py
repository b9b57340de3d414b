"""Keys that sign statements of results, and what the world knows of them. Sole writer of
`statement_keys`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.scoring.rules import seals
from shared.db import Row, Tx
from shared.vault import Vault

PURPOSE = "statement signing key"
SIGNS_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What the world may know of a key, and for ever: statements do not run out."""

    key_id: bytes
    public_key: bytes
    signs_from: datetime
    signs_until: datetime


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs, and when."""

    private: Ed25519PrivateKey
    signs_from: datetime
    signs_until: datetime


class Signer:
    """The key that signs now. It is the same for a year, and read and decrypted only once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._last: SigningKey | None = None

    def find(self, *, now: datetime) -> Ed25519PrivateKey | None:
        """Find the key, if it was loaded before."""
        if self._last is None or not self._last.signs_from <= now < self._last.signs_until:
            return None
        return self._last.private

    async def load(self, tx: Tx, *, now: datetime) -> Ed25519PrivateKey:
        self._last = await load_current(tx, vault=self._vault, now=now)
        return self._last.private


async def load_current(tx: Tx, *, vault: Vault, now: datetime) -> SigningKey:
    """The key that signs now. The first statement of each year finds that another is needed."""
    return await _find_current(tx, vault, now) or await _make(tx, vault, now)


async def _find_current(tx: Tx, vault: Vault, now: datetime) -> SigningKey | None:
    row: Row | None = await tx.fetchrow(
        """
        SELECT private_key, signs_from, signs_until FROM statement_keys
         WHERE signs_from <= $1 AND signs_until > $1
         ORDER BY signs_from DESC LIMIT 1
        """,
        now,
    )
    if row is None:
        return None
    private = vault.decrypt(row["private_key"], purpose=PURPOSE)
    return SigningKey(
        Ed25519PrivateKey.from_private_bytes(private), row["signs_from"], row["signs_until"]
    )


async def _make(tx: Tx, vault: Vault, now: datetime) -> SigningKey:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('statement key', 0))")
    if found := await _find_current(tx, vault, now):  # somebody else was first
        return found
    made = Ed25519PrivateKey.generate()
    public_key = made.public_key().public_bytes_raw()
    await tx.execute(
        """
        INSERT INTO statement_keys (key_id, private_key, public_key, signs_from, signs_until)
        VALUES ($1, $2, $3, $4, $5)
        """,
        seals.key_id_of(public_key),
        vault.encrypt(made.private_bytes_raw(), purpose=PURPOSE),
        public_key,
        now,
        now + SIGNS_FOR,
    )
    return SigningKey(made, now, now + SIGNS_FOR)


async def list_public(tx: Tx) -> list[PublicKey]:
    rows = await tx.fetch(
        """
        SELECT key_id, public_key, signs_from, signs_until FROM statement_keys ORDER BY signs_from
        """
    )
    return [PublicKey(**row) for row in rows]


async def find_public(tx: Tx) -> Mapping[bytes, bytes]:
    """The published keys by their ids."""
    return {key.key_id: key.public_key for key in await list_public(tx)}
