"""What holds for every letter: addresses, deadlines for trying, and names for messages."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from functools import lru_cache
from uuid import UUID

LONGEST_WAIT = timedelta(hours=4)
# A letter that did not arrive within two days is no news any more.
TRIED_FOR = timedelta(days=2)
# Tries are spread, so that what failed together does not come back together.
LEAST, SPREAD = 0.75, 0.5

_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x20\x7f]+@[^\s<>()\[\]\\,;:@\"\x00-\x20\x7f]+")
_MESSAGE_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})@[^<>\s]*>?")


class Turn(IntEnum):
    """Which letters go first, however many of the others wait."""

    AWAITED = 0  # somebody sits there and waits for it, mostly for its link
    DEADLINES = 1
    NEWS = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a letter comes from or goes to."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def key_of(address: str) -> str:
    """Write an address as it is compared."""
    return address.strip().casefold()


def one_line(text: str) -> str:
    """Write somebody's words so that they cannot begin a line of their own."""
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())


def mailable(address: str) -> str | None:
    """Write an address as mail servers want it; None when no server could read it."""
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        return None
    local, _, domain = address.rpartition("@")
    written = _domain(domain)
    return f"{local}@{written}" if written else None


@lru_cache(maxsize=1_000)  # most people have their mailboxes with a few providers
def _domain(domain: str) -> str | None:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return None


def retry_after(attempts: int, *, first: timedelta, luck: float) -> timedelta:
    """How long to wait after this many tries; luck is between 0 and 1."""
    doubled: timedelta = first * 2 ** min(max(attempts, 1) - 1, 20)
    return min(doubled, LONGEST_WAIT) * (LEAST + SPREAD * luck)


def message_id(letter_id: UUID, round_: int, *, domain: str) -> str:
    """Name a message: the same at every try, so that receivers can tell a repeated one."""
    return f"<{letter_id}.{round_}@{domain}>"


def letter_named(message_id: str) -> tuple[UUID, int] | None:
    """Tell which letter a message was, and which time it was sent; None when it is not ours."""
    found = _MESSAGE_ID.fullmatch(message_id.strip())
    return (UUID(found[1]), int(found[2])) if found else None


def fingerprint(address: str) -> str:
    """Tell one address from another in the audit log, which holds no personal data."""
    return hashlib.sha256(key_of(address).encode()).hexdigest()[:16]
