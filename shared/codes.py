"""Codes that machines read, from paper or a screen: QR and Code 39."""

import io
import re
from typing import Any

import zxingcpp
from barcode.codex import Code39
from PIL import Image

# Empty modules to the left and right, without which scanners do not find a bar code.
QUIET_ZONE = 10
# Finding the best of a QR code's eight masks takes most of the time.
MASK = 3
BLACK = re.compile(rb"\0+")


def qr(text: str) -> str:
    """Draw a QR code that can still be read with a seventh of it missing; with its quiet zone."""
    dots = _qr(text)
    side = len(dots)
    black = "".join(
        f"M{run.start()} {y}h{len(run[0])}v1H{run.start()}z"
        for y, row in enumerate(dots)
        for run in BLACK.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges"><path d="{black}"/></svg>'
    )


def qr_picture(text: str) -> bytes:
    """The same as a PNG with a dot for each module, for a text that looks random as signatures do:
    one mask is as good as another there."""
    dots = _qr(text, data_mask=MASK)
    side = len(dots)
    png = io.BytesIO()
    Image.frombytes("L", (side, side), b"".join(dots)).convert("1").save(png, "png")
    return png.getvalue()


def _qr(text: str, **how: int) -> list[bytes]:
    """Make a code, row by row: an octet for each module, 0 is black."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", **how)
    image: Any = made.to_image()
    side = image.shape[0]
    dots = memoryview(image).tobytes()
    return [dots[start : start + side] for start in range(0, side * side, side)]


def code39(text: str) -> str:
    """Draw a Code 39 without check character, a unit high and to be stretched."""
    modules = "0" * QUIET_ZONE + Code39(text, add_checksum=False).build()[0] + "0" * QUIET_ZONE
    bars = "".join(f"M{place} 0h1v1h-1z" for place, module in enumerate(modules) if module == "1")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(modules)} 1"'
        f' preserveAspectRatio="none"><path d="{bars}"/></svg>'
    )
