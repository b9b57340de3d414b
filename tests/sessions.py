"""Sessions for a crowd, without asking identity for each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import auth
from shared.db import Pool


async def trust(pool: Pool, *, lasts: timedelta = auth.LIFETIME) -> Callable[[UUID], str]:
    """Tell a service of a key; return what signs somebody in with it, for as long as it lasts."""
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    await pool.execute(
        "INSERT INTO session_keys (key_id, public_key, retires_at) VALUES ('bench', $1, $2)",
        key.public_key().public_bytes_raw(),
        now + timedelta(days=1),
    )

    def sign(person: UUID) -> str:
        now = datetime.now(UTC)
        claims = {
            "aud": auth.AUDIENCE,
            "name": "王大同",
            "roles": [],
            "iat": now.timestamp(),
            "exp": (now + lasts).timestamp(),
            "sub": str(person),
            "sid": str(uuid4()),
        }
        return "session=" + jwt.encode(
            claims, key, algorithm=auth.ALGORITHM, headers={"kid": "bench"}
        )

    return sign


async def sign_in(
    pool: Pool, people: Sequence[UUID], *, lasts: timedelta = auth.LIFETIME
) -> list[str]:
    """Give everybody a session."""
    return [*map(await trust(pool, lasts=lasts), people)]
