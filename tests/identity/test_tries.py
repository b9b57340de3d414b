"""Wrong passwords: strangers are locked out, the owner's own device never is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import tries
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase
from tests.site import PASSWORD, Site, open_site

OWNER = "chen@exam.example"
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity") as site:
        await site.add_account(OWNER)
        yield site


async def begin(pool: Pool, now: datetime, device: str = tries.UNKNOWN) -> bool:
    async with transaction(pool) as tx:
        return await tries.begin(tx, name=OWNER, device=device, now=now)


async def page_after(site: Site, email: str, password: str) -> str:
    answer = await site.post("/identity/sign-in", email=email, password=password)
    return await answer.text()


async def test_more_than_three_wrong_tries_in_a_row_lock(site: Site) -> None:
    for _ in range(4):
        assert "電子郵件地址或密碼不正確" in await page_after(site, OWNER, "wrong")
    assert "連續錯誤超過三次" in await page_after(site, OWNER, PASSWORD), "even the right one"


async def test_three_wrong_tries_and_a_right_one_begin_anew(site: Site) -> None:
    for _ in range(2):
        for _ in range(3):
            await page_after(site, OWNER, "wrong")
        assert await site.sign_in(OWNER) == 303
        site.client.session.cookie_jar.clear()


async def test_a_lock_lasts_thirty_minutes(site: Site) -> None:
    pool = site.pools["identity"]
    allowed = [await begin(pool, START) for _ in range(5)]
    assert allowed == [True, True, True, True, False]
    assert not await begin(pool, START + tries.LOCKED_FOR - timedelta(microseconds=1))
    after = START + tries.LOCKED_FOR
    assert [await begin(pool, after) for _ in range(5)] == [True, True, True, True, False]


async def test_a_known_device_signs_in_while_strangers_are_locked_out(site: Site) -> None:
    await site.sign_in(OWNER)
    home = {cookie.key: cookie.value for cookie in site.client.session.cookie_jar}
    site.client.session.cookie_jar.clear()
    for _ in range(5):
        await page_after(site, OWNER, "wrong")
    assert "連續錯誤超過三次" in await page_after(site, OWNER, PASSWORD)
    site.client.session.cookie_jar.update_cookies({"device": home["device"]})
    assert await site.sign_in(OWNER) == 303


async def test_a_made_up_device_is_no_known_device(site: Site) -> None:
    for number in range(6):
        site.client.session.cookie_jar.update_cookies({"device": f"made-up-{number}"})
        await page_after(site, OWNER, "wrong")
    assert "連續錯誤超過三次" in await page_after(site, OWNER, PASSWORD)


async def test_an_address_without_an_account_is_locked_just_the_same(site: Site) -> None:
    nobody = "nobody@exam.example"
    pages = [
        (await page_after(site, OWNER, "wrong"), await page_after(site, nobody, "wrong"))
        for _ in range(5)
    ]
    for known, unknown in pages:
        assert known.replace(OWNER, "") == unknown.replace(nobody, "")


@pytest.mark.variant
async def test_ten_thousand_tries_at_once_get_four_looks_at_the_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted is who may try at all: each of those may look at the password once."""
    await site.sign_in(OWNER)
    pool = site.pools["identity"]
    now = datetime.now(UTC)
    allowed = 0
    for _ in range(100):
        allowed += sum(await asyncio.gather(*(begin(pool, now) for _ in range(100))))
    assert allowed == 4
    assert await site.sign_in(OWNER) == 303, "on the device that had signed in before"


async def test_a_lock_leaves_an_audit_line_without_the_address(site: Site) -> None:
    for _ in range(6):
        await page_after(site, OWNER, "wrong")
    rows = await site.pools["identity"].fetch(
        "SELECT subject FROM audit_lines WHERE act = 'locked_out'"
    )
    assert len(rows) == 1
    assert "chen" not in rows[0]["subject"]


async def test_setting_a_new_password_by_letter_unlocks(site: Site) -> None:
    for _ in range(5):
        await page_after(site, OWNER, "wrong")
    await site.post("/identity/forgotten-password", email=OWNER)
    await site.answer_inquiries()
    link = site.newest_link()
    await site.post(link, password="a new one 77", password_again="a new one 77")
    site.client.session.cookie_jar.clear()
    assert await site.sign_in(OWNER, "a new one 77") == 303
