"""What the sandbox's issuer signs with, and its tokens: right, or wrong on demand."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Algorithm = Literal["RS256", "ES256"]
RSA_BITS = 2048
AN_HOUR = 3600


class Fault(StrEnum):
    """What the issuer does wrong, so that a client can be seen to notice."""

    NONE = "none"
    # In what the token says.
    WRONG_NONCE = "wrong-nonce"
    WRONG_AUDIENCE = "wrong-audience"
    OTHER_PARTY = "other-party"
    OTHER_ISSUER_IN_TOKEN = "other-issuer-in-token"  # noqa: S105 (a name)
    EXPIRED = "expired"
    NO_EMAIL = "no-email"
    NULL_EMAIL = "null-email"
    STRANGE_EMAIL = "strange-email"
    NO_SUBJECT = "no-subject"
    # In how it is signed.
    WRONG_SIGNATURE = "wrong-signature"
    UNKNOWN_KEY = "unknown-key"
    OTHER_KIND_OF_KEY = "other-kind-of-key"
    UNSIGNED = "unsigned"
    SIGNED_WITH_PUBLIC_KEY = "signed-with-public-key"
    # In how the issuer answers programs.
    FAILS = "fails"
    IS_SLOW = "is-slow"
    TALKS_NONSENSE = "talks-nonsense"
    TALKS_WITHOUT_END = "talks-without-end"
    SENDS_ELSEWHERE = "sends-elsewhere"
    NO_KEYS = "no-keys"
    NAMES_ANOTHER_ISSUER = "names-another-issuer"
    NAMES_NO_ADDRESSES = "names-no-addresses"


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair and the name it is published under."""

    key_id: str
    algorithm: Algorithm
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def published(self) -> dict[str, Any]:
        """Describe the public half as a JSON Web Key."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            document = RSAAlgorithm.to_jwk(public, as_dict=True)
        else:
            document = ECAlgorithm.to_jwk(public, as_dict=True)
        return {**document, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}


def make_key(algorithm: Algorithm) -> Key:
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if algorithm == "RS256":
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
    return Key(uuid4().hex[:12], algorithm, private)


def write_token(key: Key, claims: Mapping[str, Any], fault: Fault) -> str:
    """Sign what is said about a person, as well or as badly as was asked for."""
    said = _spoil(dict(claims), fault)
    if fault is Fault.UNSIGNED:
        return _by_hand({"alg": "none", "typ": "JWT", "kid": key.key_id}, said, secret=None)
    if fault is Fault.SIGNED_WITH_PUBLIC_KEY:
        public = key.private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return _by_hand({"alg": "HS256", "typ": "JWT", "kid": key.key_id}, said, secret=pem)
    if fault is Fault.UNKNOWN_KEY:
        key = make_key(key.algorithm)
    elif fault is Fault.WRONG_SIGNATURE:
        key = replace(make_key(key.algorithm), key_id=key.key_id)
    elif fault is Fault.OTHER_KIND_OF_KEY:
        other: Algorithm = "ES256" if key.algorithm == "RS256" else "RS256"
        key = replace(make_key(other), key_id=key.key_id)
    return jwt.encode(said, key.private, algorithm=key.algorithm, headers={"kid": key.key_id})


def _spoil(claims: dict[str, Any], fault: Fault) -> dict[str, Any]:
    wrong: dict[Fault, dict[str, Any]] = {
        Fault.WRONG_NONCE: {"nonce": "another nonce"},
        Fault.WRONG_AUDIENCE: {"aud": "another client"},
        Fault.OTHER_PARTY: {"aud": [claims["aud"], "another client"], "azp": "another client"},
        Fault.OTHER_ISSUER_IN_TOKEN: {"iss": "https://issuer.example"},
        Fault.EXPIRED: {"iat": claims["iat"] - 2 * AN_HOUR, "exp": claims["iat"] - AN_HOUR},
        Fault.NULL_EMAIL: {"email": None},
        Fault.STRANGE_EMAIL: {"email": "no address\r\nBcc: all@exam.example"},
        Fault.NO_SUBJECT: {"sub": ""},
    }
    if fault is Fault.NO_EMAIL:
        del claims["email"]
    return claims | wrong.get(fault, {})


def _by_hand(header: Mapping[str, str], claims: Mapping[str, Any], *, secret: bytes | None) -> str:
    """Write a token that no decent library writes."""
    signed = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(secret, signed, hashlib.sha256) if secret else b""
    return (signed + b"." + encode(signature)).decode()


def encode(content: bytes) -> bytes:
    """Encode as JSON Web Tokens do, without padding."""
    return urlsafe_b64encode(content).rstrip(b"=")
