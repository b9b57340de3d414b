"""Telling: whoever held a result before its release is told once, whatever dies or comes late."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.scoring import releases, tellings
from services.scoring.schedule import tell_results
from shared.db import Pool, connect, transaction
from shared.events.scoring import ResultsReleased
from tests.eventually import eventually
from tests.scoring.world import (
    BASIC,
    account_of,
    entered,
    hear,
    opened,
    order,
    prepare,
    release_at_once,
    take_told,
    tell_all,
)

SECOND = timedelta(seconds=1)


async def released_at(pool: Pool) -> datetime:
    found = await pool.fetchval("SELECT released_at FROM releases")
    assert isinstance(found, datetime)
    return found


async def measure(pool: Pool) -> tuple[int, int]:
    async with transaction(pool) as tx:
        progress = await tellings.measure(tx, sitting=BASIC)
    return progress.told, progress.to_tell


async def test_everybody_who_registered_before_is_told_once_and_nobody_after(pool: Pool) -> None:
    await prepare(pool, 3)
    await release_at_once(pool)
    instant = await released_at(pool)
    just_before = opened(0, instant - SECOND / 1000)
    at, after = opened(1, instant), opened(2, instant + SECOND)
    await hear(pool, just_before, at, after)
    assert await measure(pool) == (0, 4)
    assert await tell_all(pool) == 4
    assert await measure(pool) == (4, 0)
    told = await take_told(pool)
    assert {event.account_id for event in told} == {
        *(account_of(n) for n in range(3)),
        just_before.account_id,
    }
    assert all(isinstance(event, ResultsReleased) for event in told)
    assert await tell_all(pool) == 0


async def test_nobody_is_told_before_the_instant(pool: Pool) -> None:
    await prepare(pool, 2)
    await order(pool, datetime.now(UTC) + timedelta(days=1))
    assert await tell_all(pool) == 0
    assert await measure(pool) == (0, 2)
    assert await take_told(pool) == []
    await pool.execute("UPDATE releases SET released_at = now()")
    assert await tell_all(pool) == 2


async def test_a_fact_says_that_there_is_a_result_and_never_which(pool: Pool) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    await tell_all(pool)
    [event] = await take_told(pool)
    assert event.id_number == "000000WLC"
    assert event.sitting_titles["en"] == "Sitting 1"
    assert set(event.model_dump()) == {
        *("result_id", "entry_id", "account_id", "id_number", "sitting", "programme"),
        *("exam_titles", "sitting_titles", "released_at"),
    }


async def test_what_was_killed_on_the_way_goes_on_where_it_was(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(pool, 7)
    await release_at_once(pool)
    monkeypatch.setattr(tellings, "RESULTS_AT_ONCE", 3)
    async with transaction(pool) as tx:
        assert await tellings.tell(tx) == 3

    class Killed(Exception):
        pass

    async def tell_and_die() -> None:
        async with transaction(pool) as tx:
            assert await tellings.tell(tx) == 3
            raise Killed

    with pytest.raises(Killed):
        await tell_and_die()
    assert await measure(pool) == (3, 4)
    assert await tell_all(pool) == 4
    told = await take_told(pool)
    assert len(told) == len({event.account_id for event in told}) == 7


async def test_the_job_tells_as_long_as_there_is_somebody_to_tell(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(pool, 4)
    await release_at_once(pool)
    monkeypatch.setattr(tellings, "RESULTS_AT_ONCE", 2)
    now = datetime.now(UTC)
    assert [await tell_results(pool, now) for _ in range(4)] == [2, 2, 0, 0]
    assert len(await take_told(pool)) == 4


async def test_news_that_comes_late_of_somebody_who_was_early_is_told_once(pool: Pool) -> None:
    await prepare(pool, 2)
    await release_at_once(pool)
    assert await tell_all(pool) == 2
    early = opened(0, await released_at(pool) - SECOND)
    await hear(pool, early)
    await hear(pool, early)
    await hear(pool, entered(0))
    assert await tell_all(pool) == 1
    await hear(pool, early)
    assert await tell_all(pool) == 0
    assert len(await take_told(pool)) == 3


async def test_news_on_its_way_while_the_last_are_told_is_not_missed(
    pool: Pool, database_url: str
) -> None:
    """Neither sees what the other has not committed: one of them has to wait for the other."""
    await prepare(pool, 1)
    await release_at_once(pool)
    early = opened(0, await released_at(pool) - SECOND)
    other = await connect(database_url, application="other")
    try:
        async with other.transaction():
            assert await tellings.tell(other) == 1
            task = asyncio.create_task(hear(pool, early))
            await eventually(lambda: is_waiting(pool))
        await task
    finally:
        await other.close()
    assert await tell_all(pool) == 1


async def test_two_workers_tell_nobody_twice(pool: Pool, database_url: str) -> None:
    await prepare(pool, 5)
    await release_at_once(pool)
    other = await connect(database_url, application="other")
    try:
        async with other.transaction():
            assert await tellings.tell(other) == 5
            async with transaction(pool) as tx:
                assert await tellings.tell(tx) == 0
    finally:
        await other.close()
    assert len(await take_told(pool)) == 5


async def test_whoever_was_cancelled_is_not_told(pool: Pool) -> None:
    await prepare(pool, 2)
    await hear(pool, entered(1, is_cancelled=True, recorded_at=datetime.now(UTC)))
    await release_at_once(pool)
    assert await tell_all(pool) == 1


async def test_whoever_counts_again_after_the_release_is_told_once(pool: Pool) -> None:
    await prepare(pool, 2)
    await cancel(pool)
    await release_at_once(pool)
    before = opened(1, await released_at(pool) - SECOND)
    after = opened(1, await released_at(pool) + SECOND).model_copy(update={"account_id": uuid4()})
    await hear(pool, before, after)
    assert await tell_all(pool) == 1
    await take_told(pool)
    for expected in (2, 0):
        await hear(pool, entered(1, recorded_at=datetime.now(UTC)))
        assert await tell_all(pool) == expected
        await cancel(pool)
    told = {event.account_id for event in await take_told(pool)}
    assert told == {account_of(1), before.account_id}, "but not who registered after the release"


async def test_whoever_counts_again_while_the_last_are_told_is_not_missed(
    pool: Pool, database_url: str
) -> None:
    await prepare(pool, 2)
    await cancel(pool)
    await release_at_once(pool)
    revived = entered(1, recorded_at=datetime.now(UTC))
    other = await connect(database_url, application="other")
    try:
        async with other.transaction():
            assert await tellings.tell(other) == 2
            task = asyncio.create_task(hear(pool, revived))
            await eventually(lambda: is_waiting(pool))
        await task
    finally:
        await other.close()
    assert await tell_all(pool) == 1
    assert len(await take_told(pool)) == 2


async def cancel(pool: Pool) -> None:
    await hear(pool, entered(1, is_cancelled=True, recorded_at=datetime.now(UTC)))


async def is_waiting(pool: Pool) -> bool:
    return bool(
        await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'test' AND wait_event_type = 'Lock'"
        )
    )


async def test_a_release_that_is_over_is_not_looked_at_again_for_nothing(pool: Pool) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    await tell_all(pool)
    async with transaction(pool) as tx:
        assert await releases.take_untold(tx) is None


async def test_whoever_opens_an_account_after_the_release_makes_no_work(pool: Pool) -> None:
    """On results night they are thousands, and none of them is owed anything."""
    await prepare(pool, 1)
    await release_at_once(pool)
    await tell_all(pool)
    await hear(pool, opened(0, await released_at(pool) + SECOND))
    async with transaction(pool) as tx:
        assert await releases.take_untold(tx) is None
