"""Proofs: what candidates upload with an application is looked at before it is kept. No database.

Pictures are drawn anew, without what cameras write into them; other files must be PDFs.
"""

import asyncio
import io
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps

from services.payments.applications import LARGEST_PROOF_BYTES, MOST_PROOFS, NotAProof, Proof
from shared.errors import Busy

MOST_PIXELS = 25_000_000
# Enough to read the smallest print of a paper, and a fraction of what phones take.
LONGEST_EDGE = 2_400
QUALITY = 88
# Waiting behind this many takes some seconds; whoever comes then is told to come back.
LONGEST_QUEUE = 8
PDF_BEGINS, PDF_ENDS = b"%PDF-", b"%%EOF"
# Programs that make PDFs may write something after the end; not much.
PDF_END_WITHIN = 1024
PICTURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def clean(files: Sequence[bytes]) -> list[Proof]:
    """Make proofs of uploaded files, under names of ours, or refuse them."""
    if len(files) > MOST_PROOFS:
        raise NotAProof
    return [_clean(content, number) for number, content in enumerate(files, start=1)]


def _clean(content: bytes, number: int) -> Proof:
    if len(content) > LARGEST_PROOF_BYTES:
        raise NotAProof
    if content.startswith(PDF_BEGINS) and PDF_ENDS in content[-PDF_END_WITHIN:]:
        return Proof(f"proof-{number}.pdf", content)
    kind = next((kind for sign, kind in PICTURES.items() if content.startswith(sign)), None)
    if kind is None:
        raise NotAProof
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            drawn = _draw(opened)
    # Pillow's decoders raise all of these, depending on what is broken or too large.
    except (
        *(OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError),
        *(Image.DecompressionBombWarning, Image.DecompressionBombError),
    ):
        raise NotAProof from None
    return Proof(f"proof-{number}.jpg", drawn)


def _draw(opened: Image.Image) -> bytes:
    # A JPEG is decoded no larger than needed, which spares most of the memory.
    opened.draft(None, (LONGEST_EDGE, LONGEST_EDGE))
    upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    upright.info.clear()  # comments would be written again
    written = io.BytesIO()
    upright.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


class Proofs:
    """Looks at proofs without holding up anybody's page."""

    def __init__(self) -> None:
        # Pillow releases the interpreter's lock while it decodes: a thread is enough.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="proofs")
        self._pending = 0

    async def clean(self, files: Sequence[bytes]) -> list[Proof]:
        if self._pending >= LONGEST_QUEUE:
            raise Busy
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, clean, files)
        finally:
            self._pending -= 1
