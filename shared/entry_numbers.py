"""ID number and secret number: what a Confirmation of Entry shows, and its holder proves to hold.

The ID number names an entry and is no secret. The secret number has four digits only, so whoever
checks it counts the tries; other services than enrollment know its keyed digest alone.
"""

import hmac
import re

from shared.vault import Vault

ID_NUMBER = re.compile(r"[A-Z0-9]{9}")
SECRET_NUMBER = re.compile(r"[0-9]{4}")
PURPOSE = "secret number of an entry"


def read_id_number(typed: str) -> str | None:
    """Return an ID number in its one form, or None: small letters and spaces are forgiven."""
    number = "".join(typed.split()).upper()
    return number if ID_NUMBER.fullmatch(number) else None


def digest(vault: Vault, *, id_number: str, secret_number: str) -> str:
    """Digest a secret number so that nobody without the key can find it by trying all."""
    return vault.blind_index(f"{id_number} {secret_number}".encode(), purpose=PURPOSE).hex()


def is_secret_number(
    vault: Vault, *, id_number: str, secret_number: str, expected_digest: str
) -> bool:
    found = digest(vault, id_number=id_number, secret_number=secret_number)
    return hmac.compare_digest(found, expected_digest)
