"""Reads the first sheet of an xlsx file in a process of its own, which may die of it.

Two cells in opposite corners are a small file, and more memory than there is for whoever reads it:
the library then ends the process that it runs in, and with it whatever else that process does.
"""

import io
import json
import resource
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import structlog
from python_calamine import CalamineWorkbook

log = structlog.get_logger()

ROOT = Path(__file__).parents[1]
MOST_BYTES = 1024 * 1024 * 1024
MOST_CPU_SECONDS = 20
# Spreadsheet programs keep 15 digits of a number; longer ones are not what somebody typed.
MOST_EXACT = 10**15


class Died(Exception):
    """It is larger than allowed, or takes more memory or time to read, or cannot be read at all."""


def read(content: bytes, *, most_rows: int, most_columns: int) -> list[list[str]]:
    """Read it, as text; raise Died. It takes a while: not for the loop."""
    reader = subprocess.run(  # noqa: S603  nothing that comes from outside is run
        [sys.executable, "-m", __name__, str(most_rows), str(most_columns)],
        cwd=ROOT,
        input=content,
        capture_output=True,
        check=False,
    )
    if reader.returncode:
        last_words = reader.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("xlsx file not read", ended_with=reader.returncode, last_words=last_words[:200])
        raise Died
    rows: list[list[str]] = json.loads(reader.stdout)
    return rows


def main() -> None:
    most_rows, most_columns = map(int, sys.argv[1:])
    # Where a container has less memory than that, this is the process to end.
    Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    if not book.sheet_names:
        json.dump([], sys.stdout)
        return
    sheet = book.get_sheet_by_index(0)
    if sheet.total_height > most_rows or sheet.total_width > most_columns:
        sys.exit(f"{sheet.total_height} rows, {sheet.total_width} columns")
    json.dump([[_text(cell) for cell in row] for row in sheet.to_python()], sys.stdout)


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < MOST_EXACT:
        return str(int(cell))  # every number in a spreadsheet is a float
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell).strip()


if __name__ == "__main__":
    main()
