"""What a staff page was asked for. People edit addresses: what cannot be read is not asked for."""

import re
from collections.abc import Container
from datetime import date
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator

from shared.auth import PRINCIPAL, Role
from shared.errors import NoSuchPage
from shared.forms import Says
from shared.i18n import mark

SHOWN = 50
# Orders are of small change; nobody searches for more digits.
MOST_DIGITS = 9
LONGEST_NOTE = 500
# Far from the ends of the calendar, so that any number of days can be counted from a day.
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)

WRITE_NOTE = mark("Write down why")
NOTE_TOO_LONG = mark("Write it in at most 500 characters")
UNPRINTABLE = mark("Write this without the character that cannot be printed")

_NUMBER = re.compile(r"[A-Z0-9-]{1,40}")


def named(request: web.Request, name: str) -> UUID:
    """The id in the address; what is none leads nowhere."""
    found = _read_id(request.match_info[name])
    if found is None:
        raise NoSuchPage
    return found


def after(request: web.Request) -> UUID | None:
    """What was shown last on the page before."""
    return _read_id(request.query.get("after", ""))


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def number(text: object) -> str:
    """A reference, a trade number, a provider's number: as it is printed, however it was typed."""
    typed = str(text).strip().upper()
    return typed if _NUMBER.fullmatch(typed) else ""


def whole(text: object) -> int | None:
    """A whole number, such as an amount."""
    typed = str(text).strip().replace(",", "")
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS
    return int(typed) if is_number else None


def day(text: object) -> date | None:
    try:
        found = date.fromisoformat(str(text).strip())
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None


def choice(text: object, choices: Container[str], *, otherwise: str = "") -> str:
    return str(text) if str(text) in choices else otherwise


def can_act(request: web.Request) -> bool:
    """Whether the buttons are of use: administrators look, and finance acts."""
    return Role.FINANCE in request[PRINCIPAL].roles


def _check_note(text: str) -> str:
    note = " ".join(text.split())
    if not note.isprintable():
        raise ValueError(UNPRINTABLE)
    if len(note) > LONGEST_NOTE:
        raise ValueError(NOTE_TOO_LONG)
    return note


# Why somebody did something, for whoever looks at it later.
Note = Annotated[str, Says(WRITE_NOTE), AfterValidator(_check_note)]
