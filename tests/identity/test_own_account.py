"""One's own account: every change is proved, told, and felt where it should be."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.events.identity import AddressChanged, AddressChangeRequested, PasswordChanged
from tests.conftest import MakeDatabase
from tests.databases import until_somebody_waits_for_a_lock
from tests.site import PASSWORD, Site, open_site

OWNER = "chen@exam.example"
NEW = "chen.new@exam.example"
NEW_PASSWORD = "another horse 43"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        await site.add_account(OWNER)
        await site.sign_in(OWNER)
        yield site


async def copied(site: Site) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in site.client.session.cookie_jar}


async def is_signed_in(site: Site, cookies: dict[str, str] | None = None) -> bool:
    answer = await site.client.get(
        "/identity/account/password", cookies=cookies, allow_redirects=False
    )
    return answer.status == 200


async def test_changing_the_password_keeps_this_device_and_ends_the_others(site: Site) -> None:
    elsewhere = await copied(site)
    changed = await site.post(
        "/identity/account/password",
        present=PASSWORD,
        password=NEW_PASSWORD,
        password_again=NEW_PASSWORD,
    )
    assert changed.headers["Location"] == "/identity/?password=changed"
    await site.deliver()
    told = site.letters[-1]
    assert isinstance(told, PasswordChanged)
    assert not told.of_results_account
    assert await is_signed_in(site)
    site.client.session.cookie_jar.clear()
    assert not await is_signed_in(site, elsewhere)
    assert await site.sign_in(OWNER, PASSWORD) == 422
    assert await site.sign_in(OWNER, NEW_PASSWORD) == 303


@pytest.mark.parametrize(
    "page", ["/identity/account/password", "/identity/account/address", "/identity/account/closing"]
)
async def test_a_session_left_open_is_not_enough(site: Site, page: str) -> None:
    form = {
        "present": "wrong",
        "email": NEW,
        "email_again": NEW,
        "password": NEW_PASSWORD,
        "password_again": NEW_PASSWORD,
    }
    for _ in range(4):
        answer = await site.post(page, **form)
        assert answer.status == 422
        assert "這不是您目前的密碼" in await answer.text()
    locked = await site.post(page, **{**form, "present": PASSWORD})
    assert "連續錯誤超過三次" in await locked.text()
    await site.deliver()
    assert site.letters == []


async def test_an_address_changes_when_its_owner_has_followed_the_link(site: Site) -> None:
    asked = await site.post(
        "/identity/account/address", email=NEW, email_again=NEW, present=PASSWORD
    )
    assert asked.status == 303
    await site.deliver()
    assert isinstance(site.letters[-1], AddressChangeRequested)
    assert site.letters[-1].email == NEW
    assert OWNER in await (await site.client.get("/identity/")).text(), "nothing has changed yet"
    assert (await site.client.get(site.newest_link())).status == 200
    assert (await site.post(site.newest_link())).status == 303
    await site.deliver()
    assert isinstance(site.letters[-1], AddressChanged)
    assert site.letters[-1].email == OWNER, "the old address is told"
    site.client.session.cookie_jar.clear()
    assert await site.sign_in(NEW) == 303
    site.client.session.cookie_jar.clear()
    assert await site.sign_in(OWNER) == 422


async def test_an_address_that_was_taken_meanwhile_is_refused(site: Site) -> None:
    await site.post("/identity/account/address", email=NEW, email_again=NEW, present=PASSWORD)
    await site.deliver()
    await site.add_account(NEW)
    refused = await site.post(site.newest_link())
    assert refused.status == 409
    assert "這個電子郵件地址已經有帳號" in await refused.text()


async def test_an_address_taken_in_the_same_moment_is_refused(site: Site) -> None:
    await site.post("/identity/account/address", email=NEW, email_again=NEW, present=PASSWORD)
    await site.deliver()
    pool = site.pools["identity"]
    async with pool.acquire() as rival:
        signing_up = rival.transaction()
        await signing_up.start()
        await rival.execute(
            """
            INSERT INTO accounts (email, email_key, person, language, roles, opened_at)
            VALUES ($1, $1, 'Rival', 'en', '{}', now())
            """,
            NEW,
        )
        moving = asyncio.create_task(site.post(site.newest_link()))
        await until_somebody_waits_for_a_lock(pool)
        await signing_up.commit()
        assert (await moving).status == 409


async def test_signing_out_everywhere_keeps_this_device(site: Site) -> None:
    elsewhere = await copied(site)
    await site.post("/identity/account/sign-out-everywhere")
    await site.deliver()
    assert await is_signed_in(site)
    site.client.session.cookie_jar.clear()
    assert not await is_signed_in(site, elsewhere)


async def test_the_language_of_letters_is_chosen(site: Site) -> None:
    chosen = await site.post("/identity/account/language", language="en")
    assert chosen.status == 303
    page = await (await site.client.get(chosen.headers["Location"])).text()
    assert "We will write to you in the language you chose." in page
    assert (await site.post("/identity/account/language", language="tlh")).status == 400
    language = await site.pools["identity"].fetchval("SELECT language FROM accounts")
    assert language == "en"


async def test_a_deleted_account_is_forgotten_here(site: Site) -> None:
    elsewhere = await copied(site)
    closed = await site.post("/identity/account/closing", present=PASSWORD)
    assert closed.headers["Location"] == "/identity/closed"
    await site.deliver()
    assert not await is_signed_in(site)
    assert not await is_signed_in(site, elsewhere)
    row = await site.pools["identity"].fetchrow("SELECT email, person, password_hash FROM accounts")
    assert row is not None
    assert tuple(row) == ("", "", None)
    site.client.session.cookie_jar.clear()
    assert await site.sign_in(OWNER) == 422
    await site.add_account(OWNER)
    site.client.session.cookie_jar.clear()
    assert await site.sign_in(OWNER) == 303, "the address may begin anew"


async def test_a_stranger_has_no_account_pages(site: Site) -> None:
    site.client.session.cookie_jar.clear()
    assert not await is_signed_in(site)
    answer = await site.post("/identity/account/closing", present=PASSWORD)
    assert answer.status == 401
