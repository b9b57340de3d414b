"""Who is asking. Identity signs the session; every service reads it without asking identity."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import jwt
import structlog
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared import db
from shared.db import Tx
from shared.events.identity import SessionsRevoked, SigningKeyPublished
from shared.inbox import Handlers
from shared.settings import ServiceSettings

log = structlog.get_logger()

ALGORITHM = "EdDSA"
AUDIENCE = "examhall"
# A page opened with an older session fetches a fresh one on the way, so that names and roles are
# never older; a form typed slowly is still accepted until the session runs out.
RENEW_AFTER = timedelta(minutes=10)
LIFETIME = timedelta(hours=1)
# Sessions whose signature was checked before; checking one costs more than all the rest.
REMEMBERED_SESSIONS = 50_000
# A session that NOTIFY did not announce (its connection broke) is noticed this much later.
RELOAD_SECONDS = 5
CHANNEL = "sessions"


class Role(StrEnum):
    """What staff may do. Someone with no role is a candidate."""

    REGISTRAR = "registrar"
    FINANCE = "finance"
    EXAMINER = "examiner"
    RELEASER = "releaser"
    CENTRE = "centre"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody signed in."""

    id: UUID
    session_id: UUID
    name: str
    roles: frozenset[Role]
    issued_at: datetime
    expires_at: datetime

    @property
    def is_staff(self) -> bool:
        return bool(self.roles)


def cookie_name(settings: ServiceSettings) -> str:
    # Browsers refuse the prefix on plain HTTP; that is for one machine only.
    return "__Host-session" if settings.is_https else "session"


class Sessions:
    """What one process knows about sessions: the keys that sign them, and those that are over."""

    def __init__(self, *, database_url: str, service: str) -> None:
        self._database_url = database_url
        self._service = service
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._revoked: dict[UUID, datetime] = {}
        # By a digest: tokens themselves would be half of what a crowd's sessions take up.
        self._read: OrderedDict[bytes, Principal] = OrderedDict()
        self._stopping = asyncio.Event()

    def read(self, token: str, *, now: datetime) -> Principal | None:
        """Read a session, or return None when it is forged, over, or signed by an unknown key."""
        digest = _digest(token)
        principal = self._read.get(digest)
        if principal is None:
            principal = self._verify(token)
            if principal is None:
                return None
            self._read[digest] = principal
            if len(self._read) > REMEMBERED_SESSIONS:
                self._read.popitem(last=False)
        if now >= principal.expires_at:
            return None
        return None if self._revoked and self._is_revoked(principal) else principal

    def _is_revoked(self, principal: Principal) -> bool:
        revoked = (self._revoked.get(principal.session_id), self._revoked.get(principal.id))
        return any(before is not None and principal.issued_at < before for before in revoked)

    def read_expired(self, token: str) -> Principal | None:
        """Read whose session this was, even if it has run out: for identity, which can renew it."""
        return self._read.get(_digest(token)) or self._verify(token)

    def _verify(self, token: str) -> Principal | None:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={
                    "require": ["sub", "sid", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            return Principal(
                id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                name=claims["name"],
                roles=_roles(tuple(claims["roles"])),
                issued_at=datetime.fromtimestamp(claims["iat"], UTC),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            return None

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Follow what the service's worker learns, until stopped."""
        while not self._stopping.is_set():
            try:
                connection = await db.connect(
                    self._database_url, application=f"{self._service} sessions"
                )
            except Exception as error:
                log.warning("sessions not followed", service=self._service, error=repr(error))
                await self._wait(self._stopping, seconds=1)
                continue
            try:
                await self._follow(connection)
            except Exception as error:
                log.warning("sessions not followed", service=self._service, error=repr(error))
                await self._wait(self._stopping, seconds=1)
            finally:
                with contextlib.suppress(Exception):
                    await connection.close(timeout=1)

    async def _follow(self, connection: db.Connection) -> None:
        changed = asyncio.Event()

        def wake(*_: object) -> None:
            changed.set()

        await connection.add_listener(CHANNEL, wake)
        stopper = asyncio.create_task(self._stopping.wait())
        stopper.add_done_callback(wake)
        try:
            while not self._stopping.is_set():
                await self.reload(connection)
                await self._wait(changed, seconds=RELOAD_SECONDS)
                changed.clear()
        finally:
            stopper.cancel()

    async def reload(self, tx: Tx) -> None:
        keys = await tx.fetch(
            "SELECT key_id, public_key FROM session_keys WHERE retires_at > now()"
        )
        self._keys = {
            row["key_id"]: Ed25519PublicKey.from_public_bytes(row["public_key"]) for row in keys
        }
        revocations = await tx.fetch(
            "SELECT subject, issued_before FROM session_revocations WHERE forget_at > now()"
        )
        self._revoked = {row["subject"]: row["issued_before"] for row in revocations}

    @staticmethod
    async def _wait(event: asyncio.Event, *, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


@cache  # most people have none: they share it
def _roles(names: tuple[str, ...]) -> frozenset[Role]:
    return frozenset(map(Role, names))


async def remember_keys(tx: Tx, published: Sequence[SigningKeyPublished]) -> None:
    """Trust these keys from now on."""
    await tx.execute(
        """
        INSERT INTO session_keys (key_id, public_key, retires_at)
        SELECT key_id, decode(public_key, 'hex'), retires_at
          FROM unnest($1::text[], $2::text[], $3::timestamptz[])
               AS key (key_id, public_key, retires_at)
        ON CONFLICT (key_id) DO NOTHING
        """,
        [event.key_id for event in published],
        [event.public_key for event in published],
        [event.retires_at for event in published],
    )
    await _announce(tx)


async def remember_revocations(tx: Tx, revoked: Sequence[SessionsRevoked]) -> None:
    """Stop honouring these sessions; the latest word about a subject counts."""
    latest = {e.subject: e for e in sorted(revoked, key=lambda e: e.issued_before)}
    await tx.execute(
        """
        INSERT INTO session_revocations (subject, issued_before, forget_at)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
        ON CONFLICT (subject) DO UPDATE
           SET issued_before = EXCLUDED.issued_before, forget_at = EXCLUDED.forget_at
         WHERE session_revocations.issued_before < EXCLUDED.issued_before
        """,
        list(latest),
        [event.issued_before for event in latest.values()],
        [event.forget_at for event in latest.values()],
    )
    await _announce(tx)


async def _announce(tx: Tx) -> None:
    # NOTIFY makes commits wait for each other; these are rare enough for that not to matter.
    await tx.execute(f"NOTIFY {CHANNEL}")


async def forget_past(tx: Tx) -> int:
    """Forget revocations and keys whose sessions have all run out."""
    gone: list[Any] = await tx.fetch(
        """
        WITH revocations AS (
            DELETE FROM session_revocations WHERE forget_at < now() RETURNING subject
        ), keys AS (
            DELETE FROM session_keys WHERE retires_at < now() RETURNING key_id
        )
        SELECT subject::text FROM revocations UNION ALL SELECT key_id FROM keys
        """
    )
    return len(gone)


# Every service listens to these.
HANDLERS: Handlers = {
    SigningKeyPublished: remember_keys,
    SessionsRevoked: remember_revocations,
}

SESSIONS = web.AppKey("sessions", Sessions)
PRINCIPAL = web.RequestKey("principal", Principal)
