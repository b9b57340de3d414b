"""Contacts: the addresses that forms begin with. Sole writer of the `contacts` table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Contact:
    """The e-mail address of an account, as of an instant."""

    account_id: UUID
    email: str
    changed_at: datetime


async def change(tx: Tx, *, contacts: Sequence[Contact]) -> None:
    """Remember the newest word about each; a closed account is not opened again."""
    newest = {c.account_id: c for c in sorted(contacts, key=lambda c: c.changed_at)}
    await tx.execute(
        """
        INSERT INTO contacts (account_id, email, changed_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
        ON CONFLICT (account_id) DO UPDATE
           SET email = EXCLUDED.email, changed_at = EXCLUDED.changed_at
         WHERE contacts.closed_at IS NULL AND contacts.changed_at < EXCLUDED.changed_at
        """,
        list(newest),
        [contact.email for contact in newest.values()],
        [contact.changed_at for contact in newest.values()],
    )


async def forget(tx: Tx, *, closed: Mapping[UUID, datetime]) -> None:
    """Forget their addresses, but not that they left: news may come in any order."""
    await tx.execute(
        """
        INSERT INTO contacts (account_id, closed_at)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
        ON CONFLICT (account_id) DO UPDATE
           SET email = NULL, changed_at = NULL, closed_at = EXCLUDED.closed_at
        """,
        list(closed),
        list(closed.values()),
    )


async def find_email(tx: Tx, *, account_id: UUID) -> str | None:
    email: str | None = await tx.fetchval(
        "SELECT email FROM contacts WHERE account_id = $1", account_id
    )
    return email
