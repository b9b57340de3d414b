"""Release: at one instant for everybody, by the clock of the database; before it, to nobody."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.scoring import releases, results, statements
from services.scoring.contributors import ContributedHere
from services.scoring.releases import AlreadyReleased, NotAhead, NotApproved
from services.scoring.statements import NoSuchResult
from shared.db import Pool, Tx, transaction
from tests.scoring.world import (
    BASIC,
    CAMBRIDGE,
    EXAMINER,
    KEY,
    RELEASER,
    account_of,
    approve,
    enter,
    entered,
    entry_id,
    hear,
    id_number,
    import_,
    opened,
    order,
    prepare,
    release_at_once,
    table,
    tell_all,
)

AHEAD = timedelta(days=1)
LONDON = ZoneInfo("Europe/London")


async def see(tx: Tx, number: int = 0, account_id: UUID | None = None) -> bool:
    """Ask in every way in which somebody may see a result; all have to agree."""
    account_id = account_id or account_of(number)
    listed = await statements.list_(tx, account_id=account_id)
    proved = await statements.list_versions(tx, entry_id=entry_id(number))
    current = await results.find_current(tx, entry_id=entry_id(number))
    assert current
    try:
        loaded = await statements.load(tx, result_id=current.id, account_id=account_id)
    except NoSuchResult:
        loaded = None
    seen = {bool(listed), bool(proved), bool(loaded)}
    assert len(seen) == 1
    return seen == {True}


async def can_see(pool: Pool, number: int = 0) -> bool:
    async with transaction(pool) as tx:
        return await see(tx, number)


@pytest.mark.parametrize(
    ("since", "is_visible"),
    [
        (timedelta(seconds=-1), False),
        (timedelta(microseconds=-1), False),
        (timedelta(), True),
        (timedelta(seconds=1), True),
    ],
)
async def test_a_result_is_seen_from_the_instant_on_and_not_a_microsecond_before(
    pool: Pool, since: timedelta, is_visible: bool
) -> None:
    await prepare(pool, 1)
    async with transaction(pool) as tx:  # in which the clock of the database stands still
        await tx.execute(
            "UPDATE releases SET released_at = now() - $1::interval, ordered_by = $2",
            since,
            RELEASER,
        )
        assert await see(tx) is is_visible
        release = await releases.find(tx, sitting=BASIC)
    assert release
    assert release.is_out is is_visible


async def test_no_job_has_to_run_for_results_to_appear(pool: Pool) -> None:
    await prepare(pool, 1)
    assert not await can_see(pool)  # approved, and no instant is set
    await order(pool, datetime.now(UTC) + AHEAD)
    assert not await can_see(pool)
    await pool.execute("UPDATE releases SET released_at = now()")
    assert await can_see(pool)


async def test_at_once_is_at_once(pool: Pool) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    assert await can_see(pool)


async def test_a_release_is_stopped_before_its_instant_and_not_after(pool: Pool) -> None:
    await prepare(pool, 1)
    await order(pool, datetime.now(UTC) + AHEAD)
    for _ in range(2):  # a second click
        async with transaction(pool) as tx:
            await releases.stop(tx, sitting=BASIC, actor=RELEASER)
    assert await tell_all(pool) == 0
    await release_at_once(pool)
    with pytest.raises(AlreadyReleased):
        async with transaction(pool) as tx:
            await releases.stop(tx, sitting=BASIC, actor=RELEASER)
    assert await can_see(pool)


async def test_a_release_is_not_stopped_in_its_last_seconds(pool: Pool) -> None:
    """What takes a moment to be written might undo what somebody has seen by then."""
    await prepare(pool, 1)
    await order(pool, datetime.now(UTC) + AHEAD)
    await pool.execute("UPDATE releases SET released_at = clock_timestamp() + interval '4 seconds'")
    with pytest.raises(AlreadyReleased):
        async with transaction(pool) as tx:
            await releases.stop(tx, sitting=BASIC, actor=RELEASER)
    with pytest.raises(AlreadyReleased):
        await order(pool, datetime.now(UTC) + AHEAD)
    with pytest.raises(AlreadyReleased):
        await release_at_once(pool)


async def test_another_instant_takes_the_place_of_the_first(pool: Pool) -> None:
    await prepare(pool, 1)
    await order(pool, datetime.now(UTC) + AHEAD)
    later = datetime.now(UTC) + 2 * AHEAD
    await order(pool, later)
    async with transaction(pool) as tx:
        release = await releases.find(tx, sitting=BASIC)
    assert release
    assert release.released_at == later


@pytest.mark.parametrize("ahead", [timedelta(), -timedelta(seconds=1), timedelta(days=400)])
async def test_an_instant_is_ahead_and_within_a_year(pool: Pool, ahead: timedelta) -> None:
    await prepare(pool, 1)
    now = datetime.now(UTC)
    with pytest.raises(NotAhead):
        async with transaction(pool) as tx:
            await releases.order(
                tx, sitting=BASIC, released_at=now + ahead, actor=RELEASER, now=now
            )


async def test_nothing_is_released_that_was_not_approved_or_by_whoever_imported(
    pool: Pool,
) -> None:
    await enter(pool, 1)
    with pytest.raises(NotApproved):
        await release_at_once(pool)
    await hear(pool, entered(0))
    await prepare(pool, 1)
    now = datetime.now(UTC)
    with pytest.raises(ContributedHere):
        async with transaction(pool) as tx:
            await releases.order(
                tx, sitting=BASIC, released_at=now + AHEAD, actor=EXAMINER, now=now
            )
    with pytest.raises(ContributedHere):
        async with transaction(pool) as tx:
            await releases.order_at_once(tx, sitting=BASIC, actor=EXAMINER)


async def test_each_sees_their_own_and_nobody_a_cancelled_one(pool: Pool) -> None:
    await prepare(pool, 3)
    await release_at_once(pool)
    await hear(pool, entered(2, is_cancelled=True, recorded_at=datetime.now(UTC)))
    async with transaction(pool) as tx:
        assert not await see(tx, 2)
        [mine] = await statements.list_(tx, account_id=account_of(0))
        assert mine.candidate.entry_id == entry_id(0)
        with pytest.raises(NoSuchResult):
            await statements.load(tx, result_id=mine.result.id, account_id=account_of(1))


async def test_whoever_registers_after_the_release_just_sees_it(pool: Pool) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    late = opened(0, datetime.now(UTC) + timedelta(seconds=1))
    await hear(pool, late)
    async with transaction(pool) as tx:
        assert await see(tx, 0, late.account_id)


@pytest.mark.parametrize(
    ("day", "hour_in_utc"),
    [
        (datetime(2027, 3, 27, 9, tzinfo=LONDON), 9),  # the last day of winter time
        (datetime(2027, 3, 29, 9, tzinfo=LONDON), 8),
        (datetime(2027, 10, 30, 9, tzinfo=LONDON), 8),
        (datetime(2027, 11, 1, 9, tzinfo=LONDON), 9),
    ],
)
async def test_nine_in_the_united_kingdom_is_another_hour_in_summer(
    pool: Pool, day: datetime, hour_in_utc: int
) -> None:
    await enter(pool, 1, **CAMBRIDGE)
    headings = ["id_number", "grade", "overall", "paper.reading", "paper.writing"]
    headings += ["paper.listening", "paper.speaking"]
    cells = [id_number(0), "merit", "135", "140", "130", "135", "134"]
    await import_(pool, table(cells, headings=headings), code=KEY)
    await approve(pool, KEY)
    await order(pool, day, KEY)
    async with transaction(pool) as tx:
        release = await releases.find(tx, sitting=KEY)
    assert release
    assert release.released_at
    assert release.released_at.astimezone(UTC).hour == hour_in_utc
