"""Inquiries: addresses and ID numbers somebody typed, and is owed an answer about by letter.

The page writes the same row and says the same words whether it knows the name or not; who it is
turns out here, in the worker, where nobody can time it. Sole writer of the `inquiries` table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.identity import accounts, links, results_accounts
from services.identity.accounts import Account
from services.identity.links import Link, Purpose
from services.identity.results_accounts import ResultsAccount
from services.identity.rules import email_key
from shared import outbox
from shared.db import Row, Tx
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

    purpose: str  # sign_up, reset_password or reset_results_password
    email: str
    person: str
    language: str
    password_hash: str | None = None
    id_number: str | None = None


async def ask(tx: Tx, inquiry: Inquiry, *, now: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO inquiries (purpose, email, person, language, password_hash, id_number, asked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        inquiry.purpose,
        inquiry.email,
        inquiry.person,
        inquiry.language,
        inquiry.password_hash,
        inquiry.id_number,
        now,
    )


async def answer(tx: Tx, *, site: str, now: datetime) -> int:
    """Answer the oldest inquiries with the letter each deserves; return how many."""
    rows = await tx.fetch(
        """
        DELETE FROM inquiries WHERE id IN (
            SELECT id FROM inquiries ORDER BY asked_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, purpose, email, person, language, password_hash, id_number, asked_at
        """,
        ANSWERED_AT_ONCE,
    )
    letters: list[Event] = []
    for row in sorted(rows, key=lambda row: row["asked_at"]):
        match row["purpose"]:
            case "sign_up":
                letters.append(await _answer_sign_up(tx, row, site=site, now=now))
            case "reset_password":
                account = await accounts.find_by_email(tx, email=row["email"])
                letters += await _answer_forgotten(
                    tx, row, account, purpose=Purpose.PASSWORD, site=site, now=now
                )
            case "reset_results_password":
                found = await results_accounts.find_by_id_number(tx, id_number=row["id_number"])
                letters += await _answer_forgotten(
                    tx, row, found, purpose=Purpose.RESULTS_PASSWORD, site=site, now=now
                )
    await outbox.publish(tx, letters)
    return len(rows)


async def _answer_forgotten(
    tx: Tx,
    row: Row,
    account: Account | ResultsAccount | None,
    *,
    purpose: Purpose,
    site: str,
    now: datetime,
) -> Sequence[Event]:
    if account is None:
        return []  # nobody to write to; whoever asked was told the same
    details = {"account_id": str(account.id)}
    link = Link(purpose, account.subject, details, now + links.LASTS)
    token = await links.issue(tx, link, now=now)
    return [
        PasswordResetRequested(
            request_id=row["id"],
            # To the address we know, however it was typed: "ß" compares as "ss", but may be
            # another's.
            email=account.email,
            person=account.person,
            language=account.language,
            link=address(site, link, token),
            expires_at=link.expires_at,
        )
    ]


async def _answer_sign_up(tx: Tx, row: Row, *, site: str, now: datetime) -> Event:
    account = await accounts.find_by_email(tx, email=row["email"])
    if account is not None:
        return KnownAddressSignedUp(
            request_id=row["id"],
            email=account.email,
            person=account.person,
            language=account.language,
        )
    details = {key: row[key] for key in ("email", "person", "language", "password_hash")}
    link = Link(Purpose.CONFIRMATION, email_key(row["email"]), details, now + links.LASTS)
    token = await links.issue(tx, link, now=now)
    return AddressConfirmationRequested(
        request_id=row["id"],
        email=row["email"],
        person=row["person"],
        language=row["language"],
        link=address(site, link, token),
        expires_at=link.expires_at,
    )


def address(site: str, link: Link, token: str) -> str:
    """Where a link leads. The token stands in the path: queries end up in more logs."""
    return f"{site.rstrip('/')}/identity/letters/{link.purpose}/{token}"
