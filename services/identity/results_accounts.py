"""Accounts of the results service: one for each ID number. Sole writer of `results_accounts`.

Nobody has proved the e-mail address of one, and several may share it: it is never signed in with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from services.identity import known_entries, links
from services.identity.known_entries import Entry
from shared import audit, outbox
from shared.auth import Role
from shared.db import Row, Tx
from shared.errors import Refused
from shared.events.identity import (
    AccountClosed,
    AddressChanged,
    ContactChanged,
    PasswordChanged,
    ResultsAccountOpened,
)

# To be raised with the text in templates/macros/results_terms.html.
TERMS_VERSION = 1


class NoSuchEntry(Refused):
    """This ID Number and Secret Number do not belong together. Check both on your Confirmation of
    Entry, or ask your exam centre.
    """

    status = 422


class RegisteredAlready(Refused):
    """This ID Number is registered already. Log in with the password that was chosen then; if it is
    forgotten, you can choose a new one.
    """


@dataclass(frozen=True, slots=True)
class ResultsAccount:
    """A candidate who registered for the results service."""

    id: UUID
    entry_id: UUID
    id_number: str
    secret_digest: str
    person: str
    email: str
    language: str
    password_hash: str | None
    wants_updates: bool

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset()

    @property
    def sign_in_name(self) -> str:
        """What is typed to log in; told apart from an address that somebody may type elsewhere."""
        return sign_in_name(self.id_number)

    @property
    def subject(self) -> str:
        """How the audit log names it."""
        return f"account {self.id}"


@dataclass(frozen=True, slots=True)
class Registration:
    """What was chosen when registering, beside the entry it is for."""

    email: str
    language: str
    password_hash: str
    wants_updates: bool


_COLUMNS = (
    "id, entry_id, id_number, secret_digest, person, email, language, password_hash, wants_updates"
)
# Entries are told by another service's clock: what is known to be newer is told as newer.
_CONTACT = "contact_changed_at = GREATEST($2, contact_changed_at + interval '1 microsecond')"


def sign_in_name(id_number: str) -> str:
    return f"ID number {id_number}"


def _read(row: Row | None) -> ResultsAccount | None:
    return ResultsAccount(**row) if row else None


async def find_by_id_number(tx: Tx, *, id_number: str) -> ResultsAccount | None:
    return _read(
        await tx.fetchrow(
            f"""
            SELECT {_COLUMNS} FROM results_accounts WHERE id_number = $1 AND closed_at IS NULL
            """,  # noqa: S608 (a constant)
            id_number,
        )
    )


async def find(tx: Tx, *, account_id: UUID) -> ResultsAccount | None:
    return _read(
        await tx.fetchrow(
            f"SELECT {_COLUMNS} FROM results_accounts WHERE id = $1 AND closed_at IS NULL",  # noqa: S608
            account_id,
        )
    )


async def open_(
    tx: Tx, *, entry: Entry, registration: Registration, now: datetime
) -> ResultsAccount | None:
    """Open the account of an entry whose secret number was proved, if it still is as it was.

    A secret number opens one account. A newer one, which only the centre gives, opens another in
    place of it: for whoever was not the first, or mistyped the address. Returned is the account
    that was closed for it, if any; whoever calls this ends its sessions.
    """
    current = await known_entries.hold(tx, entry_id=entry.entry_id)
    if (
        current is None
        or current.is_cancelled
        or (current.id_number, current.secret_digest) != (entry.id_number, entry.secret_digest)
    ):
        raise NoSuchEntry
    replaced = await find_by_id_number(tx, id_number=entry.id_number)
    if replaced is not None:
        if replaced.secret_digest == entry.secret_digest:
            raise RegisteredAlready
        await close(tx, account=replaced, actor="new secret number", now=now)
    row = await tx.fetchrow(
        f"""
        INSERT INTO results_accounts
               (entry_id, id_number, secret_digest, person, email, language, password_hash,
                wants_updates, terms_version, registered_at, contact_changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        ON CONFLICT (id_number) WHERE closed_at IS NULL DO NOTHING
        RETURNING {_COLUMNS}
        """,  # noqa: S608 (a constant)
        current.entry_id,
        current.id_number,
        current.secret_digest,
        current.person_name,
        registration.email,
        registration.language,
        registration.password_hash,
        registration.wants_updates,
        TERMS_VERSION,
        now,
    )
    account = _read(row)
    if account is None:
        raise RegisteredAlready
    await _record(tx, account, "account_opened")
    opened = ResultsAccountOpened(
        account_id=account.id,
        entry_id=account.entry_id,
        id_number=account.id_number,
        registered_at=now,
    )
    await outbox.publish(tx, [opened, _contact(account, changed_at=now)])
    return replaced


async def set_password(
    tx: Tx, *, account: ResultsAccount, password_hash: str, now: datetime
) -> None:
    """Change the password and tell the owner. Whoever calls this ends the sessions."""
    await tx.execute(
        "UPDATE results_accounts SET password_hash = $2 WHERE id = $1", account.id, password_hash
    )
    await links.void(tx, subject=account.subject, now=now)
    await _record(tx, account, "password_changed")
    changed = PasswordChanged(
        request_id=uuid4(),
        email=account.email,
        person=account.person,
        language=account.language,
        changed_at=now,
        of_results_account=True,
    )
    await outbox.publish(tx, [changed])


async def set_address(tx: Tx, *, account: ResultsAccount, email: str, now: datetime) -> None:
    """Write to another address from now on, and tell the old one."""
    row = await tx.fetchrow(
        f"""
        UPDATE results_accounts SET email = $3, {_CONTACT} WHERE id = $1
        RETURNING {_COLUMNS}, contact_changed_at
        """,  # noqa: S608 (a constant)
        account.id,
        now,
        email,
    )
    await links.void(tx, subject=account.subject, now=now)
    await _record(tx, account, "address_changed")
    told = AddressChanged(
        request_id=uuid4(),
        email=account.email,
        person=account.person,
        language=account.language,
        changed_at=now,
    )
    await outbox.publish(tx, [told])
    await _tell_contacts(tx, [row])


async def choose_letters(
    tx: Tx, *, account: ResultsAccount, language: str, wants_updates: bool, now: datetime
) -> None:
    """Choose the language of letters, and whether updates may be among them."""
    row = await tx.fetchrow(
        f"""
        UPDATE results_accounts SET language = $3, wants_updates = $4, {_CONTACT} WHERE id = $1
        RETURNING {_COLUMNS}, contact_changed_at
        """,  # noqa: S608 (a constant)
        account.id,
        now,
        language,
        wants_updates,
    )
    await _record(tx, account, "letters_chosen", language=language, wants_updates=wants_updates)
    await _tell_contacts(tx, [row])


async def rename(tx: Tx, *, corrected: Sequence[Entry]) -> None:
    """Call people by the names their entries have by now."""
    rows = await tx.fetch(
        f"""
        UPDATE results_accounts
           SET person = name,
               contact_changed_at = GREATEST(at, contact_changed_at + interval '1 microsecond')
          FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS corrected (entry, name, at)
         WHERE entry_id = entry AND person <> name AND closed_at IS NULL
        RETURNING {_COLUMNS}, contact_changed_at
        """,  # noqa: S608 (a constant)
        [entry.entry_id for entry in corrected],
        [entry.person_name for entry in corrected],
        [entry.recorded_at for entry in corrected],
    )
    await _tell_contacts(tx, rows)


async def close(tx: Tx, *, account: ResultsAccount, actor: str, now: datetime) -> None:
    """Forget a person; the ID number may be registered anew. Whoever calls this ends the sessions.

    The result stays with the exam.
    """
    await tx.execute(
        """
        UPDATE results_accounts
           SET email = '', person = '', password_hash = NULL, wants_updates = false, closed_at = $2
         WHERE id = $1
        """,
        account.id,
        now,
    )
    await audit.record(tx, [audit.Line(actor, "account_closed", account.subject, {})])
    closed = AccountClosed(
        account_id=account.id,
        email=account.email,
        person=account.person,
        language=account.language,
        closed_at=now,
    )
    await outbox.publish(tx, [closed])


async def _tell_contacts(tx: Tx, rows: Sequence[Row | None]) -> None:
    found = [dict(row) for row in rows if row]
    changed = [(row.pop("contact_changed_at"), ResultsAccount(**row)) for row in found]
    await outbox.publish(tx, [_contact(account, changed_at=at) for at, account in changed])


def _contact(account: ResultsAccount, *, changed_at: datetime) -> ContactChanged:
    return ContactChanged(
        account_id=account.id,
        email=account.email,
        person=account.person,
        language=account.language,
        changed_at=changed_at,
    )


async def _record(tx: Tx, account: ResultsAccount, act: str, **details: object) -> None:
    await audit.record(tx, [audit.Line(str(account.id), act, account.subject, details)])
