"""Revocations: sessions that end before their time, here and, by event, everywhere."""

from datetime import datetime, timedelta
from uuid import UUID

from shared import auth, outbox
from shared.db import Tx
from shared.events.identity import SessionsRevoked

# Clocks of machines differ a little; a token must not outlive the memory of its revocation.
MARGIN = timedelta(minutes=5)


async def revoke(tx: Tx, *, subject: UUID, now: datetime) -> None:
    """Make every token of an account, or of one session, issued before now worthless."""
    revoked = SessionsRevoked(
        subject=subject, issued_before=now, forget_at=now + auth.LIFETIME + MARGIN
    )
    await auth.remember_revocations(tx, [revoked])
    await outbox.publish(tx, [revoked])
