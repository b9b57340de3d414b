"""Plays an OpenID Connect issuer, strictly: what it grants, to whom, and what it refuses.

It stands in for Google where nobody wants to need a Google account. All it knows is in memory.
"""

import hashlib
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from multidict import MultiMapping
from yarl import URL

from deploy.sandbox.issuer_keys import AN_HOUR, Algorithm, Fault, Key, encode, make_key, write_token

CODE_LASTS_SECONDS = 60
# Nobody signs in that often on a sandbox; more would be a loop.
MOST_CODES = 1_000
# RFC 7636: what a verifier looks like, and the digest of one.
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class NotOurClient(Exception):
    """Whoever sent the browser is not registered: it is never sent back there."""


class Denied(Exception):
    """A request was refused, in one of the words of the protocol."""

    def __init__(self, error: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status

    @property
    def answer(self) -> dict[str, str]:
        described = {"error_description": self.description} if self.description else {}
        return {"error": self.error, **described}


@dataclass(frozen=True, slots=True)
class Client:
    """The one site that may have people signed in here."""

    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account at this issuer."""

    email: str
    name: str
    is_verified: bool

    @property
    def subject(self) -> str:
        """The same for an address for ever, and says nothing about it."""
        return hashlib.sha256(self.email.strip().casefold().encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants to know, and what it must be told with the answer."""

    redirect_uri: str
    scopes: frozenset[str]
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class _Grant:
    client_id: str
    asked: Asked
    person: Person
    expires_at: float


class Issuer:
    """An issuer at an address, with one client; what it does wrong can be chosen at any time."""

    def __init__(
        self,
        *,
        url: str,
        client: Client,
        algorithm: Algorithm = "RS256",
        fault: Fault = Fault.NONE,
        slow_seconds: float = 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.client = client
        self.fault = fault
        self.slow_seconds = slow_seconds
        self._clock = clock
        self._keys: list[Key] = [make_key(algorithm)]
        self._grants: dict[str, _Grant] = {}

    def rotate(self) -> None:
        """Sign with a new key from now on; the one before stays published."""
        self._keys = [make_key(self._keys[0].algorithm), self._keys[0]]

    def configuration(self) -> dict[str, Any]:
        """Describe the issuer: the discovery document."""
        addresses = {
            "authorization_endpoint": f"{self.url}/authorization",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        named = "https://issuer.example" if self.fault is Fault.NAMES_ANOTHER_ISSUER else self.url
        return {
            "issuer": named,
            **({} if self.fault is Fault.NAMES_NO_ADDRESSES else addresses),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self._keys[0].algorithm],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub", "email", "email_verified", "name"],
        }

    def key_set(self) -> dict[str, Any]:
        if self.fault is Fault.NO_KEYS:
            return {"keys": []}
        return {"keys": [key.published() for key in self._keys]}

    def check(self, query: MultiMapping[str]) -> Asked:
        """Read what a client asks for; `Denied` may be told to it, `NotOurClient` may not."""
        named = query.getall("client_id", []), query.getall("redirect_uri", [])
        if named != ([self.client.id], [self.client.redirect_uri]):
            raise NotOurClient
        _refuse_repetition(query)
        if query.get("response_type") != "code":
            raise Denied("unsupported_response_type", "only response_type=code")
        scopes = frozenset(query.get("scope", "").split(" "))
        if "openid" not in scopes:
            raise Denied("invalid_scope", "the scope must contain openid")
        if query.get("code_challenge_method") != "S256":
            raise Denied("invalid_request", "code_challenge_method must be S256")
        challenge = query.get("code_challenge", "")
        if not CHALLENGE.fullmatch(challenge):
            raise Denied("invalid_request", "code_challenge must be a SHA-256 digest in base64url")
        if query.get("prompt") == "none":
            raise Denied("login_required", "nobody is ever signed in here")
        state, nonce = query.get("state", ""), query.get("nonce", "")
        return Asked(self.client.redirect_uri, scopes, state, nonce, challenge)

    def grant(self, asked: Asked, person: Person) -> URL:
        """Send the person back with a code that stands for them."""
        now = self._clock()
        self._grants = {code: one for code, one in self._grants.items() if one.expires_at > now}
        if len(self._grants) >= MOST_CODES:
            raise Denied("temporarily_unavailable")
        code = secrets.token_urlsafe(32)
        self._grants[code] = _Grant(self.client.id, asked, person, now + CODE_LASTS_SECONDS)
        return self.go_back(asked.state, {"code": code})

    def go_back(self, state: str, answer: Mapping[str, str]) -> URL:
        """Where the browser is sent with this answer."""
        with_state = {"state": state} if state else {}
        return URL(self.client.redirect_uri).update_query({**answer, **with_state})

    def redeem(self, form: MultiMapping[str], authorization: str | None) -> dict[str, Any]:
        """Tell the client, and nobody else, whom a code stands for. A code is looked at once."""
        _refuse_repetition(form)
        client_id = self._authenticate(form, authorization)
        if "grant_type" not in form:
            raise Denied("invalid_request", "grant_type is missing")
        if form["grant_type"] != "authorization_code":
            raise Denied("unsupported_grant_type")
        for name in ("code", "redirect_uri", "code_verifier"):
            if not form.get(name):
                raise Denied("invalid_request", f"{name} is missing")
        grant = self._grants.pop(form["code"], None)
        now = self._clock()
        if grant is None or grant.expires_at <= now:
            raise Denied("invalid_grant", "the code is unknown, was used already or ran out")
        verifier = form["code_verifier"]
        proves = VERIFIER.fullmatch(verifier) and _digest(verifier) == grant.asked.challenge
        if (client_id, form["redirect_uri"]) != (grant.client_id, grant.asked.redirect_uri):
            raise Denied("invalid_grant", "the code was given to somebody else")
        if not proves:
            raise Denied("invalid_grant", "code_verifier does not fit code_challenge")
        return {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": AN_HOUR,
            "scope": " ".join(sorted(grant.asked.scopes & {"openid", "email", "profile"})),
            "id_token": write_token(self._keys[0], self._claims(grant, int(now)), self.fault),
        }

    def _claims(self, grant: _Grant, now: int) -> dict[str, Any]:
        person, asked = grant.person, grant.asked
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": grant.client_id,
            "sub": person.subject,
            "iat": now,
            "exp": now + AN_HOUR,
        }
        if asked.nonce:
            claims["nonce"] = asked.nonce
        if "email" in asked.scopes:
            claims |= {"email": person.email, "email_verified": person.is_verified}
        if "profile" in asked.scopes:
            claims["name"] = person.name
        return claims

    def _authenticate(self, form: MultiMapping[str], authorization: str | None) -> str:
        """Return whose program this is: it says so in the header or in the form, not in both."""
        if authorization is None:
            given = form.get("client_id", ""), form.get("client_secret", "")
        elif "client_secret" in form:
            raise Denied("invalid_request", "one way to authenticate, not two")
        else:
            given = _read_basic(authorization)
            if form.get("client_id", given[0]) != given[0]:
                raise Denied("invalid_client", status=401)
        wanted = self.client.id, self.client.secret
        # Both are compared, however the first comes out.
        fits = [
            secrets.compare_digest(one.encode(), other.encode())
            for one, other in zip(given, wanted, strict=True)
        ]
        if not all(fits):
            raise Denied("invalid_client", status=401)
        return self.client.id


def _refuse_repetition(given: MultiMapping[str]) -> None:
    for name in set(given):
        if len(given.getall(name)) > 1:
            raise Denied("invalid_request", f"{name} is given more than once")


def _read_basic(authorization: str) -> tuple[str, str]:
    kind, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if kind.lower() != "basic" or not colon:
        raise Denied("invalid_client", status=401)
    return unquote_plus(client_id), unquote_plus(secret)


def _digest(verifier: str) -> str:
    return encode(hashlib.sha256(verifier.encode()).digest()).decode()
