"""The mailbox of one machine: letters that never leave it. Sole writer of the `mailbox` table."""

from dataclasses import dataclass
from datetime import datetime

from services.notify import rules
from services.notify.channels import Mail
from shared.db import Tx
from shared.errors import NoSuchPage


@dataclass(frozen=True, slots=True)
class Received:
    """A letter in the mailbox."""

    number: int
    recipient: str
    subject: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Opened(Received):
    """A letter with what it says."""

    text: str
    html: str


async def put(tx: Tx, *, mail: Mail) -> None:
    """Put a letter in. Put in twice it is there once, as a good mail server would have it."""
    await tx.execute(
        """
        INSERT INTO mailbox (message_id, recipient, recipient_key, subject, text, html)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (message_id) DO NOTHING
        """,
        mail.message_id,
        mail.recipient,
        rules.key_of(mail.recipient),
        mail.subject,
        mail.text,
        mail.html,
    )


async def list_newest(
    tx: Tx, *, address: str, limit: int, before: int | None = None
) -> list[Received]:
    rows = await tx.fetch(
        """
        SELECT number, recipient, subject, arrived_at FROM mailbox
         WHERE ($1 = '' OR strpos(recipient_key, $1) > 0) AND ($2::bigint IS NULL OR number < $2)
         ORDER BY number DESC
         LIMIT $3
        """,
        rules.key_of(address),
        before,
        limit,
    )
    return [Received(**row) for row in rows]


async def load(tx: Tx, *, number: int) -> Opened:
    row = await tx.fetchrow(
        """
        SELECT number, recipient, subject, arrived_at, text, html FROM mailbox WHERE number = $1
        """,
        number,
    )
    if row is None:
        raise NoSuchPage
    return Opened(**row)
