"""My details of the results service: every change is proved, told, and felt where it should be."""

from collections.abc import AsyncIterator

import pytest

from shared.events.identity import (
    AccountClosed,
    AddressChanged,
    AddressChangeRequested,
    ContactChanged,
    PasswordChanged,
)
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ADDRESS,
    ID_NUMBER,
    NEW_PASSWORD,
    PASSWORD,
    Portal,
    open_portal,
    published,
)
from tests.site import PASSWORD as ACCOUNT_PASSWORD

DETAILS = "/identity/results/details/"
NEW = "datong.new@exam.example"
EVERYTHING = {
    "email": NEW,
    "email_again": NEW,
    "password": NEW_PASSWORD,
    "password_again": NEW_PASSWORD,
}


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        await portal.register()
        await portal.log_in()
        await portal.site.deliver()
        yield portal


async def test_my_details_say_who_i_am_and_what_i_chose(portal: Portal) -> None:
    page = await portal.text(DETAILS)
    for words in ("王大同", ID_NUMBER, ADDRESS, "/identity/sign-out"):
        assert words in page
    assert " checked" not in page, "no updates were asked for"


async def test_changing_the_password_keeps_this_device_and_ends_the_others(portal: Portal) -> None:
    elsewhere = portal.cookies()
    changed = await portal.site.post(f"{DETAILS}password", present=PASSWORD, **EVERYTHING)
    assert changed.headers["Location"] == f"{DETAILS}?password=changed"
    await portal.site.deliver()
    assert isinstance(portal.site.letters[-1], PasswordChanged)
    assert await portal.is_logged_in()
    portal.leave()
    assert not await portal.is_logged_in(elsewhere)
    assert (await portal.log_in(password=PASSWORD)).status == 422
    assert (await portal.log_in(password=NEW_PASSWORD)).status == 303


async def test_a_new_password_keeps_to_the_rule_of_the_results_service(portal: Portal) -> None:
    form = {"present": PASSWORD, "password": "no numbers", "password_again": "no numbers"}
    answer = await portal.site.post(f"{DETAILS}password", **form)
    assert answer.status == 422
    assert "包含至少 2 個數字" in await answer.text()


@pytest.mark.parametrize("page", ["password", "address", "closing"])
async def test_a_session_left_open_is_not_enough(portal: Portal, page: str) -> None:
    for _ in range(4):
        answer = await portal.site.post(f"{DETAILS}{page}", present="wrong", **EVERYTHING)
        assert answer.status == 422
        assert "這不是您目前的密碼" in await answer.text()
    locked = await portal.site.post(f"{DETAILS}{page}", present=PASSWORD, **EVERYTHING)
    assert "連續錯誤超過三次" in await locked.text()
    await portal.site.deliver()
    assert portal.site.letters == []


async def test_an_address_changes_when_its_owner_has_followed_the_link(portal: Portal) -> None:
    asked = await portal.site.post(f"{DETAILS}address", present=PASSWORD, **EVERYTHING)
    assert asked.headers["Location"] == f"{DETAILS}address/sent"
    await portal.site.deliver()
    assert isinstance(portal.site.letters[-1], AddressChangeRequested)
    assert portal.site.letters[-1].email == NEW
    assert ADDRESS in await portal.text(DETAILS), "nothing has changed yet"
    link = portal.site.newest_link()
    assert (await portal.site.client.get(link)).status == 200
    assert (await portal.site.post(link)).status == 303
    assert (await portal.site.post(link)).status == 410
    [contact] = await published(portal.pool, ContactChanged)
    assert isinstance(contact, ContactChanged)
    assert contact.email == NEW
    await portal.site.deliver()
    assert isinstance(portal.site.letters[-1], AddressChanged)
    assert portal.site.letters[-1].email == ADDRESS, "the old address is told"
    assert NEW in await portal.text(DETAILS)


