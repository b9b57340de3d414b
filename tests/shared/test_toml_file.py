"""Files that people write: what is wrong with them is told with file, line and field."""

import pytest
from pydantic import BaseModel, ConfigDict

from shared import toml_file
from shared.toml_file import Faulty

TEXT = '''\
# The first line is a remark with = and [brackets].
name = "a # that is no remark, an escaped \\" and an ="
long = """
[not.a.table]
key = 1
"""
raw = \'\'\'
'' = [
\'\'\'
dotted."quoted key".last = 1.5
when = 2026-01-01 09:00:00

numbers = [
  1, 2,  # two on a line
  3,
]
[table]
inline = { one = 1, two = { deep = [ 1,
  2 ] } }
[[rows]]
name = "first"
[[rows]]
name = "second"
[rows.more]
name = "of the second"
[[rows.cells]]
x = 1
[[rows.cells]]
x = 2
'''

LINES = {
    ("name",): 2,
    ("long",): 3,
    ("raw",): 7,
    ("dotted", "quoted key", "last"): 10,
    ("when",): 11,
    ("numbers",): 13,
    ("numbers", 1): 14,
    ("numbers", 2): 15,
    ("table",): 17,
    ("table", "inline", "two", "deep", 0): 18,
    ("table", "inline", "two", "deep", 1): 19,
    ("rows", 0): 20,
    ("rows", 0, "name"): 21,
    ("rows", 1, "name"): 23,
    ("rows", 1, "more", "name"): 25,
    ("rows", 1, "cells", 0, "x"): 27,
    ("rows", 1, "cells", 1, "x"): 29,
}


@pytest.mark.parametrize(("path", "line"), LINES.items(), ids=str)
def test_every_value_is_found_on_its_line(path: toml_file.Path, line: int) -> None:
    content, source = toml_file.parse(TEXT, name="x.toml")
    assert source.lines[path] == line
    value = content
    for key in path:
        value = value[key]  # type: ignore[index]


def test_nothing_is_found_that_is_not_there() -> None:
    content, source = toml_file.parse(TEXT, name="x.toml")
    for path in source.lines:
        value = content
        for key in path:
            value = value[key]  # type: ignore[index]


def test_what_is_no_toml_says_in_which_line() -> None:
    with pytest.raises(Faulty, match=r"x\.toml:2: "):
        toml_file.parse("a = 1\nb = ?\n", name="x.toml")
    with pytest.raises(Faulty, match=r"x\.toml:2: "):
        toml_file.parse('a = 1\nb = "', name="x.toml")


class Cell(BaseModel):
    """What a row is made of."""

    model_config = ConfigDict(extra="forbid")

    x: int
    y: int


class Table(BaseModel):
    """A file of cells."""

    cells: list[Cell]


def test_all_errors_are_told_in_the_order_of_the_lines() -> None:
    text = '[[cells]]\nx = "a"\n\n[[cells]]\nz = 1\ny = 2\nx = 3\n'
    with pytest.raises(Faulty) as raised:
        toml_file.validate(Table, *toml_file.parse(text, name="x.toml"), context={})
    assert [(fault.line, fault.field) for fault in raised.value.faults] == [
        (1, "cells.0.y"),
        (2, "cells.0.x"),
        (5, "cells.1.z"),
    ]
    assert "x.toml:5: cells.1.z: There is no such field" in str(raised.value)
