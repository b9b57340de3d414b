"""OpenID Connect: an authorization-code flow with PKCE, against any issuer. No database here."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr
from yarl import URL

SCOPES = "openid email profile"
TIMEOUT = ClientTimeout(total=10)
# The issuer's addresses and keys change rarely; when a key is unknown they are read again.
CONFIGURATION_LASTS_SECONDS = 3600.0
ALGORITHMS = ["RS256", "ES256", "EdDSA"]
CLOCK_SKEW_SECONDS = 60


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
        self._keys: dict[str, Any] = {}
        self._read_at = float("-inf")

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
        if not secrets.compare_digest(query.get("state", "").encode(), attempt.state.encode()):
            raise NotProved("state")
        if "code" not in query:
            raise NotProved(query.get("error", "no code"))
        configuration = await self._configure()
        answer = await self._post(
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
        claims = await self._read(str(answer.get("id_token", "")))
        if not secrets.compare_digest(
            str(claims.get("nonce", "")).encode(), attempt.nonce.encode()
        ):
            raise NotProved("nonce")
        return Proof(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=str(claims.get("email", "")),
            email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name", "")),
        )

    async def _read(self, token: str) -> dict[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            if key_id not in self._keys:
                await self._configure(afresh=True)
            claims: dict[str, Any] = jwt.decode(
                token,
                self._keys[key_id],
                algorithms=ALGORITHMS,
                audience=self._client_id,
                issuer=[self._issuer, self._issuer + "/"],
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["sub", "iss", "aud", "exp", "iat"]},
            )
        except (jwt.InvalidTokenError, KeyError) as error:
            raise NotProved(repr(error)) from error
        return claims

    async def _configure(self, *, afresh: bool = False) -> Mapping[str, Any]:
        age = time.monotonic() - self._read_at
        if afresh or age > CONFIGURATION_LASTS_SECONDS:
            found = await self._get(f"{self._issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                raise IssuerUnavailable("the issuer names itself differently")
            keys = await self._get(found["jwks_uri"])
            self._keys = {key.key_id or "": key.key for key in jwt.PyJWKSet.from_dict(keys).keys}
            self._configuration, self._read_at = found, time.monotonic()
        return self._configuration

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            async with ClientSession(timeout=TIMEOUT) as session, session.get(address) as answer:
                answer.raise_for_status()
                document: dict[str, Any] = await answer.json()
                return document
        except (ClientError, TimeoutError, ValueError) as error:
            raise IssuerUnavailable(repr(error)) from error

    async def _post(self, address: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            async with (
                ClientSession(timeout=TIMEOUT) as session,
                session.post(address, data=form) as answer,
            ):
                if answer.status in {400, 401}:
                    raise NotProved(f"the issuer refused the code: {answer.status}")
                answer.raise_for_status()
                document: dict[str, Any] = await answer.json()
                return document
        except (ClientError, TimeoutError, ValueError) as error:
            raise IssuerUnavailable(repr(error)) from error
