"""Puzzles: after many sign-ups from one network a browser has to work, or to wait, for the next."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from altcha.v1 import ChallengeOptions, Payload, create_challenge, solve_challenge

from services.identity import limits, puzzles
from tests.conftest import MakeDatabase
from tests.identity.test_signing_up import sign_up, waited
from tests.site import Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        yield site


async def make_suspicious(site: Site) -> None:
    for number in range(limits.SIGN_UPS_BEFORE_PUZZLE.most):
        email = f"p{number}@exam.example"
        assert (await sign_up(site, email=email, email_again=email)).status == 303


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


async def test_after_many_sign_ups_from_one_network_a_puzzle_has_to_be_solved(site: Site) -> None:
    assert "data-puzzle" not in await (await site.client.get("/identity/sign-up")).text()
    await make_suspicious(site)
    refused = await sign_up(site)
    assert refused.status == 422
    assert "請在此頁開啟一分鐘後" in await refused.text()

    challenge = create_challenge(
        ChallengeOptions(
            algorithm="SHA-256",
            max_number=puzzles.HARDEST_NUMBER,
            hmac_key=puzzles._key(site.vault),
            expires=datetime.now(UTC) + timedelta(minutes=5),
        )
    )
    found = solve_challenge(challenge)
    assert found
    payload = Payload(
        "SHA-256", challenge.challenge, found.number, challenge.salt, challenge.signature
    )
    solution = payload.to_base64()
    assert (await sign_up(site, solution=solution)).status == 303
    assert (await sign_up(site, solution=solution)).status == 422, "a solution opens once"
    forged = Payload("SHA-256", challenge.challenge, found.number, challenge.salt, "0" * 64)
    assert (await sign_up(site, solution=forged.to_base64())).status == 422


async def test_without_script_waiting_a_minute_is_enough_once(site: Site) -> None:
    await make_suspicious(site)
    page = await (await site.client.get("/identity/sign-up")).text()
    assert (await sign_up(site, ticket=hidden(page, "ticket"))).status == 422, "not waited yet"
    ticket = waited(site)
    assert (await sign_up(site, **ticket)).status == 303
    assert (await sign_up(site, **ticket)).status == 422
    assert (await sign_up(site, ticket="nonsense")).status == 422
