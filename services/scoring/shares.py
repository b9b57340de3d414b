"""Links with which candidates show a result to others. Sole writer of `shares`."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared import audit
from shared.audit import Line
from shared.db import Row, Tx
from shared.errors import Refused

TOKEN_BYTES = 24
# Enough for every school somebody applies to at once.
MOST_SHARES = 20
LONGEST_LABEL = 60
LIFETIMES_DAYS = (7, 30, 90)


class NoSuchShare(Refused):
    """This link shows nothing. It may have run out or been taken back: ask whoever gave it to
    you."""

    status = 404


class TooManyShares(Refused):
    """You have twenty links to this result already. Take one back that is not needed any more."""


class ShareMadeBefore(Refused):
    """This link was made already, and is shown only once. If you did not keep it, take it back."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link, as its maker sees it: where it leads cannot be found out again."""

    id: UUID
    entry_id: UUID
    account_id: UUID
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


_COLUMNS = "id, entry_id, account_id, label, created_at, expires_at, revoked_at"


def _read(row: Row) -> Share:
    return Share(**row)


async def create(
    tx: Tx,
    *,
    share_id: UUID,
    entry_id: UUID,
    account_id: UUID,
    label: str,
    expires_at: datetime,
    now: datetime,
) -> str:
    """Make a link and return its token: this is the only time that it can be read."""
    # Two tabs must not both make the last one.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"shares {entry_id}")
    shares = await list_of(tx, entry_id=entry_id, account_id=account_id)
    if any(share.id == share_id for share in shares):
        raise ShareMadeBefore
    if sum(share.is_open(now) for share in shares) >= MOST_SHARES:
        raise TooManyShares
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = await tx.fetchval(
        """
        INSERT INTO shares (id, entry_id, account_id, digest, label, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        share_id,
        entry_id,
        account_id,
        _digest(token),
        label,
        now,
        expires_at,
    )
    if made is None:
        raise ShareMadeBefore
    await audit.record(tx, [Line(str(account_id), "share_created", f"entry {entry_id}", {})])
    return token


async def list_of(tx: Tx, *, entry_id: UUID, account_id: UUID) -> list[Share]:
    """The links that an account made to a result, the newest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM shares
         WHERE entry_id = $1 AND account_id = $2 ORDER BY created_at DESC, id
        """,  # noqa: S608 (a constant)
        entry_id,
        account_id,
    )
    return [_read(row) for row in rows]


async def revoke(tx: Tx, *, share_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take a link back; a second click finds it taken back."""
    row = await tx.fetchrow(
        """
        UPDATE shares SET revoked_at = COALESCE(revoked_at, $3)
         WHERE id = $1 AND account_id = $2
        RETURNING entry_id, revoked_at
        """,
        share_id,
        account_id,
        now,
    )
    if row is None:
        raise NoSuchShare
    if row["revoked_at"] == now:
        line = Line(str(account_id), "share_revoked", f"entry {row['entry_id']}", {})
        await audit.record(tx, [line])


async def load_open(tx: Tx, *, token: str, now: datetime) -> Share:
    """Load the link with this token, while it holds, and while its maker still holds the result:
    whose account is closed, holds none."""
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM shares
         WHERE digest = $1 AND revoked_at IS NULL AND expires_at > $2
           AND EXISTS (SELECT FROM holders WHERE holders.entry_id = shares.entry_id
                                             AND holders.account_id = shares.account_id)
           AND NOT EXISTS (SELECT FROM closed_accounts
                            WHERE closed_accounts.account_id = shares.account_id)
        """,  # noqa: S608 (a constant)
        _digest(token),
        now,
    )
    if row is None:
        raise NoSuchShare
    return _read(row)


def _digest(token: str) -> bytes:
    # No salt and no work factor: nobody guesses 24 random bytes.
    return hashlib.sha256(token.encode()).digest()
