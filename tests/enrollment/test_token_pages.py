"""One's tokens on a page: made, shown once, and ended."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse

from services.enrollment.tokens import MOST_TOKENS, PREFIX
from services.identity import accounts
from shared.auth import Role
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.enrollment.candidates import open_hall
from tests.enrollment.programs import API
from tests.site import FROM_OUR_PAGE, Site

PAGE = "/enrollment/tokens/"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


@dataclass
class Owner:
    """Somebody signed in."""

    site: Site
    id: UUID
    cookie: Mapping[str, str]

    @classmethod
    async def arrive(cls, site: Site, *roles: Role) -> "Owner":
        return cls(site, *(await site.begin_session(*roles)))

    async def get(self) -> ClientResponse:
        headers = {**self.cookie, "Accept-Language": "en"}
        return await self.site.client.get(PAGE, headers=headers, allow_redirects=False)

    async def post(self, page: str = "", **form: str) -> ClientResponse:
        headers = {**FROM_OUR_PAGE, **self.cookie, "Accept-Language": "en"}
        return await self.site.client.post(
            PAGE + page, data=form, headers=headers, allow_redirects=False
        )

    async def make(self, **form: str) -> str:
        """Make a token as the page does; return what the page shows."""
        asked = {"token_id": str(uuid4()), "label": "school office", "days": "30", **form}
        answer = await self.post(**asked)
        page = await answer.text()
        assert answer.status == 200, page
        return page


def read_token(page: str) -> str:
    return PREFIX + page.partition(PREFIX)[2].partition("<")[0]


async def call(site: Site, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await site.client.get(f"{API}/registrations", headers=headers)).status


async def test_a_token_is_shown_once_and_works(site: Site) -> None:
    owner = await Owner.arrive(site)
    page = await (await owner.get()).text()
    assert "You have no token" in page
    assert "30 days" in page
    assert 'value="30" checked' in page
    token = read_token(await owner.make())
    assert await call(site, token) == 200
    page = await (await owner.get()).text()
    assert "school office" in page
    assert token not in page
    assert "never" not in page


async def test_the_answer_that_shows_it_is_kept_by_nobody(site: Site) -> None:
    owner = await Owner.arrive(site)
    answer = await owner.post(token_id=str(uuid4()), label="x", days="90")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_form_sent_twice_makes_one_token(site: Site) -> None:
    owner, token_id = await Owner.arrive(site), str(uuid4())
    await owner.make(token_id=token_id)
    answer = await owner.post(token_id=token_id, label="school office", days="30")
    assert answer.status == 409
    assert PREFIX not in await answer.text()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"label": ""}, "Enter what the token is for"),
        ({"label": "x" * 61}, "at most 60 characters"),
        ({"label": "a\0b"}, "at most 60 characters"),
        ({"days": ""}, "Choose how long"),
        ({"days": "31"}, "Choose how long"),
        ({"days": "x"}, "Choose how long"),
        ({"token_id": "x"}, "Open this page again"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    site: Site, wrong: dict[str, str], said: str
) -> None:
    owner = await Owner.arrive(site)
    asked = {"token_id": str(uuid4()), "label": "school office", "days": "30", **wrong}
    answer = await owner.post(**asked)
    page = await answer.text()
    assert answer.status == 422
    assert said in page
    if "label" not in wrong:
        assert 'value="school office"' in page
    assert await site.pools["enrollment"].fetchval("SELECT count(*) FROM api_tokens") == 0


async def test_a_revoked_token_works_no_more(site: Site) -> None:
    owner, stranger = await Owner.arrive(site), await Owner.arrive(site)
    token_id = str(uuid4())
    token = read_token(await owner.make(token_id=token_id))
    assert (await stranger.post(f"{token_id}/revocation")).status == 404
    assert await call(site, token) == 200
    assert (await owner.post(f"{token_id}/revocation")).status == 303
    assert await call(site, token) == 401
    assert "You have no token" in await (await owner.get()).text()
    assert (await owner.post("x/revocation")).status == 404


async def test_the_eleventh_is_refused_in_words(site: Site) -> None:
    owner = await Owner.arrive(site)
    for _ in range(MOST_TOKENS):
        await owner.make()
    page = await (await owner.get()).text()
    assert "You have ten tokens, which is the most" in page
    answer = await owner.post(token_id=str(uuid4()), label="x", days="30")
    assert answer.status == 409


async def test_staff_have_none(site: Site) -> None:
    registrar = await Owner.arrive(site, Role.REGISTRAR)
    assert (await registrar.get()).status == 403


async def test_who_leaves_takes_their_tokens_along(site: Site) -> None:
    owner = await Owner.arrive(site)
    token = read_token(await owner.make())
    async with transaction(site.pools["identity"]) as tx:
        account = await accounts.find(tx, account_id=owner.id)
        assert account
        await accounts.close(tx, account=account, now=datetime.now(UTC))
    await site.deliver()
    assert await call(site, token) == 401
