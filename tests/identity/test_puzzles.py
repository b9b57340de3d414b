"""Puzzles: after many sign-ups from one network a browser has to work, or to wait, for the next."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from altcha.v1 import ChallengeOptions, Payload, create_challenge, solve_challenge
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.identity import limits, puzzles
from shared.vault import Vault
from tests.conftest import MakeDatabase
from tests.identity.test_signing_up import sign_up, waited
from tests.site import Site, open_site

VAULT = Vault([bytes(32)])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
PARTS = ["algorithm", "challenge", "number", "salt", "signature"]
likely = st.fixed_dictionaries({part: anything | st.just("SHA-256") for part in PARTS})


def written(solution: object) -> str:
    """Write a solution as the script does."""
    return base64.b64encode(json.dumps(solution).encode()).decode()


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


NESTED = base64.b64encode(b"[" * 10_000).decode()
NO_SOLUTIONS = [
    "MQ==",
    "bnVsbA==",
    "IiI=",
    "nonsense",
    written(" ".join(PARTS)),
    written(PARTS),
    written(dict.fromkeys(PARTS, 1)),
    written(dict.fromkeys(PARTS, "\ud800")),
    NESTED,
]


async def test_what_cannot_be_read_solves_no_puzzle(site: Site) -> None:
    await make_suspicious(site)
    for solution in NO_SOLUTIONS:
        assert (await sign_up(site, solution=solution)).status == 422


@settings(deadline=None)
@given(st.text() | anything.map(written) | likely.map(written))
@example(NESTED)
def test_nothing_that_was_made_up_is_a_solution(solution: str) -> None:
    assert puzzles._find_solved(VAULT, solution) is None


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda made: base64.urlsafe_b64encode(made).decode()))
def test_nothing_that_was_made_up_was_waited_for(ticket: str) -> None:
    assert puzzles._find_waited_for(VAULT, ticket, now=datetime.now(UTC)) is None
