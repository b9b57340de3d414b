"""Proofs: what candidates upload with an application is looked at before it is kept. No database.

Pictures are drawn anew, without what cameras write into them; other files must be PDFs.
"""

from collections.abc import Sequence

from services.payments.applications import LARGEST_PROOF_BYTES, MOST_PROOFS, NotAProof, Proof
from shared.pictures import Pictures, UnusablePicture

PDF_BEGINS, PDF_ENDS = b"%PDF-", b"%%EOF"
# Programs that make PDFs may write something after the end; not much.
PDF_END_WITHIN = 1024


async def clean(files: Sequence[bytes], pictures: Pictures) -> list[Proof]:
    """Make proofs of uploaded files, under names of ours, or refuse them."""
    if len(files) > MOST_PROOFS or any(len(file) > LARGEST_PROOF_BYTES for file in files):
        raise NotAProof
    return [await _clean(file, number, pictures) for number, file in enumerate(files, start=1)]


async def _clean(content: bytes, number: int, pictures: Pictures) -> Proof:
    if content.startswith(PDF_BEGINS) and PDF_ENDS in content[-PDF_END_WITHIN:]:
        return Proof(f"proof-{number}.pdf", content)
    try:
        picture = await pictures.clean(content)
    except UnusablePicture:
        raise NotAProof from None
    return Proof(f"proof-{number}.jpg", picture.content)
