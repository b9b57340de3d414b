"""What is drawn is what a scanner reads."""

import re

import pytest
from barcode.errors import BarcodeError

from shared.pdf_codes import QUIET_ZONE, code39, qr

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


def test_a_qr_code_brings_its_quiet_zone() -> None:
    drawing = qr("https://exam.example/verify/1")
    viewed = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawing)
    assert viewed
    # Version 3 has 29 modules, and 4 empty ones belong on either side.
    assert (viewed[1], viewed[2]) == ("37", "37")
    assert "M4 4.5h7" in drawing
