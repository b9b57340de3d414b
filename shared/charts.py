"""Charts as geometry: where bars and columns lie. Templates draw them; no style, no script."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# In the units of the drawing; on a phone one unit is about a pixel.
WIDTH = 340
ROW = 40
THICKNESS = 12
# Right of the bars, for their numbers.
NUMBER_ROOM = 64
COLUMNS_HEIGHT = 160
# A column that is wider than this is no column any more.
WIDEST_COLUMN = 24
# More columns than this are no wider than a hair: days are then taken together.
MOST_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its label above it, its number behind it."""

    label: str
    number: int
    top: int
    length: float

    @property
    def label_y(self) -> int:
        return self.top + 14

    @property
    def y(self) -> int:
        return self.top + 20

    @property
    def number_y(self) -> int:
        return self.y + THICKNESS - 1


@dataclass(frozen=True, slots=True)
class Bars:
    """Lying bars, one below the other."""

    bars: Sequence[Bar]
    width: int = WIDTH
    room: int = WIDTH - NUMBER_ROOM
    thickness: int = THICKNESS

    @property
    def height(self) -> int:
        return ROW * len(self.bars)

    @property
    def number_x(self) -> int:
        return self.room + 8


def bars(numbers: Sequence[tuple[str, int]]) -> Bars:
    """Draw each number as a bar, in their order; the longest fills the room."""
    longest = max([*(number for _, number in numbers), 1])
    return Bars(
        [
            Bar(label, number, turn * ROW, round((WIDTH - NUMBER_ROOM) * number / longest, 1))
            for turn, (label, number) in enumerate(numbers)
        ]
    )


@dataclass(frozen=True, slots=True)
class Column:
    """The days that are counted together, and how high they stand."""

    first: date
    last: date
    number: int
    left: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """Standing columns, from the first day to the last."""

    columns: Sequence[Column]
    highest: int  # what the top line stands for
    column_width: float
    width: int = WIDTH
    height: int = COLUMNS_HEIGHT


def columns(numbers: Mapping[date, int]) -> Columns:
    """Stand days side by side, the empty ones too; many days share a column evenly."""
    if not numbers:
        return Columns([], 1, 0)
    first, last = min(numbers), max(numbers)
    days = (last - first).days + 1
    together = math.ceil(days / MOST_COLUMNS)
    count = math.ceil(days / together)
    sums = [0] * count
    for day, number in numbers.items():
        sums[(day - first).days // together] += number
    highest = _round_up(max([*sums, 1]))
    width = min(WIDTH / count, WIDEST_COLUMN)
    return Columns(
        [
            Column(
                first + timedelta(days=turn * together),
                min(first + timedelta(days=(turn + 1) * together - 1), last),
                number,
                round(turn * width, 2),
                round(COLUMNS_HEIGHT * number / highest, 1),
            )
            for turn, number in enumerate(sums)
        ],
        highest,
        round(width, 2),
    )


def _round_up(number: int) -> int:
    """Give the next number that is 1, 2 or 5 and zeros: a scale that people read at a glance."""
    power: int = 10 ** (len(str(number)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)
