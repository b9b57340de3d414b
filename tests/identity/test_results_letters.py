"""Forgotten passwords of the results service: one letter, one link, and nothing for strangers."""

from collections.abc import AsyncIterator

import pytest

from shared.events.identity import PasswordChanged, PasswordResetRequested
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ADDRESS,
    ID_NUMBER,
    NEW_PASSWORD,
    NOBODYS,
    PASSWORD,
    Portal,
    open_portal,
)

CHOSEN = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        await portal.register()
        yield portal


async def forget(portal: Portal, id_number: str = ID_NUMBER) -> str:
    """Ask for a letter, and return the page that says what happens next."""
    answer = await portal.site.post("/identity/results/forgotten-password", id_number=id_number)
    assert answer.status == 303
    return await portal.text(answer.headers["Location"])


async def ask(portal: Portal) -> str:
    await forget(portal)
    await portal.site.answer_inquiries()
    return portal.site.newest_link()


async def test_the_letter_leads_to_the_page_of_the_results_service(portal: Portal) -> None:
    link = await ask(portal)
    [letter] = portal.site.letters
    assert isinstance(letter, PasswordResetRequested)
    assert (letter.email, letter.person, letter.language) == (ADDRESS, "王大同", "zh-Hant-TW")
    assert link.startswith("/identity/letters/results-password/")
    assert "成績查詢服務" in await portal.text(link)


async def test_a_new_password_is_chosen_once_and_logs_in_with_the_id_number(
    portal: Portal,
) -> None:
    link = await ask(portal)
    weak = await portal.site.post(link, password="abcdefgh", password_again="abcdefgh")
    assert weak.status == 422
    chosen = await portal.site.post(link, **CHOSEN)
    assert chosen.headers["Location"] == "/identity/results/?password=changed"
    assert (await portal.site.post(link, **CHOSEN)).status == 410
    await portal.site.deliver()
    told = portal.site.letters[-1]
    assert isinstance(told, PasswordChanged)
    assert told.of_results_account
    assert (await portal.log_in(password=PASSWORD)).status == 422
    assert (await portal.log_in(password=NEW_PASSWORD)).status == 303


async def test_whoever_gets_the_letter_by_mistake_does_not_get_in(portal: Portal) -> None:
    """The address was typed, not proved: the link alone neither signs in nor tells the number."""
    link = await ask(portal)
    page = await portal.text(link)
    answer = await portal.site.post(link, **CHOSEN)
    assert ID_NUMBER not in page + await portal.text(answer.headers["Location"])
    assert not await portal.is_logged_in()


async def test_a_new_password_ends_all_sessions(portal: Portal) -> None:
    await portal.log_in()
    stolen = portal.cookies()
    await portal.site.post(await ask(portal), **CHOSEN)
    await portal.site.deliver()
    portal.leave()
    assert not await portal.is_logged_in(stolen)


async def test_a_new_password_unlocks(portal: Portal) -> None:
    for _ in range(5):
        await portal.page_after(ID_NUMBER, "wrong")
    await portal.site.post(await ask(portal), **CHOSEN)
    assert (await portal.log_in(password=NEW_PASSWORD)).status == 303


async def test_every_id_number_gets_the_same_answer_and_only_a_registered_one_a_letter(
    portal: Portal,
) -> None:
    pages = {await forget(portal, number) for number in (ID_NUMBER, NOBODYS, "none at all")}
    assert len(pages) == 1
    await portal.site.answer_inquiries()
    assert [letter.email for letter in portal.site.letters] == [ADDRESS]


async def test_nobody_is_made_to_receive_more_than_five_letters_an_hour(portal: Portal) -> None:
    assert len({await forget(portal) for _ in range(8)}) == 1, "the page says the same"
    await portal.site.answer_inquiries()
    assert len(portal.site.letters) == 5


async def test_an_empty_form_says_what_is_missing(portal: Portal) -> None:
    answer = await portal.site.post("/identity/results/forgotten-password")
    assert answer.status == 422
    assert "請輸入 ID Number" in await answer.text()


async def test_a_link_for_one_kind_of_account_is_none_for_the_other(portal: Portal) -> None:
    link = await ask(portal)
    other = link.replace("results-password", "password")
    assert (await portal.site.client.get(other)).status == 404


async def test_a_link_of_an_account_that_was_closed_since_is_refused(portal: Portal) -> None:
    link = await ask(portal)
    await portal.log_in()
    await portal.site.post("/identity/results/details/closing", present=PASSWORD)
    assert (await portal.site.post(link, **CHOSEN)).status == 404
