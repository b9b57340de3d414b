"""OpenID Connect: an authorization-code flow with PKCE, against any issuer. No database here."""

import asyncio
import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, hdrs
from pydantic import SecretStr
from yarl import URL

SCOPES = "openid email profile"
# Three answers are waited for at most; together that is less than a gateway waits.
TIMEOUT = ClientTimeout(total=5)
# Google's answers are 2 KB; more than this is not an answer.
LARGEST_ANSWER = 128 * 1024
# The issuer's addresses and keys change rarely; when a key is unknown they are read again.
CONFIGURATION_LASTS_SECONDS = 3600.0
ALGORITHMS = ["RS256", "ES256", "EdDSA"]
CLOCK_SKEW_SECONDS = 60
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class IssuerUnavailable(Exception):
    """The issuer did not answer, or not as it should."""


class NotProved(Exception):
    """What came back proves nothing: wrong state, nonce, signature, audience, or time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in must remember until the person comes back from the issuer."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Who somebody is, in the issuer's words."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str


def new_attempt() -> Attempt:
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


class Issuer:
    """One OpenID Connect issuer, such as Google."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: SecretStr, redirect_url: str
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._configuration: Mapping[str, Any] = {}
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def start_address(self, attempt: Attempt) -> str:
        """Where the browser goes to sign in."""
        configuration = await self._configure()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "scope": SCOPES,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return str(URL(configuration["authorization_endpoint"]).update_query(query))

    async def prove(self, attempt: Attempt, query: Mapping[str, str]) -> Proof:
        """Turn what the browser brought back into a proof."""
        if not _same(query.get("state"), attempt.state):
            raise NotProved("state")
        if "code" not in query:
            raise NotProved(_word(query.get("error")))
        configuration = await self._configure()
        answer = await _ask(
            configuration["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": query["code"],
                "redirect_uri": self._redirect_url,
                "client_id": self._client_id,
                "client_secret": self._client_secret.get_secret_value(),
                "code_verifier": attempt.verifier,
            },
        )
        claims = await self._read(_text(answer, "id_token"))
        if not _same(claims.get("nonce"), attempt.nonce):
            raise NotProved("nonce")
        if not _text(claims, "sub"):
            raise NotProved("no subject")
        return Proof(
            issuer=self._issuer,
            subject=_text(claims, "sub"),
            email=_text(claims, "email"),
            email_verified=claims.get("email_verified") is True,
            name=_text(claims, "name"),
        )

    async def _read(self, token: str) -> dict[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            if key_id not in self._keys:
                await self._configure(afresh=True)
            if key_id not in self._keys:
                raise NotProved("signed with an unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                # With the algorithm it was published for: the token does not choose one.
                self._keys[key_id],
                algorithms=ALGORITHMS,
                audience=self._client_id,
                issuer=[self._issuer, self._issuer + "/"],
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["sub", "iss", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise NotProved(type(error).__name__) from error
        if claims.get("azp", claims["aud"]) not in (self._client_id, [self._client_id]):
            raise NotProved("given to another client")
        return claims

    async def _configure(self, *, afresh: bool = False) -> Mapping[str, Any]:
        age = time.monotonic() - self._read_at
        if afresh or age > CONFIGURATION_LASTS_SECONDS:
            # However many people wait for it, the issuer is asked once.
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_configuration())
            await asyncio.shield(self._reading)
        return self._configuration

    async def _read_configuration(self) -> None:
        found = await _ask(f"{self._issuer}/.well-known/openid-configuration")
        if _text(found, "issuer").rstrip("/") != self._issuer:
            raise IssuerUnavailable("the issuer names itself differently")
        for name in ENDPOINTS:
            # Nobody between us and the issuer may read what is sent there.
            if not _text(found, name).startswith(self._issuer.partition(":")[0] + "://"):
                raise IssuerUnavailable(f"no usable {name}")
        published = (await _ask(found["jwks_uri"])).get("keys")
        try:
            keys = jwt.PyJWKSet(published if isinstance(published, list) else []).keys
        except (jwt.PyJWTError, AttributeError) as error:
            raise IssuerUnavailable("no usable keys") from error
        self._keys = {key.key_id or "": key for key in keys if key.public_key_use in {None, "sig"}}
        self._configuration, self._read_at = found, time.monotonic()


async def _ask(address: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a document from the issuer, or send it a form. Wherever else it points, we do not go."""
    method = hdrs.METH_GET if form is None else hdrs.METH_POST
    try:
        async with (
            ClientSession(timeout=TIMEOUT) as session,
            session.request(method, address, data=form, allow_redirects=False) as answer,
        ):
            if answer.status >= 500:
                raise IssuerUnavailable(str(answer.status))
            document = json.loads(await _read_all(answer))
    except (ClientError, TimeoutError, ValueError) as error:
        # By its kind only: its words may repeat what was sent.
        raise IssuerUnavailable(type(error).__name__) from error
    if not isinstance(document, dict):
        raise IssuerUnavailable("the answer is no document")
    if form is not None and document.get("error") == "invalid_grant":
        raise NotProved("invalid_grant")
    if answer.status != 200:
        raise IssuerUnavailable(f"{answer.status} {_word(document.get('error'))}")
    return document


async def _read_all(answer: ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise IssuerUnavailable("the answer does not end")
    return bytes(content)


def _text(document: Mapping[str, Any], name: str) -> str:
    """What stands there, if it is a text; a null is not the name of anybody."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _same(given: object, ours: str) -> bool:
    return isinstance(given, str) and secrets.compare_digest(given.encode(), ours.encode())


def _word(error: object) -> str:
    """An error as the protocol names them; anything else could be anything, and is not logged."""
    return error if isinstance(error, str) and re.fullmatch("[a-z_]{1,40}", error) else "unnamed"
