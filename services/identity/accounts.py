"""Accounts: who may sign in. Sole writer of the `accounts` table."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared import audit
from shared.auth import Role
from shared.db import Row, Tx
from shared.errors import Refused


class AddressTaken(Refused):
    """There is an account with this e-mail address already."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: UUID
    email: str
    name: str
    password_hash: str
    roles: frozenset[Role]


def _key(email: str) -> str:
    return email.strip().casefold()


async def find_by_email(tx: Tx, *, email: str) -> Account | None:
    row = await tx.fetchrow(
        "SELECT id, email, name, password_hash, roles FROM accounts WHERE email_key = $1",
        _key(email),
    )
    return _read(row) if row else None


async def load(tx: Tx, *, account_id: UUID) -> Account:
    row = await tx.fetchrow(
        "SELECT id, email, name, password_hash, roles FROM accounts WHERE id = $1", account_id
    )
    if row is None:
        raise LookupError(f"no account {account_id}")
    return _read(row)


def _read(row: Row) -> Account:
    return Account(**{**row, "roles": frozenset(Role(role) for role in row["roles"])})


async def create(
    tx: Tx, *, email: str, name: str, password_hash: str, roles: Sequence[Role], actor: str
) -> UUID:
    """Create an account; one with roles is staff."""
    account_id: UUID | None = await tx.fetchval(
        """
        INSERT INTO accounts (email, email_key, name, password_hash, roles)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (email_key) DO NOTHING
        RETURNING id
        """,
        email.strip(),
        _key(email),
        name,
        password_hash,
        sorted(roles),
    )
    if account_id is None:
        raise AddressTaken
    await audit.record(
        tx,
        [audit.Line(actor, "account_created", f"account {account_id}", {"roles": sorted(roles)})],
    )
    return account_id
