"""Logging in to the results service: by ID number, with the words of the guides."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.identity import keys, results_accounts, sessions, tries
from services.identity.results_accounts import sign_in_name
from shared.auth import RENEW_AFTER
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ADDRESS,
    ID_NUMBER,
    NOBODYS,
    PASSWORD,
    RECORDED_AT,
    SECRET,
    Portal,
    open_portal,
)
from tests.site import PASSWORD as ACCOUNT_PASSWORD

WRONG = "無法確認使用者身分，請檢查您輸入的資料後再試一次。"
LOCKED = "密碼輸入錯誤超過三次，30 分鐘內無法登入。"
START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        await portal.register()
        yield portal


async def test_the_front_page_shows_both_ways_in_with_the_words_of_the_guides(
    portal: Portal,
) -> None:
    page = await portal.text("/identity/results/?lang=en")
    for words in (
        "Welcome to the Results Service for Candidates",
        "Your ID number can be found on your Confirmation of Entry.",
        "Your password was chosen when you registered to use the site. This is NOT your Secret",
        "you enter the wrong password more than three times, you will not be able to log on for 30",
        "Forgotten password?",
    ):
        assert words in page
    assert re.findall(r'<h2 class="govuk-heading-m">([^<]*)</h2>', page) == ["Register", "Log in"]


async def test_the_home_page_and_the_page_to_sign_in_lead_here(portal: Portal) -> None:
    assert 'href="/identity/results/"' in await portal.text("/")
    page = await portal.text("/identity/sign-in?next=/scoring/x")
    assert 'href="/identity/results/?next=/scoring/x"' in page


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("", "/scoring/"),
        ("/scoring/results/7", "/scoring/results/7"),
        ("https://evil.example/", "/scoring/"),
        ("//evil.example/", "/scoring/"),
    ],
)
async def test_logging_in_leads_to_the_results_or_where_one_was_going(
    portal: Portal, wanted: str, reached: str
) -> None:
    answer = await portal.log_in(next=wanted)
    assert (answer.status, answer.headers["Location"]) == (303, reached)


async def test_every_service_sees_a_candidate_by_the_name_of_the_entry(portal: Portal) -> None:
    await portal.log_in(id_number=" smr123456")
    assert "王大同" in await portal.text("/scoring/")
    staff = await portal.site.client.get("/scoring/staff/", allow_redirects=False)
    assert staff.status == 403


@pytest.mark.parametrize(
    ("id_number", "password"),
    [
        (ID_NUMBER, "Abcde124"),
        (ID_NUMBER, SECRET),
        (NOBODYS, PASSWORD),
        ("not an ID number", PASSWORD),
        (ADDRESS, PASSWORD),
        ("SMR\x00123456" * 500, PASSWORD),
        (ID_NUMBER, "x1" * 65),
    ],
)
async def test_wrong_details_all_get_the_exact_words_of_the_guides(
    portal: Portal, id_number: str, password: str
) -> None:
    answer = await portal.log_in(id_number, password)
    page = await answer.text()
    assert answer.status == 422
    assert WRONG in page
    assert f'value="{password}"' not in page
    english = await portal.site.client.post(
        "/identity/results/",
        data={"id_number": id_number, "password": password},
        headers={"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"},
    )
    said = "Unable to authenticate user. Please check your details and try again."
    assert said in await english.text()


async def test_more_than_three_wrong_tries_in_a_row_lock(portal: Portal) -> None:
    for _ in range(4):
        assert WRONG in await portal.page_after(ID_NUMBER, "wrong")
    assert LOCKED in await portal.page_after(ID_NUMBER, PASSWORD), "even the right one"


async def test_three_wrong_tries_and_a_right_one_begin_anew(portal: Portal) -> None:
    for _ in range(2):
        for _ in range(3):
            await portal.page_after(ID_NUMBER, "wrong")
        assert (await portal.log_in()).status == 303
        portal.leave()


async def begin(pool: Pool, now: datetime) -> bool:
    async with transaction(pool) as tx:
        return await tries.begin(tx, name=sign_in_name(ID_NUMBER), device=tries.UNKNOWN, now=now)


async def test_a_lock_lasts_thirty_minutes(portal: Portal) -> None:
    assert [await begin(portal.pool, START) for _ in range(5)] == [True] * 4 + [False]
    thirty_minutes = START + timedelta(minutes=30)
    assert not await begin(portal.pool, thirty_minutes - timedelta(microseconds=1))
    assert await begin(portal.pool, thirty_minutes)


async def test_an_unknown_id_number_gets_the_same_pages_and_the_same_lock(portal: Portal) -> None:
    for expected in [WRONG] * 4 + [LOCKED]:
        known = await portal.log_in(ID_NUMBER, "wrong")
        unknown = await portal.log_in(NOBODYS, "wrong")
        assert known.status == unknown.status == 422
        page = await known.text()
        assert expected in page
        assert page.replace(ID_NUMBER, "") == (await unknown.text()).replace(NOBODYS, "")


async def test_an_unregistered_id_number_is_answered_like_an_unknown_one(portal: Portal) -> None:
    await portal.tell(entry_id="00000000-0000-0000-0000-000000000008", id_number="SMR777777")
    entered = await portal.page_after("SMR777777", "wrong")
    unknown = await portal.page_after(NOBODYS, "wrong")
    assert entered.replace("SMR777777", "") == unknown.replace(NOBODYS, "")


async def test_a_known_device_logs_in_while_strangers_are_locked_out(portal: Portal) -> None:
    await portal.log_in()
    home = portal.cookies()["device"]
    portal.leave()
    for _ in range(5):
        await portal.page_after(ID_NUMBER, "wrong")
    assert LOCKED in await portal.page_after(ID_NUMBER, PASSWORD)
    portal.site.client.session.cookie_jar.update_cookies({"device": home})
    assert (await portal.log_in()).status == 303


async def test_strangers_at_the_other_door_do_not_lock_this_one(portal: Portal) -> None:
    for _ in range(6):
        await portal.site.sign_in(ID_NUMBER, "wrong")
    assert (await portal.log_in()).status == 303


async def test_one_network_may_be_wrong_so_often_at_both_doors_together(portal: Portal) -> None:
    await portal.site.add_account(ADDRESS)
    await portal.page_after(NOBODYS, "wrong")
    await portal.pool.execute("UPDATE counters SET count = 200 WHERE name = 'wrong passwords'")
    assert (await portal.log_in()).status == 429
    assert await portal.site.sign_in(ADDRESS, ACCOUNT_PASSWORD) == 429


async def test_a_session_that_grew_old_is_renewed_with_the_name_of_today(portal: Portal) -> None:
    then = datetime.now(UTC) - RENEW_AFTER - timedelta(minutes=1)
    async with transaction(portal.pool) as tx:
        account = await results_accounts.find_by_id_number(tx, id_number=ID_NUMBER)
        key = await keys.find_current(tx, vault=portal.site.vault, now=datetime.now(UTC))
        assert account
        assert key
        session = await sessions.begin(tx, account=account, now=then)
        token = sessions.sign(session, account, key, now=then)
    await portal.tell(person_name="王大銅", recorded_at=RECORDED_AT + timedelta(days=1))
    portal.site.client.session.cookie_jar.update_cookies({"session": token})
    answer = await portal.site.client.get("/scoring/")
    assert [step.url.path for step in answer.history] == ["/scoring/", "/identity/renewal"]
    assert "王大銅" in await answer.text()


async def test_logging_out_ends_a_copied_session(portal: Portal) -> None:
    await portal.log_in()
    copied = portal.cookies()
    answer = await portal.site.post("/identity/sign-out")
    assert answer.status == 303
    await portal.site.deliver()
    portal.leave()
    assert not await portal.is_logged_in(copied)
