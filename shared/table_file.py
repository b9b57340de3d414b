"""Tables that people hand in, as CSV or xlsx files: read as rows of text, within limits."""

import csv
import io
import zipfile
import zlib
from itertools import islice

from shared import xlsx_reading

ZIP = b"PK\x03\x04"  # how an xlsx file begins
# A small file may be packed so that it fills the memory; what a table of ours unpacks to is less.
MOST_UNPACKED_BYTES = 32 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 100
PIECE = 64 * 1024
# What zipfile raises on files that are cut off, locked by a password or made to confuse it.
UNPACKING_FAILS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Unreadable(ValueError):
    """This is no table that we can read, or it is too large."""


def read(content: bytes) -> list[list[str]]:
    """Read the first sheet, or the CSV; raise Unreadable. It takes a while: not for the loop."""
    rows = _read_xlsx(content) if content.startswith(ZIP) else _read_csv(content)
    if len(rows) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in rows):
        raise Unreadable
    return rows


def _read_xlsx(content: bytes) -> list[list[str]]:
    _unpack_within_limits(content)
    try:
        return xlsx_reading.read(content, most_rows=MOST_ROWS, most_columns=MOST_COLUMNS)
    except xlsx_reading.Died as error:
        raise Unreadable from error


def _unpack_within_limits(content: bytes) -> None:
    """Unpack it once without keeping anything: the sizes written in the file may be lies."""
    left = MOST_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():
                with packed.open(entry) as part:
                    while piece := part.read(PIECE):
                        left -= len(piece)
                        if left < 0:
                            raise Unreadable
    except UNPACKING_FAILS as error:
        raise Unreadable from error


def _read_csv(content: bytes) -> list[list[str]]:
    # Excel in Taiwan writes CSV in Big5 unless told otherwise.
    for encoding in ("utf-8-sig", "cp950"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise Unreadable
        try:
            rows = islice(csv.reader(io.StringIO(text)), MOST_ROWS + 1)
            return [[cell.strip() for cell in row] for row in rows]
        except csv.Error as error:
            raise Unreadable from error
    raise Unreadable
