"""Signing up and forgotten passwords: one letter, one link, and nothing for strangers to learn."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

import pytest
from aiohttp import ClientResponse

from services.identity import limits, links, puzzles
from shared.auth import Role
from shared.db import transaction
from shared.events.identity import (
    AddressConfirmationRequested,
    KnownAddressSignedUp,
    PasswordChanged,
    PasswordResetRequested,
)
from tests.conftest import MakeDatabase
from tests.site import PASSWORD, Site, open_site

ADDRESS = "datong@exam.example"
STRANGERS = "a strangers horse 7"
FORM = {
    "person": "王大同",
    "email": ADDRESS,
    "email_again": ADDRESS,
    "password": PASSWORD,
    "password_again": PASSWORD,
    "terms": "agreed",
}


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        yield site


async def sign_up(site: Site, **changed: str) -> ClientResponse:
    return await site.post("/identity/sign-up", **{**FORM, **changed})


def waited(site: Site) -> dict[str, str]:
    """What the form holds for whoever waited a minute, after many sign-ups from one network."""
    return {"ticket": puzzles.make(site.vault, now=datetime.now(UTC) - puzzles.WAIT).ticket}


async def test_from_signing_up_to_being_signed_in(site: Site) -> None:
    sent = await sign_up(site)
    assert (sent.status, sent.headers["Location"]) == (303, "/identity/sign-up/sent")
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 0
    await site.answer_inquiries()
    [letter] = site.letters
    assert isinstance(letter, AddressConfirmationRequested)
    assert (letter.email, letter.person, letter.language) == (ADDRESS, "王大同", "zh-Hant-TW")
    page = await site.client.get(site.newest_link())
    assert page.status == 200
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 0, (
        "a mail program that opens links opens no account"
    )
    confirmed = await site.post(site.newest_link())
    assert confirmed.status == 303
    assert ADDRESS in await (await site.client.get("/identity/")).text()


async def test_whoever_did_not_sign_up_cannot_open_the_account_for_somebody_else(
    site: Site,
) -> None:
    """A stranger signs up with the owner's address, and waits for the owner to press the button."""
    await sign_up(site)
    await site.answer_inquiries()
    site.client.session.cookie_jar.clear()
    link = site.newest_link()
    assert 'name="password"' in await (await site.client.get(link)).text()
    for password in ("", "a guess of mine"):
        refused = await site.post(link, password=password)
        assert refused.status == 422
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 0
    opened = await site.post(link, password=PASSWORD)
    assert opened.status == 303, "on another device, but who signed up"


async def test_who_signed_up_too_does_not_open_the_account_a_stranger_asked_for(
    site: Site,
) -> None:
    """A stranger signs up with the owner's address so often that the owner's own letter is spared:
    the newest letter is the stranger's."""
    for _ in range(limits.LETTERS.most):
        await sign_up(site, person="陌生人", password=STRANGERS, password_again=STRANGERS)
    site.client.session.cookie_jar.clear()
    sent = await sign_up(site, **waited(site))
    assert sent.headers["Location"] == "/identity/sign-up/sent"
    await site.answer_inquiries()
    link = site.newest_link()
    assert 'name="password"' in await (await site.client.get(link)).text()
    for refused in ({}, {"password": PASSWORD}):
        assert (await site.post(link, **refused)).status == 422
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 0


async def test_a_stranger_who_signs_up_later_gains_nothing(site: Site) -> None:
    await sign_up(site)
    own = {cookie.key: cookie.value for cookie in site.client.session.cookie_jar}
    site.client.session.cookie_jar.clear()
    await sign_up(site, person="陌生人", password=STRANGERS, password_again=STRANGERS)
    site.client.session.cookie_jar.clear()
    site.client.session.cookie_jar.update_cookies(own)
    await site.answer_inquiries()
    assert (await site.post(site.newest_link())).status == 422
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM accounts") == 0


async def test_a_link_works_once(site: Site) -> None:
    await sign_up(site)
    await site.answer_inquiries()
    assert (await site.post(site.newest_link())).status == 303
    again = await site.post(site.newest_link())
    assert again.status == 410
    assert "這個連結已經使用過" in await again.text()


async def test_a_newer_letter_replaces_an_older_one(site: Site) -> None:
    await sign_up(site)
    await site.answer_inquiries()
    older = site.newest_link()
    await sign_up(site, person="王小同")
    await site.answer_inquiries()
    refused = await site.post(older)
    assert refused.status == 410
    assert "只有最新信件中的連結有效" in await refused.text()
    assert (await site.post(site.newest_link())).status == 303
    name = await site.pools["identity"].fetchval("SELECT person FROM accounts")
    assert name == "王小同"


