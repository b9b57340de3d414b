"""Tokens that programs show instead of a session. Sole writer of the `api_tokens` table."""

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import Refused

# So that a token that turns up where it should not is recognised.
PREFIX = "examhall_"
SECRET_BYTES = 32
# Enough for a program on each of somebody's machines.
MOST_TOKENS = 10
LONGEST_LABEL = 60
LIFETIMES_DAYS = (30, 90, 365)
# A program may make so many calls at once before it is held to its rate. Calls are not looked at in
# the very order of their arrival: where the rate is high, a second evens that out.
BURST = 30
SHORTEST_BURST = timedelta(seconds=1)


class NoToken(Refused):
    """Send a valid token: Authorization: Bearer …; one is made on the page /enrollment/tokens/."""

    status: ClassVar[int] = 401


class TooManyCalls(Refused):
    """This token made too many calls within a short time. Please wait as long as it says."""

    status: ClassVar[int] = 429
    retry_after_seconds = 1

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, math.ceil(seconds))


class TooManyTokens(Refused):
    """You have ten tokens already. Revoke one that you do not need any more."""


class TokenShownBefore(Refused):
    """This token was made already, and is shown only once. If you did not keep it, revoke it."""


class NoSuchToken(Refused):
    """There is no such token in your account."""

    status: ClassVar[int] = 404


@dataclass(frozen=True, slots=True)
class Token:
    """What its owner sees of a token."""

    id: UUID
    label: str
    created_at: datetime
    expires_at: datetime
    last_used_on: date | None


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a program calls."""

    token_id: UUID
    account_id: UUID


async def create(
    tx: Tx, *, token_id: UUID, account_id: UUID, label: str, expires_at: datetime, now: datetime
) -> str:
    """Make a token and return it: this is the only time that it can be read."""
    # Two tabs must not both make the last one.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"token {account_id}")
    live = await list_live(tx, account_id=account_id, now=now)
    if any(token.id == token_id for token in live):
        raise TokenShownBefore
    if len(live) >= MOST_TOKENS:
        raise TooManyTokens
    token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = await tx.fetchval(
        """
        INSERT INTO api_tokens (id, digest, account_id, label, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        token_id,
        _digest(token),
        account_id,
        label,
        now,
        expires_at,
    )
    if made is None:
        raise TokenShownBefore
    await audit.record(tx, [Line(str(account_id), "token_created", f"token {token_id}", {})])
    return token


async def list_live(tx: Tx, *, account_id: UUID, now: datetime) -> Sequence[Token]:
    rows = await tx.fetch(
        """
        SELECT id, label, created_at, expires_at, last_used_on FROM api_tokens
         WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2
         ORDER BY created_at DESC, id
        """,
        account_id,
        now,
    )
    return [Token(**row) for row in rows]


async def revoke(tx: Tx, *, token_id: UUID, account_id: UUID, now: datetime) -> None:
    """End a token; a second click finds it ended."""
    revoked_at = await tx.fetchval(
        """
        UPDATE api_tokens SET revoked_at = COALESCE(revoked_at, $3)
         WHERE id = $1 AND account_id = $2
        RETURNING revoked_at
        """,
        token_id,
        account_id,
        now,
    )
    if revoked_at is None:
        raise NoSuchToken
    if revoked_at == now:
        await audit.record(tx, [Line(str(account_id), "token_revoked", f"token {token_id}", {})])


async def revoke_all(tx: Tx, *, accounts: Sequence[UUID]) -> None:
    """End the tokens of accounts that were closed."""
    await tx.execute(
        """
        UPDATE api_tokens SET revoked_at = now()
         WHERE account_id = ANY($1::uuid[]) AND revoked_at IS NULL
        """,
        accounts,
    )


async def use(tx: Tx, *, token: str, calls_per_minute: int, now: datetime) -> Caller:
    """Tell on whose behalf a token speaks, and count the call.

    Calls are spread evenly: each moves `spent_until` on by its share of a minute, and is refused
    while that is further ahead of the clock than a burst may bring it.
    """
    share = timedelta(minutes=1) / calls_per_minute
    ahead = max(share * (BURST - 1), SHORTEST_BURST)
    row = await tx.fetchrow(
        """
        UPDATE api_tokens
           SET spent_until = GREATEST(spent_until, $2) + $3::interval, last_used_on = $4
         WHERE digest = $1 AND revoked_at IS NULL AND expires_at > $2
           AND spent_until <= $2 + $5::interval
        RETURNING id, account_id
        """,
        _digest(token),
        now,
        share,
        now.date(),
        ahead,
    )
    if row is not None:
        return Caller(row["id"], row["account_id"])
    spent_until = await tx.fetchval(
        """
        SELECT spent_until FROM api_tokens
         WHERE digest = $1 AND revoked_at IS NULL AND expires_at > $2
        """,
        _digest(token),
        now,
    )
    if spent_until is None:
        raise NoToken
    raise TooManyCalls((spent_until - ahead - now).total_seconds())


def _digest(token: str) -> bytes:
    # No salt and no work factor: nobody guesses 32 random bytes.
    return hashlib.sha256(token.encode()).digest()
