"""Inquiries: addresses somebody typed, and is owed an answer about by letter.

The page writes the same row and says the same words whether it knows the address or not; who it is
turns out here, in the worker, where nobody can time it. Sole writer of the `inquiries` table.
"""

from dataclasses import dataclass
from datetime import datetime

from services.identity import accounts, links
from services.identity.links import Link, Purpose
from services.identity.rules import email_key
from shared import outbox
from shared.db import Tx
from shared.events import Event
from shared.events.identity import (
    AddressConfirmationRequested,
    KnownAddressSignedUp,
    PasswordResetRequested,
)

ANSWERED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was typed."""

    purpose: str  # sign_up or reset_password
    email: str
    person: str
    language: str
    password_hash: str | None = None


async def ask(tx: Tx, inquiry: Inquiry, *, now: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO inquiries (purpose, email, person, language, password_hash, asked_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        inquiry.purpose,
        inquiry.email,
        inquiry.person,
        inquiry.language,
        inquiry.password_hash,
        now,
    )


async def answer(tx: Tx, *, site: str, now: datetime) -> int:
    """Answer the oldest inquiries with the letter each deserves; return how many."""
    rows = await tx.fetch(
        """
        DELETE FROM inquiries WHERE id IN (
            SELECT id FROM inquiries ORDER BY asked_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, purpose, email, person, language, password_hash, asked_at
        """,
        ANSWERED_AT_ONCE,
    )
    letters: list[Event] = []
    for row in sorted(rows, key=lambda row: row["asked_at"]):
        account = await accounts.find_by_email(tx, email=row["email"])
        # To the address we know, however it was typed: "ß" compares as "ss", but may be another's.
        email = account.email if account else row["email"]
        owed = {"request_id": row["id"], "email": email}
        if row["purpose"] == "reset_password":
            if account is None:
                continue  # nobody to write to; whoever asked was told the same
            link = Link(
                Purpose.PASSWORD,
                account.subject,
                {"account_id": str(account.id)},
                now + links.LASTS,
            )
            token = await links.issue(tx, link, now=now)
            letters.append(
                PasswordResetRequested(
                    **owed,
                    person=account.person,
                    language=account.language,
                    link=address(site, link, token),
                    expires_at=link.expires_at,
                )
            )
        elif account is not None:
            letters.append(
                KnownAddressSignedUp(**owed, person=account.person, language=account.language)
            )
        else:
            details = {key: row[key] for key in ("email", "person", "language", "password_hash")}
            link = Link(Purpose.CONFIRMATION, email_key(row["email"]), details, now + links.LASTS)
            token = await links.issue(tx, link, now=now)
            letters.append(
                AddressConfirmationRequested(
                    **owed,
                    person=row["person"],
                    language=row["language"],
                    link=address(site, link, token),
                    expires_at=link.expires_at,
                )
            )
    await outbox.publish(tx, letters)
    return len(rows)


def address(site: str, link: Link, token: str) -> str:
    """Where a link leads. The token stands in the path: queries end up in more logs."""
    return f"{site.rstrip('/')}/identity/letters/{link.purpose}/{token}"