async def test_a_link_runs_out_after_24_hours(site: Site) -> None:
    await sign_up(site)
    await site.answer_inquiries()
    token = site.newest_link().rpartition("/")[2]
    pool = site.pools["identity"]
    expires_at = await pool.fetchval("SELECT expires_at FROM links")
    assert abs(expires_at - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    purpose = links.Purpose.CONFIRMATION
    async with transaction(pool) as tx:
        moment = timedelta(microseconds=1)
        assert await links.load(tx, purpose=purpose, token=token, now=expires_at - moment)
        with pytest.raises(links.LinkExpired):
            await links.load(tx, purpose=purpose, token=token, now=expires_at)


async def test_a_mangled_link_and_a_link_for_another_purpose_are_refused(site: Site) -> None:
    await sign_up(site)
    await site.answer_inquiries()
    link = site.newest_link()
    assert (await site.client.get(link[:-1])).status == 404
    assert (await site.client.get(link.replace("confirmation", "password"))).status == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"email_again": "other@exam.example"}, "兩次輸入的電子郵件地址必須相同"),
        ({"password_again": "something else 1"}, "兩次輸入的密碼必須相同"),
        ({"password": "short"}, "密碼至少要有 8 個字元"),
        ({"password": "x1" * 65}, "密碼最多 128 個字元"),
        ({"password": "password123"}, "這個密碼太常見"),
        ({"password": "ababababab"}, "密碼至少要有三種不同的字元"),
        ({"password": "my-datong-1"}, "密碼不可包含您的電子郵件名稱"),
        ({"email": "nonsense"}, "name@example.com"),
        ({"email": "a b@exam.example"}, "name@example.com"),
        ({"email": "x@y\r\nBcc: z@exam.example"}, "name@example.com"),
        ({"terms": ""}, "必須同意使用條款"),
        ({"person": ""}, "請輸入您的姓名"),
        ({"person": "王\n大同"}, "姓名最多 100 個字"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_sent(
    site: Site, changed: dict[str, str], said: str
) -> None:
    answer = await sign_up(site, **changed)
    page = await answer.text()
    assert answer.status == 422
    assert said in page
    assert PASSWORD not in page
    assert await site.pools["identity"].fetchval("SELECT count(*) FROM inquiries") == 0


async def test_a_known_address_gets_the_same_page_and_its_owner_a_warning(site: Site) -> None:
    await site.add_account(ADDRESS)
    known = await sign_up(site, email=ADDRESS.upper(), email_again=ADDRESS)
    unknown = await sign_up(site, email="new@exam.example", email_again="new@exam.example")
    assert known.status == unknown.status == 303
    assert known.headers["Location"] == unknown.headers["Location"]
    await site.answer_inquiries()
    kinds = {type(letter): letter.email for letter in site.letters}
    assert kinds[KnownAddressSignedUp].casefold() == ADDRESS
    assert kinds[AddressConfirmationRequested] == "new@exam.example"


async def test_a_forgotten_password_is_answered_alike_for_every_address(site: Site) -> None:
    await site.add_account(ADDRESS)
    pages = []
    for email in (ADDRESS, "nobody@exam.example"):
        answer = await site.post("/identity/forgotten-password", email=email)
        assert answer.status == 303
        pages.append(await (await site.client.get(answer.headers["Location"])).text())
    assert pages[0] == pages[1]
    await site.answer_inquiries()
    assert [(type(letter), letter.email) for letter in site.letters] == [
        (PasswordResetRequested, ADDRESS)
    ]


async def test_known_and_unknown_addresses_take_the_same_statements(site: Site) -> None:
    """The same rows are written either way: there is nothing to time. `bench login` times it."""
    await site.add_account(ADDRESS)
    gaps = {}
    for email in (ADDRESS, "nobody@exam.example"):
        spent = []
        for _ in range(3):
            began = perf_counter()
            await site.post("/identity/forgotten-password", email=email)
            spent.append(perf_counter() - began)
        gaps[email] = median(spent)
    rows = await site.pools["identity"].fetch("SELECT email, count(*) FROM inquiries GROUP BY 1")
    assert {row["email"]: row["count"] for row in rows} == dict.fromkeys(gaps, 3)


async def test_a_new_password_ends_all_sessions_and_tells_the_owner(site: Site) -> None:
    await site.add_account(ADDRESS)
    await site.sign_in(ADDRESS)
    stolen = {cookie.key: cookie.value for cookie in site.client.session.cookie_jar}
    await site.post("/identity/forgotten-password", email=ADDRESS)
    await site.answer_inquiries()
    link = site.newest_link()
    weak = await site.post(link, password="12345678", password_again="12345678")
    assert weak.status == 422
    changed = await site.post(link, password="a new one 77", password_again="a new one 77")
    assert changed.status == 303
    await site.deliver()
    assert isinstance(site.letters[-1], PasswordChanged)
    old = await site.client.get("/identity/account/password", cookies=stolen, allow_redirects=False)
    assert old.status == 303, "signed out"
    assert await site.sign_in(ADDRESS, PASSWORD) == 422
    assert await site.sign_in(ADDRESS, "a new one 77") == 303


async def test_a_new_password_is_no_way_round_the_second_factor(site: Site) -> None:
    await site.add_account(ADDRESS, Role.FINANCE)
    await site.post("/identity/forgotten-password", email=ADDRESS)
    await site.answer_inquiries()
    answer = await site.post(
        site.newest_link(), password="a new one 77", password_again="a new one 77"
    )
    assert answer.headers["Location"] == "/identity/second-factor"


async def test_an_address_is_not_flooded_by_whoever_types_it(site: Site) -> None:
    await site.add_account(ADDRESS)
    for _ in range(limits.LETTERS.most + 3):
        answer = await site.post("/identity/forgotten-password", email=ADDRESS)
        assert answer.status == 303, "and the page does not tell"
    await site.answer_inquiries()
    assert len(site.letters) == limits.LETTERS.most
