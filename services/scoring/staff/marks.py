"""Importing scores: a template to fill in, a file to hand in, a look at what it would do."""

import asyncio

from aiohttp import web
from aiohttp.web_request import FileField

from services.scoring import candidates, releases, score_files, scores, sittings
from services.scoring.rules import score_table
from services.scoring.score_files import NoSuchFile, NothingToImport
from services.scoring.sittings import Sitting
from services.scoring.staff import asked
from shared import csv_file, table_file, xlsx_file
from shared.auth import PRINCIPAL
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage
from shared.i18n import language_of, mark
from shared.observe import ARRIVED_AT
from shared.table_file import Unreadable
from shared.templates import render

# 20,000 rows of twenty columns, and the form around them.
BODY_LIMIT = 6 * 1024 * 1024
LONGEST_NAME = 100
# Rows that are listed, those with something wrong first; all of them are counted.
SHOWN = 500
FILES_SHOWN = 50

NO_FILE = mark("Choose a file")
TOO_LARGE = mark("This file is larger than 6 MB. Divide it")
NO_TABLE = mark("This file cannot be read. Choose a CSV or xlsx file of at most 20,000 rows")


async def show_import(request: web.Request) -> web.Response:
    return await _show_import(request)


async def _show_import(request: web.Request, problem: str | None = None) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        release = await releases.find(tx, sitting=sitting.code)
        files = await score_files.list_(tx, sitting=sitting.code, limit=FILES_SHOWN)
    return render(
        request,
        "staff/show_import.html",
        status=422 if problem else 200,
        sitting=sitting,
        columns=score_table.all_columns(sitting.marking),
        is_approved=release is not None,
        files=files,
        problem=problem,
    )


async def take_template(request: web.Request) -> web.Response:
    """A table with everybody in it, and what is known of their scores so far."""
    form = request.match_info["format"]
    if form not in {"csv", "xlsx"}:
        raise NoSuchPage
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        rows = await _list_rows(tx, sitting)
    header = score_table.template(sitting.marking, language_of(request))
    name = f"scores-{sitting.code}"
    if form == "csv":
        return csv_file.answer(await asyncio.to_thread(csv_file.write, header, rows), name=name)
    return xlsx_file.answer(await asyncio.to_thread(xlsx_file.write, header, rows), name=name)


async def _list_rows(tx: Tx, sitting: Sitting) -> list[list[str]]:
    known = await scores.list_(tx, sitting=sitting.code)
    marking, rows = sitting.marking, []
    for each in await candidates.list_(tx, sitting=sitting.code):
        if each.is_cancelled:
            continue
        given = known.get(each.entry_id)
        cells = marking.write(given) if given is not None else {}
        is_absent = each.entry_id in known and given is None
        rows.append(
            [
                each.id_number,
                each.candidate_number,
                each.person_name,
                *(cells.get(column.key, "") for column in marking.columns),
                "yes" if is_absent else "",
            ]
        )
    return rows


async def take_file(request: web.Request) -> web.Response:
    """Keep a file and show what its import would do. Nothing else is changed."""
    try:
        posted = await request.post()
    except web.HTTPRequestEntityTooLarge:
        return await _show_import(request, TOO_LARGE)
    file = posted.get("file")
    if not isinstance(file, FileField):
        return await _show_import(request, NO_FILE)
    with file.file:  # a body of more than the usual size is not tidied up by itself
        content = file.file.read()
    try:
        table = await asyncio.to_thread(table_file.read, content)
    except Unreadable:
        return await _show_import(request, NO_TABLE)
    async with transaction(request.app[POOL]) as tx:
        sitting = await sittings.load(tx, code=request.match_info["sitting"])
        file_id = await score_files.look_at(
            tx,
            sitting=sitting,
            name=_printable(file.filename),
            table=table,
            actor=request[PRINCIPAL].id,
            now=request[ARRIVED_AT],
        )
    raise web.HTTPSeeOther(f"/scoring/staff/marks/{sitting.code}/files/{file_id}")


def _printable(name: str) -> str:
    written = "".join(letter for letter in name if letter.isprintable())
    return written[-LONGEST_NAME:] or "–"


async def show_file(request: web.Request) -> web.Response:
    async with transaction(request.app[POOL]) as tx:
        file = await score_files.load(tx, file_id=asked.named(request, "file_id"))
        if file.sitting != request.match_info["sitting"]:
            raise NoSuchFile
        sitting = await sittings.load(tx, code=file.sitting)
        report = await score_files.judge(tx, file=file, sitting=sitting)
    return render(
        request,
        "staff/show_score_file.html",
        sitting=sitting,
        file=file,
        report=report,
        counts=report.counts(),
        good=score_table.GOOD,
        rows=sorted(report.rows, key=lambda row: row.is_good)[:SHOWN],
        is_cut=len(report.rows) > SHOWN,
        columns=sitting.marking.columns,
        write=sitting.marking.write,
        nothing=request.query.get("nothing") == "yes",
    )


async def import_file(request: web.Request) -> web.Response:
    file_id = asked.named(request, "file_id")
    page = f"/scoring/staff/marks/{request.match_info['sitting']}/files/{file_id}"
    try:
        async with transaction(request.app[POOL]) as tx:
            await score_files.import_(
                tx, file_id=file_id, actor=request[PRINCIPAL].id, now=request[ARRIVED_AT]
            )
    except NothingToImport:
        raise web.HTTPSeeOther(f"{page}?nothing=yes") from None
    raise web.HTTPSeeOther(page)


ROUTES = [
    web.get("/{sitting}", show_import),
    web.get("/{sitting}/templates/{format}", take_template),
    web.post("/{sitting}/files", take_file),
    web.get("/{sitting}/files/{file_id}", show_file),
    web.post("/{sitting}/files/{file_id}/import", import_file),
]
