"""What becomes of an uploaded picture: plain, upright, not too large, and nothing but a picture."""

import io

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from shared import pictures as made
from shared.errors import Busy
from shared.pictures import NeitherJpegNorPng, Pictures, clean
from tests.enrollment.pictures import BLUE, RED, draw, exif, halves, open_, pad


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > pixel[2] + 100)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_becomes_a_plain_jpeg(kind: str) -> None:
    picture = clean(halves(kind))
    drawn = open_(picture.content)
    assert drawn.format == "JPEG"
    assert (drawn.width, drawn.height) == (picture.width, picture.height) == (400, 200)
    assert is_red(drawn.getpixel((50, 100)))
    assert not is_red(drawn.getpixel((350, 100)))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "1", "P", "LA", "RGBA", "I;16"])
def test_every_kind_of_colour_is_understood(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    grey = Image.frombytes("L", (200, 200), bytes(range(200)) * 200)
    picture = (
        grey.convert("I;16").point(lambda v: v * 256) if mode == "I;16" else grey.convert(mode)
    )
    written = io.BytesIO()
    picture.save(written, kind)
    drawn = open_(clean(pad(written.getvalue(), kind, 26_000)).content)
    assert drawn.mode == "RGB"
    dark, light = drawn.getpixel((5, 100)), drawn.getpixel((195, 100))
    assert isinstance(dark, tuple)
    assert isinstance(light, tuple)
    assert dark[0] < 60 < 120 < light[0]


def test_what_is_transparent_becomes_white() -> None:
    picture = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    written = io.BytesIO()
    picture.save(written, "PNG")
    drawn = open_(clean(pad(written.getvalue(), "PNG", 26_000)).content)
    assert drawn.getpixel((100, 100)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_made_upright(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (400, 200), RED)
    upright.paste(BLUE, (0, 100, 400, 200))  # red above, blue below
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = upright.transpose(undo[orientation]) if orientation in undo else upright
    written = io.BytesIO()
    held.save(written, kind, exif=exif(Orientation=orientation))
    drawn = open_(clean(pad(written.getvalue(), kind, 26_000)).content)
    assert drawn.size == (400, 200)
    assert is_red(drawn.getpixel((200, 20)))
    assert not is_red(drawn.getpixel((200, 180)))
    assert ExifTags.Base.Orientation not in drawn.getexif()


def test_nothing_but_the_picture_is_left() -> None:
    secret = b"SECRET-25.0330N-121.5654E"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", secret.decode())
    for content in (
        halves("JPEG", exif=exif(ImageDescription=secret.decode()), comment=secret),
        halves("PNG", exif=exif(ImageDescription=secret.decode()), pnginfo=notes),
        halves("JPEG") + secret,  # what phones add after the end of a picture
        halves("PNG") + secret,
    ):
        assert secret in content
        left = clean(content).content
        assert secret not in left
        assert b"Exif" not in left
        assert set(open_(left).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("size", [(6000, 3000), (3000, 4000), (2401, 100)])
def test_a_large_picture_is_made_smaller_and_keeps_its_shape(size: tuple[int, int]) -> None:
    picture = clean(draw(width=size[0], height=size[1]))
    assert max(picture.width, picture.height) == made.LONGEST_EDGE
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.05)


def test_a_small_picture_is_not_made_larger() -> None:
    picture = clean(draw(width=320, height=400))
    assert (picture.width, picture.height) == (320, 400)


async def test_a_queue_that_is_too_long_is_turned_away_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crew = Pictures(workers=1)
    assert (await crew.clean(halves())).width == 400
    monkeypatch.setattr(made, "LONGEST_QUEUE", 0)
    with pytest.raises(Busy):
        await crew.clean(halves())


async def test_a_refusal_does_not_keep_its_place_in_the_queue() -> None:
    crew = Pictures(workers=1)
    for _ in range(made.LONGEST_QUEUE + 1):
        with pytest.raises(NeitherJpegNorPng):
            await crew.clean(b"no picture")
    assert (await crew.clean(halves())).width == 400
