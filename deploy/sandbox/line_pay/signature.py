"""LINE Pay's signature, written from its description and shared with nobody."""

import base64
import hashlib
import hmac


def signature(*, secret: str, path: str, payload: bytes, nonce: str) -> str:
    """Sign a body of POST or a query of GET, as bytes: exactly what was sent."""
    digest = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    for part in (secret.encode(), path.encode(), payload, nonce.encode()):
        digest.update(part)
    return base64.b64encode(digest.digest()).decode()
