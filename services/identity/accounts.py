"""Accounts: who may sign in, and as what. Writes `accounts` and `linked_identities`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from asyncpg import UniqueViolationError

from services.identity import links, revocations
from services.identity.rules import email_key
from shared import audit, outbox
from shared.auth import Role
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.identity import (
    AccountClosed,
    AddressChanged,
    ContactChanged,
    PasswordChanged,
)


class AddressTaken(Refused):
    """There is an account with this e-mail address already."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: UUID
    email: str
    person: str
    language: str
    password_hash: str | None
    roles: frozenset[Role]

    @property
    def is_staff(self) -> bool:
        return bool(self.roles)

    @property
    def sign_in_name(self) -> str:
        """What is typed to sign in."""
        return self.email

    @property
    def subject(self) -> str:
        """How the audit log names it."""
        return f"account {self.id}"


_COLUMNS = "id, email, person, language, password_hash, roles"


def _read(row: Row) -> Account:
    return Account(**{**row, "roles": frozenset(Role(role) for role in row["roles"])})


async def find_by_email(tx: Tx, *, email: str) -> Account | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM accounts WHERE email_key = $1",  # noqa: S608 (a constant)
        email_key(email),
    )
    return _read(row) if row else None


async def find(tx: Tx, *, account_id: UUID) -> Account | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM accounts WHERE id = $1 AND closed_at IS NULL",  # noqa: S608
        account_id,
    )
    return _read(row) if row else None


async def find_linked(tx: Tx, *, issuer: str, subject: str) -> Account | None:
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM accounts JOIN linked_identities ON account_id = id
         WHERE issuer = $1 AND subject = $2 AND closed_at IS NULL
        """,  # noqa: S608 (a constant)
        issuer,
        subject,
    )
    return _read(row) if row else None


async def list_staff(tx: Tx) -> list[Account]:
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM accounts WHERE roles <> '{{}}' ORDER BY email_key"  # noqa: S608
    )
    return [_read(row) for row in rows]


async def open_(
    tx: Tx,
    *,
    email: str,
    person: str,
    language: str,
    password_hash: str | None,
    roles: Sequence[Role],
    actor: str,
    now: datetime,
) -> UUID:
    """Open an account; one with roles is staff."""
    account_id: UUID | None = await tx.fetchval(
        """
        INSERT INTO accounts (email, email_key, person, language, password_hash, roles, opened_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (email_key) DO NOTHING
        RETURNING id
        """,
        email.strip(),
        email_key(email),
        person,
        language,
        password_hash,
        sorted(roles),
        now,
    )
    if account_id is None:
        raise AddressTaken
    await _record(tx, actor, "account_opened", account_id, roles=sorted(roles))
    opened = Account(account_id, email.strip(), person, language, password_hash, frozenset(roles))
    await outbox.publish(tx, [_contact(opened, now=now)])
    return account_id


async def link(tx: Tx, *, account: Account, issuer: str, subject: str, now: datetime) -> None:
    """Let an identity at an issuer sign in to this account from now on."""
    linked = await tx.fetchval(
        """
        INSERT INTO linked_identities (issuer, subject, account_id, linked_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true
        """,
        issuer,
        subject,
        account.id,
        now,
    )
    if linked:
        await _record(tx, str(account.id), "identity_linked", account.id, issuer=issuer)


async def unlink_all(tx: Tx, *, account: Account, actor: str) -> None:
    """Let nobody sign in by an issuer any more, until they link again."""
    rows = await tx.fetch(
        "DELETE FROM linked_identities WHERE account_id = $1 RETURNING issuer", account.id
    )
    for row in rows:
        await _record(tx, actor, "identity_unlinked", account.id, issuer=row["issuer"])


async def set_password(
    tx: Tx, *, account: Account, password_hash: str, actor: str, now: datetime
) -> None:
    """Change the password and tell the owner. Whoever calls this ends the sessions."""
    await tx.execute(
        "UPDATE accounts SET password_hash = $2 WHERE id = $1", account.id, password_hash
    )
    await links.void(tx, subject=account.subject, now=now)
    await _record(tx, actor, "password_changed", account.id)
    await outbox.publish(
        tx,
        [
            PasswordChanged(
                request_id=uuid4(),
                email=account.email,
                person=account.person,
                language=account.language,
                changed_at=now,
            )
        ],
    )


async def set_address(tx: Tx, *, account: Account, email: str, now: datetime) -> None:
    """Move an account to another address, and tell the old one."""
    try:
        await tx.execute(
            "UPDATE accounts SET email = $2, email_key = $3 WHERE id = $1",
            account.id,
            email,
            email_key(email),
        )
    except UniqueViolationError:
        raise AddressTaken from None
    await links.void(tx, subject=account.subject, now=now)
    await _record(tx, str(account.id), "address_changed", account.id)
    await outbox.publish(
        tx,
        [
            AddressChanged(
                request_id=uuid4(),
                email=account.email,
                person=account.person,
                language=account.language,
                changed_at=now,
            ),
            _contact(replace(account, email=email), now=now),
        ],
    )


async def set_language(tx: Tx, *, account: Account, language: str, now: datetime) -> None:
    await tx.execute("UPDATE accounts SET language = $2 WHERE id = $1", account.id, language)
    await _record(tx, str(account.id), "language_changed", account.id, language=language)
    await outbox.publish(tx, [_contact(replace(account, language=language), now=now)])


async def set_roles(
    tx: Tx, *, account: Account, roles: Sequence[Role], actor: str, now: datetime
) -> None:
    """Grant and withdraw roles; every service asks for a fresh session at once."""
    # One change at a time: two administrators must not take each other's role at the same moment.
    await tx.execute("SELECT FROM accounts WHERE roles <> '{}' ORDER BY id FOR UPDATE")
    await tx.execute("UPDATE accounts SET roles = $2 WHERE id = $1", account.id, sorted(roles))
    await _record(
        tx, actor, "roles_changed", account.id, before=sorted(account.roles), after=sorted(roles)
    )
    await revocations.revoke(tx, subject=account.id, now=now)


async def close(tx: Tx, *, account: Account, now: datetime) -> None:
    """Forget a person. What exams must keep by law stays with the exams, not here.

    Whoever calls this ends the sessions.
    """
    await tx.execute("DELETE FROM linked_identities WHERE account_id = $1", account.id)
    await tx.execute(
        """
        UPDATE accounts
           SET email = '', email_key = NULL, person = '', password_hash = NULL, roles = '{}',
               closed_at = $2
         WHERE id = $1
        """,
        account.id,
        now,
    )
    await _record(tx, str(account.id), "account_closed", account.id)
    await outbox.publish(
        tx,
        [
            AccountClosed(
                account_id=account.id,
                email=account.email,
                person=account.person,
                language=account.language,
                closed_at=now,
            )
        ],
    )


def _contact(account: Account, *, now: datetime) -> ContactChanged:
    return ContactChanged(
        account_id=account.id,
        email=account.email,
        person=account.person,
        language=account.language,
        changed_at=now,
    )


async def _record(tx: Tx, actor: str, act: str, account_id: UUID, **details: object) -> None:
    await audit.record(tx, [audit.Line(actor, act, f"account {account_id}", details)])
