"""Every sentence people can read, found in the code; `python -m shared.messages` files them."""

import ast
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from shared.i18n import LANGUAGES, locale_of

ROOT = Path(__file__).parent.parent

# Calls whose texts are sentences, in Python and in templates.
CALLS: dict[str, Any] = dict.fromkeys(("_", "gettext", "ngettext", "mark", "Says"))
JINJA_OPTIONS = {"trimmed": "true", "silent": "false"}


def locales_folders() -> list[Path]:
    return [ROOT / "shared" / "locales", *sorted(ROOT.glob("services/*/locales"))]


def find_messages(folder: Path) -> Catalog:
    """Find the sentences of the package that owns this locales folder."""
    package = folder.parent
    refusals = _find_refusals()
    found = Catalog()
    for path in sorted([*package.rglob("*.py"), *package.glob("templates/**/*.*")]):
        if "node_modules" not in path.parts:
            for message in _messages_in(path, refusals):
                found.add(message, locations=[(path.relative_to(ROOT).as_posix(), 1)])
    return found


def _messages_in(path: Path, refusals: set[str]) -> Iterator[str | tuple[str, ...]]:
    source = io.BytesIO(path.read_bytes())
    calls: Iterable[Any]
    if path.suffix == ".py":
        calls = extract_python(source, CALLS, (), {})
        yield from _refusals_in(ast.parse(source.getvalue()), refusals)
    else:
        calls = babel_extract(source, list(CALLS), (), JINJA_OPTIONS)
    for _, call, found, _ in calls:
        texts = (found,) if isinstance(found, str) else tuple(filter(None, found or ()))
        # Only ngettext takes two forms of one sentence; Says takes two sentences.
        if call == "ngettext" and texts:
            yield texts[:2]
        else:
            yield from texts


def _refusals_in(module: ast.Module, refusals: set[str]) -> Iterator[str]:
    # A refusal's docstring is what the person reads, so it is a sentence like any other.
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and node.name in refusals:
            text = ast.get_docstring(node)
            if text:
                yield " ".join(text.split())


def _find_refusals() -> set[str]:
    """Name every class that is a Refused, wherever its parents are defined."""
    parents = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for package in ("shared", "services")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
    }
    found = {"Refused"}
    while more := {name for name in parents if parents[name] & found} - found:
        found |= more
    return found - {"Refused"}


def update(folder: Path, language: str) -> None:
    """Bring one .po file up to date: new sentences empty, unused ones gone, the rest kept."""
    path = folder / f"{locale_of(language)}.po"
    kept = Catalog(locale=locale_of(language))
    if path.exists():
        kept = read_po(io.BytesIO(path.read_bytes()), locale=locale_of(language))
    shared = {m.id for m in find_messages(locales_folders()[0])} if _is_service(folder) else set()
    updated = Catalog(locale=locale_of(language), header_comment="# Sentences of Examhall.")
    for message in find_messages(folder):
        if message.id and message.id not in shared:
            old = kept.get(message.id)
            updated.add(message.id, old.string if old else "", locations=message.locations)
    text = io.BytesIO()
    write_po(text, updated, sort_by_file=True, include_lineno=False, omit_header=True, width=100)
    path.write_text(_header(updated) + text.getvalue().decode())


def _is_service(folder: Path) -> bool:
    return folder != locales_folders()[0]


def _header(catalogue: Catalog) -> str:
    # Babel's own header carries dates, which would change with every run.
    return (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {catalogue.locale_identifier}\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )


if __name__ == "__main__":
    for each_folder in locales_folders():
        for each_language, description in LANGUAGES.items():
            if not description.is_source:
                update(each_folder, each_language)
