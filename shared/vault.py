"""Encryption at rest: what must be kept but not be read by whoever reads the database."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import AfterValidator, SecretStr

KEY_BYTES = 32
KEY_ID_BYTES = 4
NONCE_BYTES = 12


class Vault:
    """Keys derived from one secret, each for one purpose. The newest secret is listed first."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or any(len(secret) < KEY_BYTES for secret in secrets):
            raise ValueError(f"a secret key has at least {KEY_BYTES} bytes")
        self._secrets = {hashlib.sha256(s).digest()[:KEY_ID_BYTES]: s for s in secrets}

    @classmethod
    def from_setting(cls, text: str) -> "Vault":
        """Read secrets in base64url, separated by commas."""
        padded = (part.strip() + "=" * (-len(part.strip()) % 4) for part in text.split(","))
        return cls([base64.urlsafe_b64decode(part) for part in padded])

    def encrypt(self, plain: bytes, *, purpose: str) -> bytes:
        key_id = next(iter(self._secrets))
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._derive(key_id, purpose)).encrypt(nonce, plain, purpose.encode())
        return key_id + nonce + sealed

    def decrypt(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt, or raise: KeyError for an unknown secret, InvalidTag for a changed text."""
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        key = self._derive(key_id, purpose)
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], purpose.encode())

    def blind_index(self, plain: bytes, *, purpose: str) -> bytes:
        """A keyed digest by which equal texts are found without being readable.

        Always by the oldest secret, so that it stays the same when a newer one is added.
        """
        key = self._derive(list(self._secrets)[-1], f"{purpose} index")
        return hmac.digest(key, plain, "sha256")

    def _derive(self, key_id: bytes, purpose: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
        return kdf.derive(self._secrets[key_id])


VAULT = web.AppKey("vault", Vault)


def _is_usable(value: SecretStr) -> SecretStr:
    try:
        Vault.from_setting(value.get_secret_value())
    except ValueError as error:
        raise ValueError(f"not usable: {error}") from None
    return value


# A setting that holds the secrets of a vault.
SecretKey = Annotated[SecretStr, AfterValidator(_is_usable)]
