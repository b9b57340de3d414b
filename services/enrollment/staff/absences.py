"""Marking absentees: a list is handed in, looked at line by line, and then carried out."""

import asyncio
import re

from aiohttp import web
from aiohttp.web_request import FileField

from services.enrollment import absences, names, references
from services.enrollment.registrations import deciding
from shared import table_file
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.i18n import mark
from shared.observe import ARRIVED_AT
from shared.table_file import Unreadable
from shared.templates import render

# A list of 20,000 as a spreadsheet program writes it.
BODY_LIMIT = 2 * 1024 * 1024
LONGEST_SHOWN = 40
# Lines that are listed, those with something wrong first; all of them are counted.
SHOWN = 1_000

NOTHING_GIVEN = mark("Enter reference numbers, or choose a file that holds them")
NO_TABLE = mark("This file cannot be read. Choose a CSV or xlsx file of at most 20,000 rows")


async def show_form(request: web.Request) -> web.Response:
    return _show(request, marked=request.query.get("marked"))


async def look_at_list(request: web.Request) -> web.Response:
    """Tell of every line what marking it would do. Nothing is changed."""
    posted = await request.post()
    file = posted.get("file")
    numbers = str(posted.get("numbers", ""))
    try:
        if isinstance(file, FileField):
            with file.file:  # a body of more than the usual size is not tidied up by itself
                content = file.file.read()
            typed = await asyncio.to_thread(_read_file, content)
        else:
            typed = _read_lines(numbers)
    except Unreadable:
        return _show(request, status=422, error=NO_TABLE)
    if not typed:
        return _show(request, status=422, error=NOTHING_GIVEN)
    async with transaction(request.app[POOL]) as tx:
        known = await names.load(tx)
        entries = await absences.judge(tx, typed=typed, now=request[ARRIVED_AT])
    return render(
        request,
        "staff/show_absence_list.html",
        names=known,
        entries=sorted(entries, key=lambda entry: entry.is_good)[:SHOWN],
        is_cut=len(entries) > SHOWN,
        counts=absences.count_verdicts(entries),
        good=[entry for entry in entries if entry.is_good],
    )


async def mark_absentees(request: web.Request) -> web.Response:
    """Mark those that were good when they were shown, and still are."""
    typed = _read_lines(str((await request.post()).get("numbers", "")))
    async with transaction(request.app[POOL]) as tx:
        entries = await absences.judge(tx, typed=typed, now=request[ARRIVED_AT])
        count = await deciding.mark_absent(
            tx,
            registration_ids=absences.list_good(entries),
            actor=str(request[PRINCIPAL].id),
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"/enrollment/staff/absences/?marked={count}")


def _show(
    request: web.Request, *, status: int = 200, error: str | None = None, marked: str | None = None
) -> web.Response:
    is_number = marked is not None and marked.isascii() and marked.isdigit() and len(marked) < 7
    return render(
        request,
        "staff/show_absence_form.html",
        status=status,
        problem=error,
        marked=int(marked) if marked is not None and is_number else None,
    )


def _read_lines(text: str) -> list[tuple[int, str]]:
    return [
        (line, one.strip()[:LONGEST_SHOWN])
        for line, written in enumerate(text.splitlines(), start=1)
        for one in re.split(r"[,;，；、\t]", written)
        if one.strip()
    ]


def _read_file(content: bytes) -> list[tuple[int, str]]:
    """Take from every row the cell that is a reference number, or else its first word."""
    typed = []
    for line, row in enumerate(table_file.read(content), start=1):
        cells = [cell for cell in row if cell]
        number = next((cell for cell in cells if references.read(cell) is not None), None)
        if number is not None:
            typed.append((line, number))
        elif cells and line > 1:  # the first row may be a heading
            typed.append((line, cells[0][:LONGEST_SHOWN]))
    return typed


ROUTES = [
    web.get("/", show_form),
    web.post("/", look_at_list),
    web.post("/marks", mark_absentees),
]
