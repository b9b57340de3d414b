"""What a staff page was asked for. People edit addresses: what cannot be read is not asked for."""

from uuid import UUID

from aiohttp import web

from shared.auth import PRINCIPAL, Role
from shared.errors import NoSuchPage
from shared.i18n import mark

LONGEST_REASON = 500

WRITE_REASON = mark("Write down why")
REASON_TOO_LONG = mark("Write it in at most 500 characters")
UNPRINTABLE = mark("Write this without the character that cannot be printed")


def named(request: web.Request, name: str) -> UUID:
    """The id in the address; what is none leads nowhere."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise NoSuchPage from None


def number(text: str, *, most: int) -> int:
    """A whole number from 0 on; what is none is 0."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return min(int(text), most) if is_number else 0


def is_a(request: web.Request, role: Role) -> bool:
    return role in request[PRINCIPAL].roles


def read_reason(text: str) -> str:
    """Read why somebody did something; ValueError says what is wrong with it."""
    reason = " ".join(text.split())
    if not reason:
        raise ValueError(WRITE_REASON)
    if not reason.isprintable():
        raise ValueError(UNPRINTABLE)
    if len(reason) > LONGEST_REASON:
        raise ValueError(REASON_TOO_LONG)
    return reason
