"""Sessions: who is signed in, where. Sole writer of the `sessions` table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import jwt

from services.identity import accounts, results_accounts, revocations
from services.identity.keys import SigningKey
from shared import audit, auth
from shared.auth import Role
from shared.db import Tx, affected

STAFF_SESSION_LASTS = timedelta(hours=12)  # a long working day
CANDIDATE_SESSION_LASTS = timedelta(days=14)
KEPT_FOR = timedelta(days=30)
FORGOTTEN_AT_ONCE = 1_000


class Holder(Protocol):
    """Whom a session is for: an account, or one of the results service. Nobody else asks which."""

    @property
    def id(self) -> UUID: ...
    @property
    def person(self) -> str: ...
    @property
    def password_hash(self) -> str | None: ...
    @property
    def roles(self) -> frozenset[Role]: ...
    @property
    def sign_in_name(self) -> str: ...
    @property
    def subject(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in on one device."""

    id: UUID
    account_id: UUID
    ends_at: datetime
    is_staff: bool  # begun with the second factor


async def find_holder(tx: Tx, *, session: Session) -> Holder | None:
    """Find whom a session is for; one that was begun without the second factor is for no staff."""
    account = await accounts.find(tx, account_id=session.account_id)
    if account is not None and account.is_staff and not session.is_staff:
        return None
    return account or await results_accounts.find(tx, account_id=session.account_id)


async def begin(tx: Tx, *, account: Holder, now: datetime) -> Session:
    """Begin a session; whoever calls this for staff has seen the second factor."""
    is_staff = bool(account.roles)
    row = await tx.fetchrow(
        """
        INSERT INTO sessions (account_id, began_at, ends_at, is_staff) VALUES ($1, $2, $3, $4)
        RETURNING id, account_id, ends_at, is_staff
        """,
        account.id,
        now,
        now + (STAFF_SESSION_LASTS if is_staff else CANDIDATE_SESSION_LASTS),
        is_staff,
    )
    assert row is not None
    session = Session(**row)
    await audit.record(
        tx, [audit.Line(str(account.id), "signed_in", account.subject, {"session": session.id})]
    )
    return session


async def find_live(tx: Tx, *, session_id: UUID, now: datetime) -> Session | None:
    row = await tx.fetchrow(
        """
        SELECT id, account_id, ends_at, is_staff FROM sessions
         WHERE id = $1 AND ended_at IS NULL AND ends_at > $2
        """,
        session_id,
        now,
    )
    return Session(**row) if row else None


async def end(tx: Tx, *, session_id: UUID, now: datetime) -> None:
    """End one session here and, by event, everywhere. Ending it again changes nothing."""
    account_id = await tx.fetchval(
        "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING account_id",
        session_id,
        now,
    )
    if account_id is None:
        return
    await revocations.revoke(tx, subject=session_id, now=now)
    subject = f"account {account_id}"
    await audit.record(
        tx, [audit.Line(str(account_id), "signed_out", subject, {"session": session_id})]
    )


async def end_all(
    tx: Tx, *, account_id: UUID, actor: str, now: datetime, but: UUID | None = None
) -> None:
    """End every session of an account, but perhaps the one it was asked from."""
    await tx.execute(
        """
        UPDATE sessions SET ended_at = $2
         WHERE account_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3
        """,
        account_id,
        now,
        but,
    )
    # Tokens of all of them are worthless; the session that is kept gets a new one.
    await revocations.revoke(tx, subject=account_id, now=now)
    await audit.record(
        tx, [audit.Line(actor, "signed_out_everywhere", f"account {account_id}", {})]
    )


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute(
        """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE ends_at < $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)


def sign(session: Session, account: Holder, key: SigningKey, *, now: datetime) -> str:
    """Write the token that every service can read."""
    return jwt.encode(
        {
            "sub": str(account.id),
            "sid": str(session.id),
            "aud": auth.AUDIENCE,
            "name": account.person,
            "roles": sorted(account.roles),
            "iat": now.timestamp(),
            "exp": min(now + auth.LIFETIME, session.ends_at).timestamp(),
        },
        key.private_key,
        algorithm=auth.ALGORITHM,
        headers={"kid": key.key_id},
    )
