"""Tables handed out and handed in: nothing in them is run, and nothing in them brings us down."""

import io
import re
import zipfile
from datetime import UTC, date, datetime

import pytest

from shared import csv_file, table_file, xlsx_file
from shared.table_file import Unreadable

HEADER = ["Name", "Number"]
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "http://evil.example/", "mailto:a@b.c", "{=1}"]


def unpack(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return "".join(packed.read(entry).decode() for entry in packed.infolist())


def test_what_looks_like_a_formula_or_a_link_is_text() -> None:
    content = xlsx_file.write(HEADER, [[text, 1] for text in DANGEROUS])
    inside = unpack(content)
    assert "<f>" not in inside
    assert "<hyperlink" not in inside
    assert [row[0] for row in table_file.read(content)[1:]] == [text.strip() for text in DANGEROUS]


def test_numbers_times_and_what_is_missing_are_written_plainly() -> None:
    noon = datetime(2026, 1, 6, 12, tzinfo=UTC)
    content = xlsx_file.write(HEADER, [["王大同", 250], [None, noon], [date(2026, 1, 6), True]])
    assert table_file.read(content) == [
        HEADER,
        ["王大同", "250"],
        ["", "2026-01-06T12:00:00+00:00"],
        ["2026-01-06", "1"],
    ]


def test_a_long_list_is_written_whole() -> None:
    content = xlsx_file.write(["Number"], ([str(number)] for number in range(5_000)))
    rows = table_file.read(content)
    assert (len(rows), rows[-1]) == (5_001, ["4999"])


def test_what_is_too_long_for_a_cell_is_cut() -> None:
    [_, [cell]] = table_file.read(xlsx_file.write(["Text"], [["x" * 40_000]]))
    assert len(cell) == xlsx_file.MOST_LETTERS_IN_CELL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp950"])
def test_csv_is_read_as_taiwan_writes_it(encoding: str) -> None:
    assert table_file.read("姓名,編號\r\n王大同, R-1000-017 \r\n".encode(encoding)) == [
        ["姓名", "編號"],
        ["王大同", "R-1000-017"],
    ]


def test_what_we_hand_out_can_be_handed_in() -> None:
    rows = [["王大同", "R-1000-017"]]
    for content in (csv_file.write(HEADER, rows), xlsx_file.write(HEADER, rows)):
        assert table_file.read(content) == [HEADER, *rows]


def pack(name: str, text: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, text)
    return content.getvalue()


def with_cells(*cells: str) -> bytes:
    """A sheet of these cells and nothing between them."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SHEET)) as one, zipfile.ZipFile(content, "w") as other:
        for entry in one.infolist():
            text = one.read(entry).decode()
            if entry.filename == "xl/worksheets/sheet1.xml":
                # rows of one cell each
                rows = "".join(
                    f'<row r="{re.sub("[A-Z]", "", cell)}"><c r="{cell}"><v>1</v></c></row>'
                    for cell in cells
                )
                text = re.sub("<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>", text)
            other.writestr(entry, text)
    return content.getvalue()


SHEET = xlsx_file.write(HEADER, [["王大同", 1]])


def test_cells_stand_where_they_say() -> None:
    assert table_file.read(with_cells("A1", "C2")) == [["1", "", ""], ["", "", "1"]]


@pytest.mark.parametrize(
    "content",
    [
        pack("xl/workbook.xml", b"0" * (table_file.MOST_UNPACKED_BYTES + 1)),
        pack("readme.txt", b"not a spreadsheet"),
        with_cells("A1", "XFD1048576"),
        with_cells("A1", "P1048576"),
        SHEET[: len(SHEET) // 2],
        SHEET[:200] + b"\xff" * 50 + SHEET[250:],
        table_file.ZIP + b"garbage",
        b"\xff\xfe\x00\x01",
        b"a\0b",
        b"x\n" * (table_file.MOST_ROWS + 1),
        b"x," * table_file.MOST_COLUMNS + b"x",
        b'"' + b"x" * 200_000 + b'"',
    ],
    ids=[
        "bomb", "no sheet", "corners", "one stray cell", "cut off", "damaged", "garbage",
        "no text", "with zeros", "too long", "too wide", "an endless cell",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        table_file.read(content)
