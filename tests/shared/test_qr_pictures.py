"""What is drawn fast is what the library draws slowly."""

import io

import pytest
import segno
from PIL import Image

from shared.qr_pictures import CORRECTION, MASK, QUIET_ZONE, draw

# A scanner (zbarimg) read this one: it says "examhall".
READ_BEFORE = """
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
# How many octets a version takes at level M: the standard's table 7.
FULL = {1: 14, 2: 26, 6: 106, 7: 122, 9: 180, 10: 213, 14: 362, 15: 412, 22: 779, 40: 2331}


def read(picture: bytes) -> list[list[int]]:
    """Read the modules back, row by row, without the quiet zone: 1 is black."""
    image = Image.open(io.BytesIO(picture))
    width, height = image.size
    black = [[int(not image.getpixel((x, y))) for x in range(width)] for y in range(height)]
    inside = range(QUIET_ZONE, width - QUIET_ZONE)
    around = [
        black[y][x]
        for y in range(height)
        for x in range(width)
        if not (x in inside and y in inside)
    ]
    assert width == height
    assert not any(around)
    return [[black[y][x] for x in inside] for y in inside]


@pytest.mark.parametrize(("version", "length"), FULL.items())
def test_every_module_is_where_the_standard_puts_it(version: int, length: int) -> None:
    # A full code has nothing behind its text, where the library adds an octet of its own.
    text = ("https://exam.example/" + "0aZ_-" * 600)[:length]
    expected = segno.make_qr(text, version=version, error="m", mask=MASK)
    assert read(draw(text)) == [list(row) for row in expected.matrix]


def test_a_code_with_room_behind_its_text_is_what_scanners_read() -> None:
    drawn = ["".join(".#"[module] for module in row) for row in read(draw("examhall"))]
    assert drawn == READ_BEFORE.split()


def test_a_text_that_no_code_holds_is_refused() -> None:
    longest = FULL[len(CORRECTION)]
    assert draw("x" * longest)
    with pytest.raises(ValueError, match="too long"):
        draw("x" * (longest + 1))
