"""The sandbox's OpenID Connect issuer, running, and a browser's way through it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, DummyCookieJar
from aiohttp.test_utils import TestServer
from yarl import URL

from deploy.one_machine import ports
from deploy.sandbox.app import create_app
from deploy.sandbox.issuer import Client, Issuer
from deploy.sandbox.issuer_keys import Algorithm
from tests.site import FROM_OUR_PAGE

CLIENT = Client("examhall", "a secret & more", "http://127.0.0.1/identity/google/callback")
SETTINGS = {"oidc_client_id": CLIENT.id, "oidc_client_secret": CLIENT.secret}


@dataclass
class Running:
    """An issuer that answers, and how to press its buttons."""

    issuer: Issuer
    server: TestServer
    session: ClientSession

    async def choose(self, address: str | URL, choice: str, **typed: str) -> URL:
        """Answer the issuer's page; return where the browser is sent."""
        answer = await self.session.post(
            address, data={"choice": choice, **typed}, headers=FROM_OUR_PAGE, allow_redirects=False
        )
        assert answer.status == 303, await answer.text()
        return URL(answer.headers["Location"])

    async def be(
        self, address: str | URL, email: str, *, name: str = "吳美玲", verified: str = "yes"
    ) -> URL:
        return await self.choose(address, "typed", email=email, name=name, verified=verified)

    async def redeem(
        self, form: Mapping[str, str], **headers: str
    ) -> tuple[int, dict[str, str], Mapping[str, str]]:
        answer = await self.session.post(
            f"{self.issuer.url}/token", data=form, headers=headers, allow_redirects=False
        )
        return answer.status, await answer.json(), answer.headers


@asynccontextmanager
async def run_issuer(
    *, algorithm: Algorithm = "ES256", slow_seconds: float = 0.5
) -> AsyncIterator[Running]:
    """Run the sandbox with an issuer whose keys are quickly made."""
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}/oidc"
    issuer = Issuer(url=url, client=CLIENT, algorithm=algorithm, slow_seconds=slow_seconds)
    server = TestServer(create_app(issuer=issuer), port=port)
    async with (
        server,
        ClientSession(cookie_jar=DummyCookieJar()) as session,
    ):
        yield Running(issuer, server, session)
