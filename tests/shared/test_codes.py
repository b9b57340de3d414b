"""What is drawn is what a scanner reads."""

import io
import re

import pytest
import zxingcpp
from barcode.errors import BarcodeError
from PIL import Image

from shared.codes import QUIET_ZONE, code39, qr, qr_picture

# From the standard (ISO/IEC 16388): which of the nine bars and spaces of a sign are wide.
WIDE = {
    "0": "000110100",
    "1": "100100001",
    "2": "001100001",
    "3": "101100000",
    "4": "000110001",
    "5": "100110000",
    "6": "001110000",
    "7": "000100101",
    "8": "100100100",
    "9": "001100100",
    "A": "100001001",
    "B": "001001001",
    "E": "100011000",
    "X": "010010001",
    "Y": "110010000",
    "*": "010010100",
}
SIGNS = {pattern: sign for sign, pattern in WIDE.items()}


def modules(drawing: str) -> str:
    """Read the bars back from the drawing: 1 is black."""
    viewed = re.search(r'viewBox="0 0 (\d+) 1"', drawing)
    assert viewed
    black = {int(place) for place in re.findall(r"M(\d+) 0h1v1h-1z", drawing)}
    return "".join("1" if place in black else "0" for place in range(int(viewed[1])))


def scan(drawing: str) -> str:
    """Read a Code 39 as scanners do: by which bars and spaces are wide."""
    row = modules(drawing)
    assert row.startswith("0" * QUIET_ZONE + "1")
    assert row.endswith("1" + "0" * QUIET_ZONE)
    widths = [len(run) for run in re.findall(r"1+|0+", row.strip("0"))]
    assert set(widths) == {1, 3}
    signs = [widths[start : start + 9] for start in range(0, len(widths), 10)]
    return "".join(SIGNS["".join("01"[width == 3] for width in sign)] for sign in signs)


@pytest.mark.parametrize("text", ["1105036EA", "3453011539919569", "042677000001500"])
def test_a_bar_code_says_its_text_between_stars_and_nothing_else(text: str) -> None:
    assert scan(code39(text)) == f"*{text}*"


@pytest.mark.parametrize("text", ["é", "中", "a_b"])
def test_a_text_that_code_39_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(BarcodeError, match="Code 39"):
        code39(text)


# A scanner of another make (zbarimg) read this one: it says "examhall".
READ_ELSEWHERE = """
#######.#.#...#######
#.....#.#.....#.....#
#.###.#..##...#.###.#
#.###.#.#####.#.###.#
#.###.#..##...#.###.#
#.....#.......#.....#
#######.#.#.#.#######
........##...........
#.##.###.#....#..#.##
#.####...#..#####..##
.######..#..#.##.#.##
..##.#.###..##..##...
#.##..##...#....#..#.
........#.#..#..##...
#######.###..#####...
#.....#.#######..##..
#.###.#..#.#..#..##..
#.###.#.#....#...###.
#.###.#.#.##.#...##..
#.....#...###.#.....#
#######.#..##.....#..
"""
# Empty modules on every side of a QR code.
AROUND = 4


def qr_modules(picture: bytes) -> list[str]:
    """Read the modules back from a picture, row by row: # is black."""
    image = Image.open(io.BytesIO(picture))
    return [
        "".join(".#"[not image.getpixel((x, y))] for x in range(image.width))
        for y in range(image.height)
    ]


def test_a_qr_code_is_what_scanners_of_another_make_read() -> None:
    drawn = qr_modules(qr_picture("examhall"))
    assert [row[AROUND:-AROUND] for row in drawn[AROUND:-AROUND]] == READ_ELSEWHERE.split()
    around = [*drawn[:AROUND], *drawn[-AROUND:], *(row[:AROUND] + row[-AROUND:] for row in drawn)]
    assert set("".join(around)) == {"."}


def test_a_drawn_qr_code_is_read_with_a_part_of_it_missing() -> None:
    text = "https://exam.example/verify/1"
    drawing = qr(text)
    viewed = re.search(r'viewBox="0 0 (\d+) \1"', drawing)
    assert viewed
    # Version 3 has 29 modules, and the empty ones on either side.
    side = int(viewed[1])
    assert side == 29 + 2 * AROUND
    image = Image.new("L", (side, side), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1H\1z", drawing):
        image.paste(0, (int(x), int(y), int(x) + int(width), int(y) + 1))
    image.paste(255, (side - 9, side - 9, side - 5, side - 5))
    [read] = zxingcpp.read_barcodes(image.resize((side * 8, side * 8), Image.Resampling.NEAREST))
    assert read.text == text


def test_a_text_that_no_qr_code_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="too"):
        qr_picture("x" * 3000)
