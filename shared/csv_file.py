"""Tables as CSV files (RFC 4180) that spreadsheet programs open without harm."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from aiohttp import hdrs, web

# Without it, spreadsheet programs take Chinese for something else.
BYTE_ORDER_MARK = "\ufeff"
# A cell that begins so would be run as a formula by whoever opens the file.
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def answer(content: bytes, *, name: str) -> web.Response:
    """Answer with a file to keep."""
    return web.Response(
        body=content,
        content_type="text/csv",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.csv"'},
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_BEGINNINGS) and isinstance(value, str) else text
