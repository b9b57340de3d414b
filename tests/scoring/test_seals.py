"""A seal says what was signed, and nothing that was changed by one byte."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.rules import masks, seals
from services.scoring.rules.seals import NotSealed, UnknownKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
KEYS = {seals.key_id_of(PUBLIC): PUBLIC}
CLAIMS = {"name": "王○同", "id_number": "******WLC", "outcome": {"level": "初級", "total": "80"}}
SEALED = seals.seal(CLAIMS, KEY)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.%/ "


def test_what_was_sealed_is_read_again() -> None:
    opened = seals.open_(SEALED, KEYS)
    assert (opened.claims, opened.key_id) == (CLAIMS, seals.key_id_of(PUBLIC))


@given(st.integers(0, len(SEALED) - 1), st.sampled_from(ALPHABET))
def test_one_changed_letter_and_it_is_no_seal(place: int, letter: str) -> None:
    changed = SEALED[:place] + letter + SEALED[place + 1 :]
    if changed != SEALED:
        with pytest.raises(NotSealed):
            seals.open_(changed, KEYS)


def test_every_single_bit_counts() -> None:
    octets = base64.urlsafe_b64decode(SEALED + "=" * (-len(SEALED) % 4))
    for place in range(len(octets) * 8):
        changed = bytearray(octets)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NotSealed):
            seals.open_(base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), KEYS)


@given(
    st.text(max_size=300) | st.integers(0, len(SEALED)).map(lambda n: SEALED[:n] + "A" * (n % 3))
)
def test_nothing_else_is_a_seal(text: str) -> None:
    if text != SEALED:
        with pytest.raises(NotSealed):
            seals.open_(text, KEYS)


def test_a_seal_of_somebody_elses_key_is_none_of_ours() -> None:
    theirs = seals.seal(CLAIMS, Ed25519PrivateKey.generate())
    with pytest.raises(UnknownKey):
        seals.open_(theirs, KEYS)


def test_a_key_that_only_calls_itself_ours_verifies_nothing() -> None:
    theirs = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(NotSealed):
        seals.open_(SEALED, {seals.key_id_of(PUBLIC): theirs})


def test_a_seal_is_found_in_an_address_and_in_a_page() -> None:
    address = f"https://exam.example{seals.PATH}{SEALED}"
    assert seals.find_in_text(address) == SEALED
    assert seals.find_in_text(json.dumps({"see": address})) == SEALED
    assert seals.find_in_pdf(f"<</URI({address})>>".encode()) == SEALED
    assert seals.find_in_text("https://exam.example/") is None


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王大同", "王○同"),
        ("王明", "王○"),
        ("王", "王○"),
        ("歐陽小明", "歐○○明"),
        ("TA-TUNG WANG", "T****** W***"),
        ("Ông Văn A", "Ô** V** A"),
        ("I", "I"),
    ],
)
def test_a_masked_name_is_recognised_and_not_read(name: str, masked: str) -> None:
    assert masks.mask_name(name) == masked


def test_of_a_number_the_end_is_shown() -> None:
    assert masks.mask_number("937803WLC") == "******WLC"
