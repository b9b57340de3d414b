"""Documents that are bound are one document, in which nothing of any is lost."""

import re
import subprocess
from pathlib import Path

import pytest

from shared.pdf import Pdf
from shared.pdf_binding import Binding
from tests.shared.test_pdf import TEMPLATES, poppler, render

PEOPLE = ("王小明", "林怡君", "O'Brien (1 0 R)")


@pytest.fixture(scope="module")
def documents() -> Pdf:
    return Pdf(TEMPLATES)


async def make(documents: Pdf) -> list[bytes]:
    return [await render(documents, person=person) for person in PEOPLE]


def bind(parts: list[bytes]) -> bytes:
    binding = Binding()
    return b"".join([*(binding.add(part) for part in parts), binding.finish()])


async def test_it_reads_as_its_parts_do_one_after_the_other(documents: Pdf) -> None:
    parts = await make(documents)
    bound = bind(parts)
    assert poppler("pdftotext", bound, "-") == "".join(
        poppler("pdftotext", part, "-") for part in parts
    )
    assert re.search(r"Pages: +3\n", poppler("pdfinfo", bound))
    assert re.search(r"Tagged: +yes\n", poppler("pdfinfo", bound))


async def test_each_page_looks_as_it_did(documents: Pdf) -> None:
    parts = await make(documents)
    bound = bind(parts)
    for page, part in enumerate(parts, start=1):
        assert _draw(bound, page) == _draw(part, 1)


def _draw(document: bytes, page: int) -> bytes:
    words = ["pdftoppm", "-r", "40", "-f", str(page), "-l", str(page), "-"]
    return subprocess.run(words, input=document, capture_output=True, check=True).stdout


async def test_whoever_hears_it_hears_all_of_it(documents: Pdf) -> None:
    parts = await make(documents)
    whole, *heard = _hear(bind(parts))
    assert whole == "Document"
    assert heard == [
        "Part" if line == "Document" else line for part in parts for line in _hear(part)
    ]


def _hear(document: bytes) -> list[str]:
    """What a screen reader is told: the structure, and the words in it."""
    told = poppler("pdfinfo", document, "-struct-text")
    return [re.sub(r"\b\d+-U", "U", line.strip()) for line in told.splitlines()]


async def test_every_object_is_where_the_table_says_and_none_is_missing(documents: Pdf) -> None:
    bound = bind(await make(documents))
    [table] = re.findall(rb"startxref\n(\d+)\n%%EOF$", bound)
    lines = bound[int(table) :].splitlines()
    assert lines[0] == b"xref"
    count = int(lines[1].split()[1])
    placed = set()
    for number, line in enumerate(lines[2 : 2 + count]):
        place, _, kind = line.split()
        if kind == b"n":
            placed.add(number)
            assert bound[int(place) :].startswith(b"%d 0 obj" % number)
    heads = re.sub(rb"stream\n.*?\nendstream", b"", bound, flags=re.DOTALL)
    assert {int(number) for number in re.findall(rb"(?<!\()\b(\d+) 0 R\b", heads)} <= placed


async def test_the_same_parts_make_the_same_octets(documents: Pdf) -> None:
    assert bind(await make(documents)) == bind(await make(Pdf(Path(TEMPLATES))))


async def test_headings_of_tables_keep_their_names_apart(documents: Pdf) -> None:
    bound = bind(await make(documents))
    [names] = re.findall(rb"/IDTree<</Names\[([^\]]*)\]", bound)
    found = re.findall(rb"\(([^)]*)\)", names)
    assert found == sorted(set(found))
    assert {name.split(b"-")[0] for name in found} == {b"0", b"1", b"2"}
