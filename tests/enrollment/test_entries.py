"""Entries: two numbers each, published at every change, and the last change counts."""

import re
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from services.enrollment import entries, entry_lists, schedule
from services.enrollment.entries import Entry, EntryCancelled, Person
from services.enrollment.registrations import deciding
from services.enrollment.settings import Settings
from shared import entry_numbers
from shared.db import Pool, transaction
from tests.enrollment import centres
from tests.enrollment.candidates import arrive
from tests.enrollment.centres import SITTING, TAIPEI, told
from tests.enrollment.sent import confirm
from tests.enrollment.world import EXAM, NOW, VAULT, add_sitting
from tests.site import Site

BORN = date(2012, 4, 21)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def cambridge(empty: Pool) -> Pool:
    await centres.prepare(empty)
    await empty.execute("DELETE FROM outbox")
    return empty


def person(number: str = "0001", name: str = "王大同") -> Person:
    return Person(number, name, None, BORN, None)


async def enter(pool: Pool, *people: Person) -> list[Entry]:
    async with transaction(pool) as tx:
        await entries.change_list(
            tx,
            centre=TAIPEI.number,
            sitting=SITTING,
            added=people,
            changed={},
            vault=VAULT,
            now=NOW,
        )
    return await known(pool)


async def known(pool: Pool) -> list[Entry]:
    async with transaction(pool) as tx:
        return await entry_lists.list_(tx, centre=TAIPEI.number, sitting=SITTING)


async def reveal(pool: Pool, found: Sequence[Entry]) -> dict[UUID, str]:
    async with transaction(pool) as tx:
        return dict(await entry_lists.reveal(tx, entries=found, vault=VAULT))


async def test_whoever_is_entered_gets_two_numbers_and_is_told_of(cambridge: Pool) -> None:
    found = await enter(cambridge, person(), person("0002", "林怡君"))
    events = {event.entry_id: event for event in await told(cambridge)}
    numbers = await reveal(cambridge, found)
    assert len({entry.id_number for entry in found}) == 2
    for entry in found:
        event = events[entry.id]
        assert re.fullmatch("[0-9]{6}[A-HJ-NP-Z]{3}", entry.id_number)
        assert entry_numbers.read_id_number(entry.id_number) == entry.id_number
        assert entry_numbers.SECRET_NUMBER.fullmatch(numbers[entry.id])
        assert entry_numbers.is_secret_number(
            VAULT,
            id_number=entry.id_number,
            secret_number=numbers[entry.id],
            expected_digest=event.secret_digest,
        )
        assert (event.person_name, event.birth_date) == (entry.person_name, BORN)
        assert (event.centre_number, event.centre_name) == ("TW940", "Taipei Centre")
        assert (event.programme, event.exam) == ("cambridge-english", "a2-key-for-schools")
        assert (event.account_id, event.registration_id, event.is_cancelled) == (None, None, False)


async def test_no_secret_number_can_be_read_in_the_database(cambridge: Pool) -> None:
    [entry] = await enter(cambridge, person())
    secret = (await reveal(cambridge, [entry]))[entry.id]
    row = await cambridge.fetchrow("SELECT secret_number, secret_digest FROM entries")
    assert row
    assert secret.encode() not in row["secret_number"]
    [event] = await told(cambridge)
    assert f'"{secret}"' not in event.model_dump_json()


async def test_an_id_number_that_is_taken_is_drawn_again(
    cambridge: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["111111AAA", "111111AAA", "222222BBB", "111111AAA", "333333CCC"])
    monkeypatch.setattr(entries, "draw_id_number", lambda: next(drawn))
    await enter(cambridge, person())
    found = await enter(cambridge, person("0002"), person("0003"))
    assert {entry.id_number for entry in found} == {"111111AAA", "222222BBB", "333333CCC"}
    assert {entry.candidate_number for entry in found} == {"0001", "0002", "0003"}
    numbers = await reveal(cambridge, found)
    for event in await told(cambridge):
        assert entry_numbers.is_secret_number(
            VAULT,
            id_number=event.id_number,
            secret_number=numbers[event.entry_id],
            expected_digest=event.secret_digest,
        ), "the digest fits the number that was written"


