"""The vault: what is encrypted is read back, and by nobody who changes or lacks something."""

import pytest
from cryptography.exceptions import InvalidTag

from shared.vault import Vault

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_was_encrypted_is_read_back() -> None:
    sealed = Vault([NEW]).encrypt(b"A123456789", purpose="id")
    assert b"A123456789" not in sealed
    assert Vault([NEW]).decrypt(sealed, purpose="id") == b"A123456789"


def test_the_same_text_is_encrypted_differently_each_time() -> None:
    vault = Vault([NEW])
    assert vault.encrypt(b"x", purpose="id") != vault.encrypt(b"x", purpose="id")


def test_an_older_secret_is_still_read_after_a_newer_one_was_added() -> None:
    sealed = Vault([OLD]).encrypt(b"x", purpose="id")
    assert Vault([NEW, OLD]).decrypt(sealed, purpose="id") == b"x"
    with pytest.raises(KeyError):
        Vault([NEW]).decrypt(sealed, purpose="id")


def test_a_changed_text_and_another_purpose_are_refused() -> None:
    vault = Vault([NEW])
    sealed = vault.encrypt(b"x", purpose="id")
    with pytest.raises(InvalidTag):
        vault.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), purpose="id")
    with pytest.raises(InvalidTag):
        vault.decrypt(sealed, purpose="passport")


def test_a_blind_index_is_stable_keyed_and_bound_to_its_purpose() -> None:
    index = Vault([OLD]).blind_index(b"x", purpose="id")
    assert Vault([NEW, OLD]).blind_index(b"x", purpose="id") == index
    assert Vault([NEW]).blind_index(b"x", purpose="id") != index
    assert Vault([OLD]).blind_index(b"x", purpose="passport") != index


@pytest.mark.parametrize("text", ["", "c2hvcnQ", "not base64 at all"])
def test_a_weak_or_broken_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Vault.from_setting(text)
