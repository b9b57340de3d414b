"""Every sentence is there in every language, and no other."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from shared import messages
from shared.i18n import LANGUAGES, locale_of
from shared.messages import find_messages, locales_folders

TRANSLATED = [tag for tag, language in LANGUAGES.items() if not language.is_source]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [])


@pytest.fixture(params=locales_folders(), ids=lambda folder: folder.parent.name)
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(params=TRANSLATED)
def catalogue(request: pytest.FixtureRequest, folder: Path) -> list[Message]:
    source = (folder / f"{locale_of(request.param)}.po").read_bytes()
    assert b"fuzzy" not in source
    return [message for message in read_po(io.BytesIO(source)) if message.id]


def test_no_sentence_is_missing_or_left_over(folder: Path, catalogue: list[Message]) -> None:
    shared = {message.id for message in find_messages(locales_folders()[0])}
    own = {message.id for message in find_messages(folder) if message.id}
    expected = own if folder == locales_folders()[0] else own - shared
    assert {message.id for message in catalogue} == expected, "run `python -m shared.messages`"


def test_no_translation_is_empty(catalogue: list[Message]) -> None:
    assert [message.id for message in catalogue if not all(texts(message))] == []


def test_placeholders_and_links_survive_translation(catalogue: list[Message]) -> None:
    for message in catalogue:
        source = message.id if isinstance(message.id, str) else message.id[-1]
        for text in texts(message):
            assert placeholders(text) == placeholders(source)


def test_sentences_are_found_where_people_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    package = tmp_path / "services" / "demo"
    (package / "templates").mkdir(parents=True)
    (package / "templates" / "page.html").write_text(
        '{{ _("Hello") }}{% trans n=1 %}\n  {{ n }} day\n{% pluralize %}{{ n }} days{% endtrans %}'
    )
    (package / "places.py").write_text(
        "class Gone(errors.Refused):\n    '''It is\n    gone.'''\n\n"
        "class LongGone(Gone):\n    '''It is long gone.'''\n\n"
        "class Plain:\n    '''Nobody reads this.'''\n\n"
        "x: Annotated[str, Says('Enter x', wrong='Check x')] = mark('Fine')\n"
    )
    found = {message.id for message in find_messages(package / "locales") if message.id}
    assert found == {
        "Hello",
        ("%(n)s day", "%(n)s days"),
        "It is gone.",
        "It is long gone.",
        "Enter x",
        "Check x",
        "Fine",
    }