async def test_two_addresses_that_differ_are_refused(portal: Portal) -> None:
    form = {**EVERYTHING, "email_again": ADDRESS, "present": PASSWORD}
    answer = await portal.site.post(f"{DETAILS}address", **form)
    assert answer.status == 422
    assert "兩次輸入的電子郵件地址必須相同" in await answer.text()


async def test_updates_and_the_language_of_letters_are_chosen(portal: Portal) -> None:
    chosen = await portal.site.post(f"{DETAILS}letters", language="en", updates="yes")
    assert chosen.headers["Location"] == f"{DETAILS}?letters=chosen"
    [contact] = await published(portal.pool, ContactChanged)
    assert isinstance(contact, ContactChanged)
    assert contact.language == "en"
    assert "已儲存您的選擇" in await portal.text(chosen.headers["Location"])
    await portal.site.post(f"{DETAILS}letters", language="en")
    assert await portal.pool.fetchval("SELECT wants_updates FROM results_accounts") is False
    for form in ({"language": "tlh"}, {}):
        assert (await portal.site.post(f"{DETAILS}letters", **form)).status == 400


async def test_signing_out_everywhere_keeps_this_device(portal: Portal) -> None:
    elsewhere = portal.cookies()
    await portal.site.post(f"{DETAILS}sign-out-everywhere")
    await portal.site.deliver()
    assert await portal.is_logged_in()
    portal.leave()
    assert not await portal.is_logged_in(elsewhere)


async def test_a_deleted_account_is_forgotten_and_its_id_number_may_register_again(
    portal: Portal,
) -> None:
    elsewhere = portal.cookies()
    closed = await portal.site.post(f"{DETAILS}closing", present=PASSWORD)
    assert closed.headers["Location"] == "/identity/closed"
    [told] = await published(portal.pool, AccountClosed)
    assert isinstance(told, AccountClosed)
    assert told.email == ADDRESS
    await portal.site.deliver()
    portal.leave()
    assert not await portal.is_logged_in(elsewhere)
    row = await portal.pool.fetchrow("SELECT email, person, password_hash FROM results_accounts")
    assert row is not None
    assert tuple(row) == ("", "", None)
    portal.leave()
    assert (await portal.log_in()).status == 422
    assert (await portal.register()).status == 303
    assert (await portal.log_in()).status == 303


async def test_the_page_of_the_other_kind_of_account_leads_here_and_back(portal: Portal) -> None:
    answer = await portal.site.client.get("/identity/", allow_redirects=False)
    assert answer.headers["Location"] == DETAILS
    portal.leave()
    await portal.site.add_account(ADDRESS)
    await portal.site.sign_in(ADDRESS)
    answer = await portal.site.client.get(DETAILS, allow_redirects=False)
    assert answer.headers["Location"] == "/identity/"
    assert "帳號" in await portal.text("/identity/")


async def test_the_forms_of_the_other_kind_of_account_do_nothing_here(portal: Portal) -> None:
    """An address nobody proved must never become one that signs in."""
    before = await portal.pool.fetchrow("SELECT * FROM results_accounts")
    for page in ("password", "address", "closing", "sign-out-everywhere", "language"):
        form = {"present": PASSWORD, "language": "en", **EVERYTHING}
        answer = await portal.site.post(f"/identity/account/{page}", **form)
        assert answer.status == 401
    assert await portal.pool.fetchrow("SELECT * FROM results_accounts") == before
    assert await portal.pool.fetchval("SELECT count(*) FROM accounts") == 0


async def test_deleting_another_account_leaves_this_one_alone(portal: Portal) -> None:
    portal.leave()
    await portal.site.add_account(ADDRESS)
    await portal.site.sign_in(ADDRESS)
    await portal.site.post("/identity/account/closing", present=ACCOUNT_PASSWORD)
    portal.leave()
    assert (await portal.log_in()).status == 303


async def test_a_stranger_has_no_details(portal: Portal) -> None:
    portal.leave()
    answer = await portal.site.client.get(DETAILS, allow_redirects=False)
    assert answer.status == 303
    assert (await portal.site.post(f"{DETAILS}closing", present=PASSWORD)).status == 401
