"""What identity knows of entries: the latest word, in whatever order it comes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.identity import known_entries
from services.identity.known_entries import Entry
from shared import events
from shared.events.identity import ContactChanged
from tests.conftest import MakeDatabase
from tests.identity.holders import ID_NUMBER, RECORDED_AT, Portal, entry, open_portal, tell

LATER = RECORDED_AT + timedelta(days=1)


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        yield portal


async def find(portal: Portal) -> Entry:
    async with portal.pool.acquire() as tx:
        found = await known_entries.find_by_id_number(tx, id_number=ID_NUMBER)
    assert found is not None
    return found


async def test_what_was_recorded_last_counts_in_whatever_order_it_arrives(portal: Portal) -> None:
    await portal.tell(person_name="王大銅", recorded_at=LATER)
    await portal.tell(person_name="王大桐", recorded_at=LATER - timedelta(hours=1))
    assert (await find(portal)).person_name == "王大銅"


async def test_several_words_about_one_entry_may_come_together(portal: Portal) -> None:
    vault = portal.site.vault
    newest = entry(vault, is_cancelled=True, recorded_at=LATER + timedelta(days=1))
    await tell(portal.pool, newest, entry(vault, recorded_at=LATER))
    assert (await find(portal)).is_cancelled


async def test_news_that_comes_twice_changes_nothing(portal: Portal) -> None:
    before = await find(portal)
    await portal.tell()
    assert await find(portal) == before


async def test_a_corrected_name_is_the_one_in_letters_and_at_the_next_log_in(
    portal: Portal,
) -> None:
    await portal.register()
    await portal.site.deliver()
    await portal.tell(person_name="王大銅", recorded_at=LATER)
    body = await portal.pool.fetchval(
        "SELECT body FROM outbox WHERE name = $1", ContactChanged.name
    )
    [told] = events.decode(ContactChanged, body)
    assert told.person == "王大銅"
    await portal.log_in()
    assert "王大銅" in await portal.text("/identity/results/details/")


async def test_a_corrected_name_is_newer_than_what_is_known_even_by_a_clock_that_is_behind(
    portal: Portal,
) -> None:
    await portal.register()
    known_at = await portal.pool.fetchval("SELECT contact_changed_at FROM results_accounts")
    await portal.tell(person_name="王大銅", recorded_at=LATER)
    assert known_at > LATER, "the candidate registered after that"
    assert await portal.pool.fetchval("SELECT contact_changed_at FROM results_accounts") > known_at
