"""Importing candidates: a list is handed in, looked at row by row, and then carried out."""

import asyncio
import csv
import io
from collections.abc import Mapping, Sequence
from types import ModuleType
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web_request import FileField

from services.enrollment import entry_imports
from services.enrollment.entry_imports import COLUMNS, Row
from services.enrollment.staff import entries, own_centres
from services.enrollment.staff.own_centres import Held
from shared import csv_file, table_file, xlsx_file
from shared.auth import PRINCIPAL
from shared.db import POOL, transaction
from shared.errors import Refused
from shared.i18n import LANGUAGES, mark
from shared.observe import ARRIVED_AT
from shared.table_file import Unreadable
from shared.templates import TEMPLATES, render, translate
from shared.vault import VAULT

# 10,000 candidates as a spreadsheet program writes them, and as our page sends them back.
BODY_LIMIT = 4 * 1024 * 1024
# Rows that are listed, those that are refused first; all of them are counted.
SHOWN = 1_000

NO_FILE = mark("Choose a file")
NO_TABLE = mark("This file cannot be read. Choose a CSV or xlsx file of at most 10,000 rows")


class NoList(Refused):
    """The list did not arrive as it was shown. Please choose the file again."""

    status = 422


async def download_csv_template(request: web.Request) -> web.Response:
    return await _download_template(request, csv_file)


async def download_xlsx_template(request: web.Request) -> web.Response:
    return await _download_template(request, xlsx_file)


async def _download_template(request: web.Request, file: ModuleType) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        await own_centres.load_centre(tx, request)
    header = [translate(request, title) for title in COLUMNS.values()]
    answer: web.Response = file.answer(file.write(header, []), name="candidates")
    return answer


async def look_at_list(request: web.Request) -> web.Response:
    """Tell of every row what importing it would do. Nothing is changed."""
    file = (await request.post()).get("file")
    titles = _titles(request)
    rows: Sequence[Row] = []
    problem: str | None = None
    if isinstance(file, FileField):
        with file.file:  # a body of more than the usual size is not tidied up by itself
            content = file.file.read()
        try:
            rows = await asyncio.to_thread(_read, content, titles)
        except Unreadable:
            problem = NO_TABLE
        except Refused as refusal:
            problem = refusal.sentence
    else:
        problem = NO_FILE
    if problem is not None:
        return await entries.show(request, problem=problem)
    async with transaction(request.app[POOL]) as tx:
        held = await own_centres.load(tx, request)
        judged = await entry_imports.judge(
            tx, centre=held.centre, sitting=held.sitting, rows=rows, now=request[ARRIVED_AT]
        )
    good = [one.row for one in judged if one.verdict != "refused"]
    return render(
        request,
        "staff/show_entry_list.html",
        held=held,
        judged=sorted(judged, key=lambda one: one.verdict != "refused")[:SHOWN],
        is_cut=len(judged) > SHOWN,
        counts=entry_imports.count(judged),
        columns=COLUMNS,
        rows=_write(good),
    )


async def import_list(request: web.Request) -> web.Response:
    """Import what was good when it was shown, and still is."""
    text = str((await request.post()).get("rows", ""))
    try:
        rows = await asyncio.to_thread(_read, text.encode(), _titles(request))
    except Unreadable:
        raise NoList from None
    async with transaction(request.app[POOL]) as tx:
        held: Held = await own_centres.load(tx, request)
        judged = await entry_imports.carry_out(
            tx,
            centre=held.centre,
            sitting=held.sitting,
            rows=rows,
            vault=request.app[VAULT],
            actor=str(request[PRINCIPAL].id),
            now=request[ARRIVED_AT],
        )
    counts = urlencode(list(entry_imports.count(judged).items()))
    raise web.HTTPSeeOther(held.address(f"?{counts}"))


def _titles(request: web.Request) -> Mapping[str, str]:
    """Say what may stand above a column: a template is good in whichever language it was taken."""
    say = request.app[TEMPLATES].catalogues.gettext
    return entry_imports.name_columns(
        [{code: say(language, title) for code, title in COLUMNS.items()} for language in LANGUAGES]
    )


def _read(content: bytes, titles: Mapping[str, str]) -> list[Row]:
    return entry_imports.read(table_file.read(content), titles=titles)


def _write(rows: Sequence[Row]) -> str:
    """Write rows as the table that `_read` reads, for the page to send back."""
    names = [name for name in COLUMNS if any(name in row.cells for row in rows)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([row.cells.get(name, "") for name in names] for row in rows)
    return text.getvalue()


ROUTES = [
    web.get("/{centre}/template.csv", download_csv_template),
    web.get("/{centre}/template.xlsx", download_xlsx_template),
    web.post("/{centre}/{sitting}", look_at_list),
    web.post("/{centre}/{sitting}/imports", import_list),
]
