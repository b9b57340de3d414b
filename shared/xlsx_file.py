"""Tables as xlsx files whose cells are text or numbers: nothing in them is ever run."""

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from aiohttp import hdrs, web
from xlsxwriter import Workbook

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_LETTERS_IN_CELL = 32_767  # what the format allows


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    content = io.BytesIO()
    # Row by row, so that a long table does not have to fit into memory twice.
    book = Workbook(content, {"constant_memory": True, "in_memory": True})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(header) - 1, 0), 18)
    bold = book.add_format({"bold": True})
    for column, title in enumerate(header):
        sheet.write_string(0, column, title, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value is not None:
                # Never `write`, which makes formulas and links of what looks like one.
                sheet.write_string(number, column, _text(value)[:MOST_LETTERS_IN_CELL])
    book.close()
    return content.getvalue()


def answer(content: bytes, *, name: str) -> web.Response:
    """Answer with a file to keep."""
    return web.Response(
        body=content,
        content_type=CONTENT_TYPE,
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.xlsx"'},
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
