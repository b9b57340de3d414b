"""Tables that staff take away, as CSV or xlsx."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

from aiohttp import web

from shared import csv_file, xlsx_file
from shared.templates import translate

FORMATS: Mapping[str, ModuleType] = {"csv": csv_file, "xlsx": xlsx_file}


async def answer(
    request: web.Request, *, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> web.Response:
    """Answer with a table in the format that the button asked for."""
    posted = await request.post()
    file = FORMATS.get(str(posted.get("format", "csv")), csv_file)
    titles = [translate(request, title) for title in header]
    # A long list takes seconds to write; others' requests go on meanwhile.
    content = await asyncio.to_thread(file.write, titles, list(rows))
    written: web.Response = file.answer(content, name=name)
    return written
