"""PDF documents from typst templates: accessible, and the same for the same data."""

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

import structlog
import typst

from shared.errors import Busy

log = structlog.get_logger()

# Templates import each other by paths from here, and read nothing beyond.
ROOT = Path(__file__).parents[1]
FONT = "Noto Sans CJK TC"
# Refuses a document without title, language or words for its pictures.
ACCESSIBLE: Final = "ua-1"
MAIN = """\
#import "/shared/templates/pdf/page.typ": leaf
#import "{template}": paper
#let told = json(bytes({told}))
#show: leaf.with(..told.about)
#paper(told.data)
"""
# A document takes some milliseconds; whoever would wait behind this many is told to come back.
LONGEST_QUEUE = 128


class NoChineseFont(Exception):
    """Documents need the font Noto Sans CJK TC: Debian's package is fonts-noto-cjk."""

    def __str__(self) -> str:
        return str(self.__doc__)


class Pdf:
    """Renders the documents of one folder of templates."""

    def __init__(self, folder: Path, *, workers: int = 1) -> None:
        self._folder = folder.resolve().relative_to(ROOT)
        # typst releases the interpreter's lock, and a compiler is one thread's at a time. Reused,
        # it keeps what it has parsed and shaped: a few milliseconds for a page instead of sixty.
        self._compilers = threading.local()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="pdf")
        self._pending = 0

    async def render(
        self, name: str, data: Mapping[str, object], *, title: str, language: str
    ) -> bytes:
        """Fill in a template: `name` is its file's, `data` what its `paper` is given.

        Octets (a photograph) arrive in the template as what its `picture` takes.
        """
        if self._pending >= LONGEST_QUEUE:
            raise Busy
        main = self._write_main(name, data, title=title, language=language)
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._compile, name, main)
        finally:
            self._pending -= 1

    def _write_main(
        self, name: str, data: Mapping[str, object], *, title: str, language: str
    ) -> bytes:
        # What is told stands in the main file, since a compiler whose inputs change reads every
        # file anew. A string of JSON is one of typst as well: nothing in it is read as markup.
        tag, *rest = language.split("-")
        told = {
            "about": {"title": title, "language": tag, "region": rest[-1] if rest else "GB"},
            "data": data,
        }
        string = _to_json(_to_json(told))
        return MAIN.format(template=f"/{self._folder}/{name}.typ", told=string).encode()

    def _compile(self, name: str, main: bytes) -> bytes:
        try:
            return self._compile_as(ACCESSIBLE, main)
        except typst.TypstError as error:
            # A rare letter of a name that no font has must not keep people from their document. It
            # shows as a box, and only the claim to be accessible throughout is left out.
            if "could not be displayed with font" not in str(error):
                raise
            log.warning("document with a letter that no font has", template=name)
            return self._compile_as(None, main)

    def _compile_as(self, standard: "typst.PDFStandard | None", main: bytes) -> bytes:
        made = self._compiler().compile(
            input=main, format="pdf", pdf_standards=standard, timestamp=0
        )
        assert isinstance(made, bytes)
        return made

    def _compiler(self) -> typst.Compiler:
        if not hasattr(self._compilers, "mine"):
            self._compilers.mine = typst.Compiler(
                root=str(ROOT), font_paths=_fonts(), ignore_system_fonts=True
            )
        compiler: typst.Compiler = self._compilers.mine
        return compiler


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> list[int] | str:
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} has to be written out for a document")


@cache
def _fonts() -> typst.Fonts:
    """Find the machine's fonts, once for all compilers."""
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
    if FONT not in fonts.families():
        raise NoChineseFont
    return fonts
