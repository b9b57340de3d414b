"""Contacts: how to reach the people who have an account. Sole writer of the `contacts` table."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody can be reached, as of an instant."""

    account_id: UUID
    email: str
    person: str
    language: str
    changed_at: datetime


async def change(tx: Tx, *, contacts: Iterable[Contact]) -> None:
    """Remember the newest word about each; a closed account is not opened again."""
    newest = {c.account_id: c for c in sorted(contacts, key=lambda c: c.changed_at)}
    await tx.execute(
        """
        INSERT INTO contacts (account_id, email, person, language, changed_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
         ORDER BY 1
        ON CONFLICT (account_id) DO UPDATE
           SET email = EXCLUDED.email, person = EXCLUDED.person, language = EXCLUDED.language,
               changed_at = EXCLUDED.changed_at
         WHERE contacts.closed_at IS NULL
           AND (contacts.changed_at IS NULL OR contacts.changed_at < EXCLUDED.changed_at)
        """,
        list(newest),
        [contact.email for contact in newest.values()],
        [contact.person for contact in newest.values()],
        [contact.language for contact in newest.values()],
        [contact.changed_at for contact in newest.values()],
    )


async def forget(tx: Tx, *, closed: dict[UUID, datetime]) -> None:
    """Forget who they were, but not that they left: news may come in any order."""
    await tx.execute(
        """
        INSERT INTO contacts (account_id, closed_at)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) ORDER BY 1
        ON CONFLICT (account_id) DO UPDATE
           SET email = NULL, person = NULL, language = NULL, changed_at = NULL,
               closed_at = EXCLUDED.closed_at
        """,
        list(closed),
        list(closed.values()),
    )


async def expect(tx: Tx, *, account_ids: Collection[UUID]) -> set[UUID]:
    """Find those of these people of whom there is no word yet. What is told of them meanwhile waits
    until this transaction has ended, and so comes after what it keeps for them."""
    await tx.execute(
        """
        INSERT INTO contacts (account_id)
        SELECT account_id FROM unnest($1::uuid[]) AS account_id ORDER BY account_id
        ON CONFLICT DO NOTHING
        """,
        account_ids,
    )
    rows = await tx.fetch(
        """
        SELECT account_id FROM contacts
         WHERE account_id = ANY($1::uuid[]) AND email IS NULL AND closed_at IS NULL
         ORDER BY account_id
           FOR SHARE
        """,
        account_ids,
    )
    return {row["account_id"] for row in rows}


async def find(tx: Tx, *, account_ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Find those of these people who can be reached."""
    rows = await tx.fetch(
        """
        SELECT account_id, email, person, language, changed_at FROM contacts
         WHERE account_id = ANY($1::uuid[]) AND email IS NOT NULL
        """,
        account_ids,
    )
    return {row["account_id"]: Contact(**row) for row in rows}
