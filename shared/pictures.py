"""Pictures: what people upload becomes a plain JPEG, off the event loop, by a bounded crew."""

import asyncio
import io
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from aiohttp import web
from PIL import ExifTags, Image

from shared.errors import Busy, Refused

FEWEST_BYTES = 25_000
MOST_BYTES = 3 * 1024 * 1024
MOST_PIXELS = 25_000_000
# Enough to read the smallest print of a card, and a fraction of what phones take.
LONGEST_EDGE = 2_400
# Below that nobody recognises a face or reads a name.
SHORTEST_EDGE = 100
QUALITY = 88
# Waiting behind this many takes some seconds; whoever comes then is told to come back.
LONGEST_QUEUE = 16

BEGINNINGS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
# What other programs look for anywhere in a file, in small letters. Nothing of it comes through the
# drawing anyway, so these are long enough not to occur by chance: `<svg` alone, with letters of
# either size, is in one of two hundred pictures of 3 MB.
FOREIGN_SIGNS = tuple(
    re.compile(sign)
    for sign in (
        rb"%pdf-\d\.\d",
        rb"<html[\s/>]",
        rb"<!doctype",
        rb"<script",
        rb"<svg[\s/][^<>]{0,299}\b(xmlns|on[a-z]+\s*=)",
        rb"<\?php\s",
        rb"rar!\x1a\x07",
        rb"7z\xbc\xaf\x27\x1c",
    )
)
# A ZIP archive is read from its end: this sign, and a comment of at most 64 KB after it.
END_OF_ZIP = b"PK\x05\x06"
LONGEST_ZIP_END = 22 + 65_535

ORIENTATION = ExifTags.Base.Orientation
# How a camera was held, and how its picture is turned upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


class UnusablePicture(Refused):
    """This file cannot be used as a picture."""

    status: ClassVar[int] = 422


class TooSmall(UnusablePicture):
    """This file is smaller than 25 KB: too little to see anything. Choose a sharper picture."""


class TooLarge(UnusablePicture):
    """This file is larger than 3 MB. Choose a smaller one, or take the picture in lower quality."""

    status: ClassVar[int] = 413


class NeitherJpegNorPng(UnusablePicture):
    """This file is neither a JPEG nor a PNG picture, whatever its name says."""

    status: ClassVar[int] = 415


class TooManyPixels(UnusablePicture):
    """This picture has more than 25 million pixels. Make it smaller and upload it again."""


class TooNarrow(UnusablePicture):
    """This picture is too narrow to see anything. Choose one that shows everything."""


class Broken(UnusablePicture):
    """This picture is broken: it cannot be shown. Take or save it again."""


class MoreThanAPicture(UnusablePicture):
    """There is something else inside this picture file. Take or save the picture again."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of ours, without anything but what is seen."""

    content: bytes
    width: int
    height: int


def clean(content: bytes, *, of_any_size: bool = False) -> Picture:
    """Make a picture of what was uploaded, upright and without metadata, or refuse it.

    `of_any_size`: however little there may be to see.
    """
    kind = _look_at(content)
    if len(content) < FEWEST_BYTES and not of_any_size:
        raise TooSmall
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            size = _fitting(opened)
            if min(size) < SHORTEST_EDGE and not of_any_size:
                raise TooNarrow
            return _draw(opened, size)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooManyPixels from None
    # Pillow's decoders raise all of these, depending on what is broken.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError):
        raise Broken from None


def _look_at(content: bytes) -> str:
    """Find what it is by its first bytes; refuse what is seen to be unusable without decoding."""
    if len(content) > MOST_BYTES:
        raise TooLarge
    kind = next((k for sign, k in BEGINNINGS.items() if content.startswith(sign)), None)
    if kind is None:
        raise NeitherJpegNorPng
    lowered = content.lower()
    if (
        any(sign.search(lowered) for sign in FOREIGN_SIGNS)
        or END_OF_ZIP in content[-LONGEST_ZIP_END:]
    ):
        raise MoreThanAPicture
    return kind


def _fitting(opened: Image.Image) -> tuple[int, int]:
    scale = min(1.0, LONGEST_EDGE / max(opened.size))
    return max(1, round(opened.width * scale)), max(1, round(opened.height * scale))


def _draw(opened: Image.Image, size: tuple[int, int]) -> Picture:
    # A JPEG is decoded no larger than needed, which spares most of the memory.
    opened.draft(None, size)
    picture = _in_colour(opened)
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    if turn := TURNS.get(opened.getexif().get(ORIENTATION) or 0):
        picture = picture.transpose(turn)
    picture.info.clear()  # comments would be written again
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return Picture(written.getvalue(), *picture.size)


def _in_colour(opened: Image.Image) -> Image.Image:
    """Decode into plain RGB; transparent parts become white, as they look on a page."""
    if opened.mode.startswith("I"):  # 16 bits of grey, of which 8 are seen
        return opened.convert("I").point(lambda grey: grey / 256).convert("L").convert("RGB")
    if not opened.has_transparency_data:
        return opened.convert("RGB")
    visible = opened.convert("RGBA")
    picture = Image.new("RGB", visible.size, "white")
    picture.paste(visible, mask=visible)
    return picture


class Pictures:
    """Cleans pictures without holding up anybody's page."""

    def __init__(self, *, workers: int, of_any_size: bool = False) -> None:
        # Pillow releases the interpreter's lock while it decodes: threads are enough.
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="pictures")
        self._clean = partial(clean, of_any_size=of_any_size)
        self._pending = 0

    async def clean(self, content: bytes) -> Picture:
        if self._pending >= LONGEST_QUEUE:
            raise Busy
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._clean, content)
        finally:
            self._pending -= 1


PICTURES = web.AppKey("pictures", Pictures)