async def test_a_new_secret_number_stops_the_old_one(
    cambridge: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    [entry] = await enter(cambridge, person())
    [before] = await told(cambridge)
    old = (await reveal(cambridge, [entry]))[entry.id]
    # Even if the old number is drawn first.
    drawn = iter([int(old), (int(old) + 1) % 10_000])
    monkeypatch.setattr(secrets, "randbelow", lambda most: next(drawn))
    async with transaction(cambridge) as tx:
        await entries.renew_secret(tx, entry=entry, vault=VAULT, actor="test", now=LATER)
    [after] = await told(cambridge)
    assert after.id_number == before.id_number
    assert not entry_numbers.is_secret_number(
        VAULT, id_number=entry.id_number, secret_number=old, expected_digest=after.secret_digest
    )
    assert entry_numbers.is_secret_number(
        VAULT,
        id_number=entry.id_number,
        secret_number=(await reveal(cambridge, [entry]))[entry.id],
        expected_digest=after.secret_digest,
    )


async def test_the_last_change_counts_though_its_clock_is_slow(cambridge: Pool) -> None:
    [entry] = await enter(cambridge, person())
    early = NOW - timedelta(hours=1)
    async with transaction(cambridge) as tx:
        await entries.set_cancelled(tx, entry=entry, is_cancelled=True, actor="test", now=early)
    async with transaction(cambridge) as tx:
        await entries.tell_again(tx, sitting=SITTING, now=early)
    times = [event.recorded_at for event in await told(cambridge)]
    assert len(times) == len({*times}) == 3
    assert times == sorted(times)


async def test_a_cancelled_entry_gets_no_new_secret_but_can_come_back(cambridge: Pool) -> None:
    [entry] = await enter(cambridge, person())
    for _ in range(2):  # the second click does nothing
        async with transaction(cambridge) as tx:
            await entries.set_cancelled(tx, entry=entry, is_cancelled=True, actor="test", now=LATER)
    [entry] = await known(cambridge)
    with pytest.raises(EntryCancelled):
        async with transaction(cambridge) as tx:
            await entries.renew_secret(tx, entry=entry, vault=VAULT, actor="test", now=LATER)
    async with transaction(cambridge) as tx:
        await entries.set_cancelled(tx, entry=entry, is_cancelled=False, actor="test", now=LATER)
    assert [event.is_cancelled for event in await told(cambridge)] == [False, True, False]


async def test_whoever_registered_here_is_entered_when_confirmed(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one, other = await confirm(pool), await confirm(pool)
    events = {event.registration_id: event for event in await told(pool)}
    assert set(events) == {one.id, other.id}
    event = events[one.id]
    assert (event.account_id, event.candidate_number) == (one.account_id, one.reference)
    assert (event.person_name, event.latin_name) == ("王大同", "WANG, TA-TUNG")
    assert (event.exam_date, event.dialect, event.zone) == (EXAM, "sixian", "Asia/Taipei")
    assert (event.centre_number, event.centre_name) == (None, None)
    async with transaction(pool) as tx:
        entry = await entry_lists.find_own(tx, registration_id=one.id)
    assert entry is not None
    assert entry.id_number == event.id_number


async def test_who_was_confirmed_before_there_were_entries_gets_one_too(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, waiting = hall.pools["enrollment"], await arrive(hall)
    older, newer = [await give_entry(hall) for _ in range(3)], await give_entry(hall)
    cancelled = await give_entry(hall)
    async with transaction(pool) as tx:
        await entries.cancel_registrations(tx, registration_ids=[cancelled], now=LATER)
    kept = await pool.fetch("SELECT * FROM entries WHERE NOT registration_id = ANY($1)", older)
    await pool.execute("DELETE FROM entries WHERE registration_id = ANY($1)", older)
    await pool.execute("DELETE FROM outbox")
    monkeypatch.setattr(schedule, "ENTERED_AT_ONCE", 2)
    assert [await enter_older(hall) for _ in range(3)] == [2, 1, 0]
    events = await told(pool)
    assert {event.registration_id for event in events} == {*older}
    assert {row["registration_id"] for row in kept} == {newer, cancelled}
    assert kept == await pool.fetch(
        "SELECT * FROM entries WHERE NOT registration_id = ANY($1)", older
    )
    async with transaction(pool) as tx:
        assert await entry_lists.find_own(tx, registration_id=waiting.claimed.id) is None


async def give_entry(hall: Site) -> UUID:
    return UUID((await centres.give_entry(hall, uuid4()))["registration_id"])


async def enter_older(hall: Site) -> int:
    """Run the job once."""
    settings = hall.settings["enrollment"]
    assert isinstance(settings, Settings)
    [job] = [job for job in schedule.jobs(settings) if job.name == "enter_older"]
    return await job.work(hall.pools["enrollment"], LATER)


async def test_an_entry_ends_with_its_registration(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 1, 10))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    missed = await confirm(pool, person=b"somebody")
    later = await confirm(pool, "m2", person=b"somebody")
    stays = await confirm(pool, "m2")
    await told(pool)
    async with transaction(pool) as tx:
        await deciding.mark_absent(tx, registration_ids=[missed.id], actor="test", now=LATER)
    [event] = await told(pool)
    assert (event.registration_id, event.is_cancelled) == (later.id, True)
    async with transaction(pool) as tx:
        assert await entry_lists.find_own(tx, registration_id=later.id) is None
        assert await entry_lists.find_own(tx, registration_id=stays.id) is not None


async def test_what_changes_about_a_sitting_is_told_of_its_entries(cambridge: Pool) -> None:
    await enter(cambridge, person())
    [before] = await told(cambridge)
    await cambridge.execute(
        "UPDATE sittings SET results_at = results_at + interval '1 day' WHERE code = $1", SITTING
    )
    async with transaction(cambridge) as tx:
        await entries.tell_again(tx, sitting="b2-first-2026-12", now=LATER)
        await entries.tell_again(tx, sitting=SITTING, now=LATER)
    [after] = await told(cambridge)
    assert after.results_at == before.results_at + timedelta(days=1)
    assert after.recorded_at > before.recorded_at


async def test_a_registration_has_one_entry(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await confirm(pool)
    async with transaction(pool) as tx:
        await entries.enter_registrations(tx, registration_ids=[uuid4()], vault=VAULT, now=NOW)
    count = await pool.fetchval("SELECT count(*) FROM entries WHERE registration_id = $1", one.id)
    assert count == 1
