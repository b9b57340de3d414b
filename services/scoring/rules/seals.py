"""Seals: what a statement of results says, signed, and short enough for a QR code.

A seal is one word of an address. In it stand a mark of this format, which key signed, the
signature, and what is signed: JSON, deflated. Anybody who has the published keys can check it
without asking us. It says no more than the public page does: name and number are masked.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.scoring.rules import outcomes

# What a signature is of, so that it can be the signature of nothing else.
DOMAIN = b"examhall statement v1\x00"
FORMAT = b"\x01"
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
_SIGNED_FROM = len(FORMAT) + KEY_ID_BYTES + SIGNATURE_BYTES
# More is no statement, and would not fit into a QR code either.
LONGEST_SEAL = 1_500
LONGEST_CLAIMS = 8_000
# What nearly every statement says: what is known beforehand need not stand in the code, which is
# then smaller, read more easily, and drawn faster. A change of it is another FORMAT.
KNOWN = (
    b'"absent":true"disqualified":true"level":"\xe5\x9f\xba\xe7\xa4\x8e"papers":{"use-of-english":'
    b'"reading-and-writing":"advanced-intermediate-basic-national-m-2026-pass-amerit-distinction'
    b"yle-startersdelta-module-oneb1-preliminary-for-schoolsb2-firsta2-key-for-schools"
    b'{"exam":"basic","exam_date":"2026-0","id_number":"******WLC","name":"","outcome":{"grade":"'
    b'"level":"","overall":1,"papers":{"listening":1,"reading":1,"speaking":1,"writing":1}},'
    b'"sections":{"listening":"","reading":"","speaking":"","writing":""},"total":""},'
    b'"programme":"cambridge-english","programme":"hakka-115","result":"","sitting":"hakka-115-'
    b'","version":1}'
)
# Without a header and a checksum, which the signature makes needless.
RAW_DEFLATE = -15

# Where the public page of a statement is. Whoever holds a document finds the seal behind this.
PATH = "/scoring/statements/"
_IN_TEXT = re.compile(rf"{PATH}([A-Za-z0-9_-]{{100,{LONGEST_SEAL}}})")


class NotSealed(Exception):
    """This is no seal, or none that a known key signed."""


class UnknownKey(NotSealed):
    """The key that signed this is not among the known ones."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that was found to be true, and what it says."""

    key_id: bytes
    claims: Mapping[str, Any]


def key_id_of(public_key: bytes) -> bytes:
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


def seal(claims: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Sign what a statement says. The same claims and key always make the same seal."""
    packer = zlib.compressobj(9, wbits=RAW_DEFLATE, zdict=KNOWN)
    packed = packer.compress(outcomes.canonical(claims).encode()) + packer.flush()
    key_id = key_id_of(key.public_key().public_bytes_raw())
    signature = key.sign(DOMAIN + key_id + packed)
    return base64.urlsafe_b64encode(FORMAT + key_id + signature + packed).rstrip(b"=").decode()


def open_(text: str, keys: Mapping[bytes, bytes]) -> Seal:
    """Read a seal with the published keys, by their ids; nothing is read before it is verified."""
    octets = _decode(text)
    if not octets.startswith(FORMAT) or len(octets) <= _SIGNED_FROM:
        raise NotSealed
    key_id = octets[len(FORMAT) : len(FORMAT) + KEY_ID_BYTES]
    if key_id not in keys:
        raise UnknownKey
    signature, packed = octets[len(FORMAT) + KEY_ID_BYTES : _SIGNED_FROM], octets[_SIGNED_FROM:]
    try:
        key = Ed25519PublicKey.from_public_bytes(keys[key_id])
        key.verify(signature, DOMAIN + key_id + packed)
    except (InvalidSignature, ValueError):
        raise NotSealed from None
    claims: Mapping[str, Any] = json.loads(
        zlib.decompressobj(RAW_DEFLATE, zdict=KNOWN).decompress(packed, LONGEST_CLAIMS)
    )
    return Seal(key_id, claims)


def _decode(text: str) -> bytes:
    """Decode strictly: of every seal there is one way to write it."""
    if len(text) > LONGEST_SEAL:
        raise NotSealed
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise NotSealed from None
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != text:
        raise NotSealed
    return octets


def find_in_text(text: str) -> str | None:
    """Find the seal in an address, or in any text that has one."""
    found = _IN_TEXT.search(text)
    return found[1] if found else None


def find_in_pdf(document: bytes) -> str | None:
    """Find the seal of a statement in its file: the QR code there is also a link."""
    text = document.decode("latin-1")
    return find_in_text(text) or find_in_text(_inflated(document).decode("latin-1"))


def _inflated(document: bytes) -> bytes:
    """Unpack the parts of a document that are packed, as some programs do when they save it."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(packed, 1_000_000))
        except zlib.error:
            continue
    return b"\n".join(found)
