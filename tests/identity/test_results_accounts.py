"""Accounts of the results service: one for each ID number, for whoever has its secret number."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.identity import results_accounts
from services.identity.results_accounts import TERMS_VERSION
from shared.events.identity import AccountClosed, ContactChanged, ResultsAccountOpened
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ADDRESS,
    ENTRY,
    ID_NUMBER,
    NOBODYS,
    PASSWORD,
    RECORDED_AT,
    SECRET,
    Portal,
    count_accounts,
    open_portal,
    published,
)

NOT_TOGETHER = "這組 ID Number 與 Secret Number 不相符"
TOO_MANY = "這個 ID Number 的錯誤次數過多"
LATER = RECORDED_AT + timedelta(days=1)
OTHER_ADDRESS = "other@exam.example"


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        yield portal


async def test_the_other_services_are_told_once(portal: Portal) -> None:
    await portal.register(updates="yes")
    row = await portal.pool.fetchrow("SELECT * FROM results_accounts")
    assert row is not None
    [opened] = await published(portal.pool, ResultsAccountOpened)
    assert isinstance(opened, ResultsAccountOpened)
    assert (opened.account_id, opened.entry_id, opened.id_number, opened.registered_at) == (
        row["id"],
        ENTRY,
        ID_NUMBER,
        row["registered_at"],
    )
    [contact] = await published(portal.pool, ContactChanged)
    assert isinstance(contact, ContactChanged)
    assert (contact.account_id, contact.email, contact.person, contact.language) == (
        row["id"],
        ADDRESS,
        "王大同",
        "zh-Hant-TW",
    )
    assert (row["wants_updates"], row["terms_version"]) == (True, TERMS_VERSION)


async def test_updates_are_only_for_those_who_want_them(portal: Portal) -> None:
    await portal.register()
    assert await portal.pool.fetchval("SELECT wants_updates FROM results_accounts") is False


async def test_neither_number_nor_password_is_kept_as_it_was_typed(portal: Portal) -> None:
    await portal.register()
    for table in ("results_accounts", "known_entries", "outbox", "audit_lines"):
        kept = str(await portal.pool.fetch(f"SELECT t::text FROM {table} t"))
        assert PASSWORD not in kept
        assert not re.search(rf"\b{SECRET}\b", kept)
    hashed = await portal.pool.fetchval("SELECT password_hash FROM results_accounts")
    assert hashed.startswith("$argon2id$")


async def test_a_registered_id_number_is_told_only_to_whoever_has_its_secret_number(
    portal: Portal,
) -> None:
    await portal.register()
    stranger = await portal.register(secret_number="0000")
    assert stranger.status == 422
    assert NOT_TOGETHER in await stranger.text()
    holder = await portal.register(email=OTHER_ADDRESS, email_again=OTHER_ADDRESS)
    assert holder.status == 409
    assert "這個 ID Number 已經註冊過" in await holder.text()
    assert await portal.pool.fetchval("SELECT email FROM results_accounts") == ADDRESS


async def test_of_many_who_register_one_id_number_at_once_one_succeeds(portal: Portal) -> None:
    answers = await asyncio.gather(*(portal.register() for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [303] + [409] * 7
    assert await count_accounts(portal.pool) == 1
    assert len(await published(portal.pool, ResultsAccountOpened)) == 1


async def test_a_cancelled_entry_cannot_be_registered(portal: Portal) -> None:
    await portal.tell(is_cancelled=True, recorded_at=LATER)
    answer = await portal.register()
    assert answer.status == 422
    assert NOT_TOGETHER in await answer.text()
    assert await count_accounts(portal.pool) == 0


async def test_a_replaced_secret_number_stops_the_old_one(portal: Portal) -> None:
    await portal.tell(secret="2468", recorded_at=LATER)
    assert NOT_TOGETHER in await (await portal.register()).text()
    assert (await portal.register(secret_number="2468")).status == 303


async def test_an_entry_that_changes_while_the_password_is_hashed_is_looked_at_again(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = results_accounts.open_

    async def replace_first(*args: object, **more: object) -> object:
        await portal.tell(secret="2468", recorded_at=LATER)
        return await open_(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(results_accounts, "open_", replace_first)
    assert NOT_TOGETHER in await (await portal.register()).text()
    assert await count_accounts(portal.pool) == 0


async def test_a_new_secret_number_opens_another_account_in_place_of_the_first(
    portal: Portal,
) -> None:
    """For a mistyped address, or when somebody else was first: only the centre can help."""
    await portal.register(email=OTHER_ADDRESS, email_again=OTHER_ADDRESS)
    await portal.log_in()
    somebody = portal.cookies()
    portal.leave()
    await portal.tell(secret="2468", recorded_at=LATER)
    assert await portal.is_logged_in(somebody), "a new letter alone closes nothing"
    chosen = {"secret_number": "2468", "password": "Fghij456", "password_again": "Fghij456"}
    assert (await portal.register(**chosen)).status == 303
    [closed] = await published(portal.pool, AccountClosed)
    assert isinstance(closed, AccountClosed)
    assert closed.email == OTHER_ADDRESS
    await portal.site.deliver()
    assert not await portal.is_logged_in(somebody)
    portal.leave()
    assert (await portal.log_in()).status == 422
    assert (await portal.log_in(password="Fghij456")).status == 303
    assert ADDRESS in await portal.text("/identity/results/details/")


async def test_several_candidates_may_share_an_address_that_has_another_account(
    portal: Portal,
) -> None:
    await portal.site.add_account(ADDRESS)
    assert (await portal.register()).status == 303
    await portal.tell(entry_id="00000000-0000-0000-0000-000000000008", id_number=NOBODYS)
    assert (await portal.register(id_number=NOBODYS)).status == 303
    assert await portal.site.sign_in(ADDRESS) == 303, "which stays as it was"


async def test_an_address_typed_when_registering_signs_in_nowhere(portal: Portal) -> None:
    await portal.register()
    assert await portal.site.sign_in(ADDRESS, PASSWORD) == 422
