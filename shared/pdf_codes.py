"""Codes that machines read from paper, as drawings for documents: QR and Code 39."""

import segno
from barcode.codex import Code39

# Empty modules to the left and right, without which scanners do not find a bar code.
QUIET_ZONE = 10


def qr(text: str) -> str:
    """Draw a QR code that can still be read with a seventh of it missing; with its quiet zone."""
    return str(segno.make_qr(text, error="m").svg_inline(omitsize=True))


def code39(text: str) -> str:
    """Draw a Code 39 without check character, a unit high and to be stretched."""
    modules = "0" * QUIET_ZONE + Code39(text, add_checksum=False).build()[0] + "0" * QUIET_ZONE
    bars = "".join(f"M{place} 0h1v1h-1z" for place, module in enumerate(modules) if module == "1")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(modules)} 1"'
        f' preserveAspectRatio="none"><path d="{bars}"/></svg>'
    )
