"""Links in letters: each works once, for a while, and a newer one replaces it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.db import Tx, affected
from shared.errors import Refused

TOKEN_BYTES = 32
LASTS = timedelta(hours=24)
INVITATION_LASTS = timedelta(days=7)  # staff may be on leave
# Kept for a while after, so that a late click is told what happened.
KEPT_FOR = timedelta(days=30)
FORGOTTEN_AT_ONCE = 1_000


class LinkUsed(Refused):
    """This link was used already. If that was you, simply go on; otherwise ask for a new letter."""

    status = 410


class LinkExpired(Refused):
    """This link has run out. Please ask for a new letter."""

    status = 410


class LinkReplaced(Refused):
    """There is a newer letter with a newer link; only the newest works."""

    status = 410


class LinkUnknown(Refused):
    """This link is not complete. Please copy all of it from the letter."""

    status = 404


class Purpose(StrEnum):
    """What a link is for; also the last part of its page's address."""

    CONFIRMATION = "confirmation"
    PASSWORD = "password"  # noqa: S105 (a purpose)
    ADDRESS = "address"
    INVITATION = "invitation"
    RESULTS_PASSWORD = "results-password"  # noqa: S105 (a purpose)
    RESULTS_ADDRESS = "results-address"


OF_ACCOUNTS = [
    Purpose.PASSWORD,
    Purpose.ADDRESS,
    Purpose.RESULTS_PASSWORD,
    Purpose.RESULTS_ADDRESS,
]


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for. Details are what was asked for when it was made."""

    purpose: Purpose
    subject: str
    details: dict[str, Any]
    expires_at: datetime


def _digest(token: str) -> bytes:
    # The token is random and long: a plain digest cannot be guessed backwards.
    return hashlib.sha256(token.encode()).digest()


async def issue(tx: Tx, link: Link, *, now: datetime) -> str:
    """Make a link, replacing those of the same purpose and subject; return its token."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await tx.execute(
        """
        UPDATE links SET replaced_at = $3
         WHERE purpose = $1 AND subject = $2 AND used_at IS NULL AND replaced_at IS NULL
        """,
        link.purpose,
        link.subject,
        now,
    )
    await tx.execute(
        """
        INSERT INTO links (token_digest, purpose, subject, details, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        """,
        _digest(token),
        link.purpose,
        link.subject,
        link.details,
        link.expires_at,
    )
    return token


async def load(tx: Tx, *, purpose: Purpose, token: str, now: datetime) -> Link:
    """Read what a link stands for, or refuse; reading does not use it up.

    Its row stays locked until the transaction ends, so that two clicks are one after the other; and
    so do those of the account's other links, which may be voided then: in one order, lest two of
    them that are used at once wait for each other.
    """
    rows = await tx.fetch(
        """
        SELECT token_digest, purpose, subject, details, expires_at, used_at, replaced_at
          FROM links
         WHERE (token_digest = $1 AND purpose = $2)
            OR (purpose = ANY($3) AND used_at IS NULL AND replaced_at IS NULL
                AND subject = (SELECT subject FROM links WHERE token_digest = $1 AND purpose = $2))
         ORDER BY token_digest FOR UPDATE
        """,
        digest := _digest(token),
        purpose,
        OF_ACCOUNTS,
    )
    row = next((row for row in rows if row["token_digest"] == digest), None)
    if row is None:
        raise LinkUnknown
    if row["used_at"] is not None:
        raise LinkUsed
    if row["replaced_at"] is not None:
        raise LinkReplaced
    if row["expires_at"] <= now:
        raise LinkExpired
    return Link(Purpose(row["purpose"]), row["subject"], row["details"], row["expires_at"])


async def use(tx: Tx, *, purpose: Purpose, token: str, now: datetime) -> Link:
    """Use a link up, or refuse."""
    link = await load(tx, purpose=purpose, token=token, now=now)
    await tx.execute(
        "UPDATE links SET used_at = $2, details = '{}' WHERE token_digest = $1",
        _digest(token),
        now,
    )
    return link


async def void(tx: Tx, *, subject: str, now: datetime) -> None:
    """Let the open links of an account run out, whatever they are for.

    Whoever sets a password or an address may do it because somebody else knows the old password, or
    reads the old mailbox, and what they asked for with it must not happen afterwards.
    """
    await tx.execute(
        """
        UPDATE links SET expires_at = LEAST(expires_at, $3)
         WHERE purpose = ANY($1) AND subject = $2 AND used_at IS NULL AND replaced_at IS NULL
        """,
        OF_ACCOUNTS,
        subject,
        now,
    )


async def forget_old(tx: Tx, *, now: datetime) -> int:
    forgotten: str = await tx.execute(
        """
        DELETE FROM links WHERE token_digest IN (
            SELECT token_digest FROM links WHERE expires_at < $1 LIMIT $2)
        """,
        now - KEPT_FOR,
        FORGOTTEN_AT_ONCE,
    )
    return affected(forgotten)
