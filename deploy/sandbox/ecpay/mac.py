"""ECPay's CheckMacValue, written from its description and shared with nobody."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

NAME = "CheckMacValue"
# .NET leaves these as they are; "~" and "'" are not among them.
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.!*()")
SPACE = ord(" ")


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop, and the two secrets it shares with ECPay."""

    id: str
    key: str
    iv: str

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the fields with their CheckMacValue."""
        return {**fields, NAME: check_mac_value(fields, key=self.key, iv=self.iv)}

    def has_signed(self, fields: Mapping[str, str]) -> bool:
        right = check_mac_value(fields, key=self.key, iv=self.iv)
        return hmac.compare_digest(right.encode(), fields.get(NAME, "").encode())


def check_mac_value(fields: Mapping[str, str], *, key: str, iv: str) -> str:
    names = sorted((name for name in fields if name != NAME), key=lambda name: (name.lower(), name))
    pairs = [f"{name}={fields[name]}" for name in names]
    text = "&".join([f"HashKey={key}", *pairs, f"HashIV={iv}"])
    # Lower-cased before it is encoded: beyond ASCII, case must stay as it is.
    small = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in text.encode())
    encoded = "".join(_encode(byte) for byte in small)
    return hashlib.sha256(encoded.encode()).hexdigest().upper()


def _encode(byte: int) -> str:
    if byte in PLAIN:
        return chr(byte)
    return "+" if byte == SPACE else f"%{byte:02x}"
