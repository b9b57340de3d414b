"""Pictures for tests: real ones, of any size, turned, annotated, and some that are none."""

import io
import random
import zlib
from typing import Any

from PIL import ExifTags, Image

RED, BLUE = (200, 30, 30), (30, 30, 200)


def draw(
    kind: str = "JPEG", *, width: int = 480, height: int = 640, mode: str = "RGB", **options: Any
) -> bytes:
    """Draw something with enough detail to be larger than 25 KB, the same every time."""
    noise = random.Random(1).randbytes(width * height // 64)
    grey = Image.frombytes("L", (width // 8, height // 8), noise[: (width // 8) * (height // 8)])
    picture = grey.resize((width, height), Image.Resampling.NEAREST).convert(mode)
    written = io.BytesIO()
    picture.save(written, kind, **({"quality": 95} if kind == "JPEG" else {}), **options)
    content = written.getvalue()
    # A file may be padded by what is skipped when it is read: no need for larger pictures.
    return content if len(content) > 25_000 else pad(content, kind, 25_600 - len(content))


def pad(content: bytes, kind: str, extra: int) -> bytes:
    """Add bytes that every reader skips: comments of a JPEG, a private chunk of a PNG."""
    if kind == "JPEG":
        padding = b""
        while extra > 0:
            size = min(extra, 60_000)
            padding += b"\xff\xfe" + (size + 2).to_bytes(2, "big") + b" " * size
            extra -= size + 4
        return content[:2] + padding + content[2:]
    body = b"prIv" + b" " * max(extra, 1)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return content[:33] + chunk + content[33:]


def open_(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def halves(kind: str = "JPEG", **options: object) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (400, 200), RED)
    picture.paste(BLUE, (200, 0, 400, 200))
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return pad(written.getvalue(), kind, 26_000)


def exif(**tags: object) -> bytes:
    data = Image.Exif()
    for name, value in tags.items():
        data[ExifTags.Base[name]] = value
    return data.tobytes()
