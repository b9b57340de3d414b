"""What is refused instead of a picture: too small, too large, broken, a bomb, or something else."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from shared import pictures as made
from shared.pictures import (
    Broken,
    MoreThanAPicture,
    NeitherJpegNorPng,
    TooLarge,
    TooManyPixels,
    TooNarrow,
    TooSmall,
    UnusablePicture,
    clean,
)
from tests.enrollment.pictures import draw, exif, halves, open_, pad


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_has_at_least_25_kb_and_at_most_3_mb(kind: str) -> None:
    content = halves(kind)
    few = len(content) - made.FEWEST_BYTES
    assert clean(content).width == 400
    small = pad(halves(kind), kind, 0)
    assert few > 0
    assert clean(pad(small, kind, 2_900_000)).width == 400
    with pytest.raises(TooLarge):
        clean(pad(content, kind, 3 * 1024 * 1024))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_tiny_file_is_refused(kind: str) -> None:
    written = io.BytesIO()
    Image.new("RGB", (200, 200)).save(written, kind)
    with pytest.raises(TooSmall):
        clean(written.getvalue())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + b"\x00" * 30_000,
        b"%PDF-1.7\n" + b" " * 30_000,
        b"<svg xmlns='http://www.w3.org/2000/svg'></svg>" + b" " * 30_000,
        b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 30_000,
        b"BM" + b"\x00" * 30_000,
        b"II*\x00" + b"\x00" * 30_000,  # TIFF
        b"\x00\x00\x00\x18ftypheic" + b"\x00" * 30_000,
        b"\x89PNG\r\n" + b"\x00" * 30_000,  # not quite
        b"MZ" + b"\x00" * 30_000,
    ],
)
def test_what_is_neither_jpeg_nor_png_is_refused(content: bytes) -> None:
    with pytest.raises(NeitherJpegNorPng):
        clean(content)


def test_another_format_of_pillows_is_not_opened_under_a_jpegs_name() -> None:
    written = io.BytesIO()
    Image.frombytes("L", (300, 300), bytes(90_000)).save(written, "TIFF")
    with pytest.raises(Broken):
        clean(b"\xff\xd8\xff" + written.getvalue())


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_broken_picture_is_refused(kind: str) -> None:
    content = draw(kind, width=1600, height=1600)
    for broken in (
        content[: len(content) // 2] + b"\x00" * 30_000,
        content[:200] + b"\x00" * 30_000,
        content[:8] + b"\xff" * 30_000,
    ):
        with pytest.raises(Broken):
            clean(broken)


def test_a_picture_that_ends_too_early_is_refused() -> None:
    content = draw("JPEG", width=1600, height=1600)
    with pytest.raises(Broken):
        clean(content[:-5_000])


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge: a few kilobytes that would fill gigabytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checked = name + body
        return len(body).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    body = zlib.compress(bytes(10_000_000), 9)
    return pad(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""),
        "PNG",
        26_000,
    )


@pytest.mark.parametrize("size", [(5_001, 5_000), (20_000, 20_000), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(TooManyPixels):
        clean(bomb(*size))


def test_a_huge_jpeg_is_refused() -> None:
    written = io.BytesIO()
    Image.new("L", (6_000, 6_000)).save(written, "JPEG")
    with pytest.raises(TooManyPixels):
        clean(written.getvalue())


@pytest.mark.parametrize("size", [(20_000, 8), (99, 400), (20_000, 800)])
def test_a_strip_on_which_nothing_is_seen_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooNarrow):
        clean(draw(width=size[0], height=size[1]))


def test_a_chunk_that_unpacks_to_very_much_is_refused() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("x", "x" * 70_000_000, zip=True)
    with pytest.raises(Broken):
        clean(halves("PNG", pnginfo=notes))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken metadata
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@given(
    changes=st.lists(
        st.tuples(st.integers(min_value=8, max_value=26_000), st.integers(0, 255)), max_size=20
    )
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_broken_is_a_picture_or_a_refusal(
    kind: str, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(halves(kind, exif=exif(Orientation=6)))
    for place, value in changes:
        # Every second change is near the beginning, where formats are told what to do.
        content[place if place % 2 else place % 700 + 8] = value
    try:
        picture = clean(bytes(content))
    except UnusablePicture:
        return
    assert open_(picture.content).size == (picture.width, picture.height)


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("run.exe", b"MZ" * 100)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "stowaway",
    [
        archive(),
        b"%PDF-1.7 1 0 obj",
        b"<ScRipt>alert(1)</script>",
        b"<HTML><body>",
        b"<!doctype html>",
        b"<svg onload='alert(1)'>",
        b"<SVG/OnLoad = alert(1)>",
        b'<svg viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg">',
        b"<?php system($_GET['x']); ?>",
        b"Rar!\x1a\x07\x00",
        b"7z\xbc\xaf\x27\x1c",
    ],
)
def test_a_picture_that_is_something_else_as_well_is_refused(kind: str, stowaway: bytes) -> None:
    with pytest.raises(MoreThanAPicture):
        clean(halves(kind) + stowaway)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "chance", [b"<sVg\x93\x07", b"<SVG \xf1>", b"<HtmL\x00", b"%pDf-\x9a", b"<?pHp\xd2"]
)
def test_a_few_letters_by_chance_are_no_stowaway(kind: str, chance: bytes) -> None:
    assert clean(halves(kind) + chance).width == 400


def test_a_few_letters_by_chance_within_a_picture_are_none_either() -> None:
    assert clean(halves("JPEG", comment=b"\x8f<sVg\x93")).width == 400


def test_a_stowaway_in_a_comment_is_found_too() -> None:
    with pytest.raises(MoreThanAPicture):
        clean(halves("JPEG", comment=b"<script>alert(1)</script>"))
