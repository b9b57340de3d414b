"""Facts published by identity."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events import Event


class SigningKeyPublished(Event):
    """A key that will sign sessions. It is announced before it is used."""

    name: ClassVar[str] = "identity.signing_key_published.v1"

    key_id: str
    public_key: str  # Ed25519, 32 bytes in hex
    retires_at: datetime  # no session signed by it is valid after this


class SessionsRevoked(Event):
    """Sessions of this subject that began before an instant are over."""

    name: ClassVar[str] = "identity.sessions_revoked.v1"

    subject: UUID  # an account, or one session
    issued_before: datetime
    forget_at: datetime  # every session meant has run out by itself by then
