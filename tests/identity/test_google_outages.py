"""Signing in with Google when Google is away, broken, or has new keys."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientTimeout
from structlog.testing import capture_logs

from deploy.sandbox.issuer_keys import Fault
from services.identity import oidc
from tests.conftest import MakeDatabase
from tests.google import (
    EMAIL,
    come_back,
    count,
    go,
    open_google_site,
    set_out,
    sign_in,
)
from tests.issuer import SETTINGS, Running
from tests.site import Site, open_site

UNAVAILABLE = [
    Fault.FAILS,
    Fault.IS_SLOW,
    Fault.TALKS_NONSENSE,
    Fault.TALKS_WITHOUT_END,
    Fault.SENDS_ELSEWHERE,
]


@pytest.fixture
async def site(make_database: MakeDatabase, google: Running) -> AsyncIterator[Site]:
    async with open_google_site(make_database, google) as site:
        yield site


@pytest.mark.parametrize(
    "fault",
    [*UNAVAILABLE, Fault.NO_KEYS, Fault.NAMES_ANOTHER_ISSUER, Fault.NAMES_NO_ADDRESSES],
)
async def test_an_issuer_that_cannot_be_used_is_said_to_be_away(
    site: Site, google: Running, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.issuer.fault = fault
    with monkeypatch.context() as patched:
        patched.setattr(oidc, "TIMEOUT", ClientTimeout(total=0.2))
        answer = await go(site, "/identity/google")
    page = await answer.text()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert "Google 目前沒有回應" in page
    assert "Set-Cookie" not in answer.headers
    google.issuer.fault = Fault.NONE
    assert (await sign_in(site, google)).status == 303, "and as soon as it can be, people get in"


@pytest.mark.parametrize("fault", UNAVAILABLE)
async def test_an_issuer_that_goes_away_meanwhile_leaves_nothing_behind(
    site: Site, google: Running, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await google.be(await set_out(site), EMAIL)
    monkeypatch.setattr(oidc, "TIMEOUT", ClientTimeout(total=0.2))
    google.issuer.fault = fault
    with capture_logs() as logs:
        answer = await come_back(site, back)
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    assert await count(site) == (0, 0, 0)
    assert "exam.example" not in repr(logs)
    assert back.query["code"] not in repr(logs)


async def test_an_issuer_that_is_down_is_said_to_be_away(site: Site, google: Running) -> None:
    back = await google.be(await set_out(site), EMAIL)
    await google.server.close()
    assert (await come_back(site, back)).status == 503
    assert await count(site) == (0, 0, 0)


async def test_a_secret_the_issuer_does_not_know_is_our_fault_not_the_persons(
    make_database: MakeDatabase, google: Running
) -> None:
    more = {**SETTINGS, "oidc_issuer": google.issuer.url, "oidc_client_secret": "an old one"}
    async with open_site(make_database, "identity", **more) as site:
        with capture_logs() as logs:
            answer = await sign_in(site, google)
    assert answer.status == 503
    assert [line["reason"] for line in logs if line["event"] == "issuer unavailable"] == [
        "401 invalid_client"
    ]


async def test_many_who_set_out_at_once_have_the_issuer_asked_once(
    site: Site, google: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = oidc._ask

    async def noting(address: str, *form: dict[str, str]) -> dict[str, object]:
        asked.append(address)
        return await ask(address, *form)

    monkeypatch.setattr(oidc, "_ask", noting)
    await asyncio.gather(*(set_out(site) for _ in range(20)))
    assert len(asked) == 2, "its addresses, and its keys"


async def test_after_the_issuers_keys_changed_people_still_get_in(
    site: Site, google: Running
) -> None:
    await sign_in(site, google)
    google.issuer.rotate()
    assert (await sign_in(site, google, "li@exam.example")).status == 303
