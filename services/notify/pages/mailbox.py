"""The mailbox of one machine: every letter that would have left it, for whoever sits before it."""

import re

from aiohttp import web

from services.notify import mailbox
from services.notify.letter_frames import frame, show_safely
from shared.db import POOL, transaction
from shared.errors import NoSuchPage
from shared.settings import SETTINGS
from shared.templates import render

LETTERS_SHOWN = 50
_LINK = re.compile(r"https?://[^\s<>\"]+")


async def list_letters(request: web.Request) -> web.Response:
    address = request.query.get("address", "")
    before = request.query.get("before", "")
    async with transaction(request.app[POOL]) as tx:
        received = await mailbox.list_newest(
            tx,
            address=address,
            limit=LETTERS_SHOWN + 1,
            before=_number(before) if before else None,
        )
    return render(
        request,
        "local/list_letters.html",
        letters=received[:LETTERS_SHOWN],
        has_more=len(received) > LETTERS_SHOWN,
        address=address,
        zone=request.app[SETTINGS].time_zone,
    )


async def show_letter(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        letter = await mailbox.load(tx, number=_number(request.match_info["number"]))
    return frame(
        render(
            request,
            "local/show_letter.html",
            letter=letter,
            links=list(dict.fromkeys(_LINK.findall(letter.text))),
            zone=request.app[SETTINGS].time_zone,
        )
    )


async def show_html(request: web.Request) -> web.Response:
    """Show the letter itself, at an address of its own and behind a policy of its own."""
    async with transaction(request.app[POOL]) as tx:
        letter = await mailbox.load(tx, number=_number(request.match_info["number"]))
    return show_safely(letter.html)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NoSuchPage
    return int(text)


ROUTES = [
    web.get("/", list_letters),
    web.get("/{number}", show_letter),
    web.get("/{number}/html", show_html),
]
