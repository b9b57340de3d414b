"""Documents are what people and their machines can read, and the same for the same data."""

import asyncio
import io
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared import pdf
from shared.codes import code39, qr
from shared.errors import Busy
from shared.pdf import NoChineseFont, Pdf

TEMPLATES = Path(__file__).parent / "pdf"


def photo() -> bytes:
    octets = io.BytesIO()
    Image.new("RGB", (30, 40), "teal").save(octets, "PNG")
    return octets.getvalue()


async def render(documents: Pdf, *, language: str = "zh-Hant-TW", **changes: object) -> bytes:
    data = {
        "heading": "成績單",
        "person": "王小明",
        "rows": [["聽力測驗", Decimal("30.50")], ["口語測驗", 50]],
        "photo": photo(),
        "qr": qr("https://exam.example/verify/1"),
        "bars": code39("1105036EA"),
    }
    return await documents.render(
        "sample", data | changes, title="王小明的成績單", language=language
    )


@pytest.fixture(scope="module")
def documents() -> Pdf:
    return Pdf(TEMPLATES)


def poppler(program: str, document: bytes, *words: str) -> str:
    """Ask one of poppler's programs about a document."""
    done = subprocess.run(
        [program, *words, "-"], input=document, capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode(errors="replace")


def text(document: bytes) -> str:
    """Read a document without its spaces, which poppler takes from how far apart letters are."""
    return unspaced(poppler("pdftotext", document, "-"))


def unspaced(words: str) -> str:
    return "".join(words.split())


def about(document: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in poppler("pdfinfo", document).splitlines())
    return {name: value.strip() for name, _, value in lines}


async def test_chinese_can_be_searched_and_copied(documents: Pdf) -> None:
    found = text(await render(documents))
    for words in ("成績單", "王小明", "聽力測驗", "30.50", "口語測驗", "50"):
        assert words in found


async def test_fonts_travel_with_the_document_as_far_as_it_uses_them(documents: Pdf) -> None:
    document = await render(documents)
    fonts = poppler("pdffonts", document).splitlines()[2:]
    assert {line.split()[0].partition("+")[2].split("-")[0] for line in fonts} == {"NotoSansCJKtc"}
    for line in fonts:
        embedded, subset, unicode = line.split()[-5:-2]
        assert (embedded, subset, unicode) == ("yes", "yes", "yes")
    # The whole font would be 16 MB.
    assert len(document) < 50_000


@pytest.mark.parametrize(("language", "written"), [("zh-Hant-TW", b"zh-TW"), ("en", b"en-GB")])
async def test_screen_readers_are_told_title_language_and_structure(
    documents: Pdf, language: str, written: bytes
) -> None:
    document = await render(documents, language=language)
    told = about(document)
    assert (told["Title"], told["Tagged"], told["Pages"]) == ("王小明的成績單", "yes", "1")
    assert b"<dc:language><rdf:Bag><rdf:li>" + written in document
    assert b"<pdfuaid:part>1" in document
    structure = poppler("pdfinfo", document, "-struct")
    for part in ("H1", "Table", "TH", "TD", "Figure"):
        assert part in structure


async def test_the_same_data_make_the_same_file(documents: Pdf) -> None:
    document = await render(documents)
    assert await render(documents) == document
    assert await render(Pdf(TEMPLATES)) == document
    assert await render(documents, person="王大明") != document
    assert "CreationDate" not in about(document)


@pytest.mark.parametrize(
    "typed",
    [
        "#panic()",
        '#read("/pyproject.toml")',
        "*bold* _slanted_ $x^2$ `raw`",
        "= heading",
        "<script>alert(1)</script>",
        "\\ \" ' ] [ ) ( } {",
        "https://exam.example/",
    ],
)
async def test_what_people_typed_is_text(documents: Pdf, typed: str) -> None:
    assert unspaced(typed) in text(await render(documents, person=typed))


@settings(max_examples=50, deadline=None)
@given(typed=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_no_name_keeps_anybody_from_a_document(documents: Pdf, typed: str) -> None:
    assert asyncio.run(render(documents, person=typed)).startswith(b"%PDF-")


async def test_a_letter_without_a_font_shows_as_a_box(documents: Pdf) -> None:
    """Names have letters that the household offices made up, in Unicode's private area."""
    document = await render(documents, person="王\ue000明")
    assert "聽力測驗" in text(document)
    assert about(document)["Tagged"] == "yes"
    assert b"<pdfuaid:part>" not in document


async def test_rare_letters_that_a_font_has_are_shown(documents: Pdf) -> None:
    document = await render(documents, person="𠮷野家")
    assert "𠮷野家" in text(document)
    assert b"<pdfuaid:part>1" in document


async def test_fifty_at_once_get_their_own() -> None:
    documents = Pdf(TEMPLATES, workers=4)
    people = [f"考生{number}號" for number in range(50)]
    made = await asyncio.gather(*(render(documents, person=person) for person in people))
    for person, document in zip(people, made, strict=True):
        assert person in text(document)


async def test_too_many_at_once_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "LONGEST_QUEUE", 3)
    documents = Pdf(TEMPLATES)
    made = await asyncio.gather(*(render(documents) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in made] == [bytes, bytes, bytes, Busy, Busy]
    assert (await render(documents)).startswith(b"%PDF-")


async def test_a_picture_without_words_is_refused(documents: Pdf) -> None:
    with pytest.raises(typst.TypstError, match="alt"):
        await documents.render("wordless", {"qr": qr("x")}, title="x", language="en")


async def test_what_has_to_be_written_out_first_is_refused(documents: Pdf) -> None:
    with pytest.raises(TypeError, match="object has to be written out"):
        await render(documents, person=object())


async def test_templates_read_nothing_outside_the_program(documents: Pdf) -> None:
    with pytest.raises(typst.TypstError, match="escape the project root"):
        await documents.render("outside", {}, title="x", language="en")


async def test_without_the_font_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pdf._fonts.cache_clear()
    monkeypatch.setattr(pdf, "FONT", "A Font That Is Nowhere")
    with pytest.raises(NoChineseFont, match="fonts-noto-cjk"):
        await render(Pdf(TEMPLATES))
