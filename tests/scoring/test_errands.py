"""Errands: what staff ask for is done once by a worker, all of it or nothing, and they are told."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.scoring import approvals, digests, drafts, errands, releases, sittings
from services.scoring.contributors import ContributedHere
from services.scoring.errands import Errand, UnderWay
from services.scoring.releases import ResultsApproved
from services.scoring.schedule import do_errands
from services.scoring.sittings import NoPlan, NoSuchSitting, SittingHeld
from shared.db import Pool, Tx, transaction
from tests.scoring.office import OVERVIEW, PREVIEW, RELEASE, SITTING, Office
from tests.scoring.world import (
    BASIC,
    EXAMINER,
    NOW,
    RELEASER,
    compute,
    enter,
    entered,
    hear,
    import_,
    prepare,
    scored,
    table,
)

IN_FORCE = "SELECT count(*) FROM results"


async def ask_to_compute(pool: Pool, code: str = BASIC) -> None:
    async with transaction(pool) as tx:
        await errands.ask_to_compute(tx, code=code, actor=EXAMINER, now=NOW)


async def ask_to_approve(pool: Pool, number: int = 1) -> None:
    async with transaction(pool) as tx:
        await errands.ask_to_approve(tx, code=BASIC, number=number, actor=RELEASER, now=NOW)


async def newest(pool: Pool, code: str = BASIC) -> Errand:
    async with transaction(pool) as tx:
        errand = await errands.find_newest(tx, sitting=code)
    assert errand
    return errand


async def get_ready(pool: Pool, count: int = 3) -> None:
    """Let everybody be scored and computed, so that somebody may approve."""
    await enter(pool, count)
    await import_(pool, table(*(scored(n) for n in range(count))))
    await compute(pool)


def breaking(pool: Pool, into: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """End the worker's connection when it has come to something, as its death would."""

    async def breaks(tx: Tx, **told: Any) -> None:
        own = await tx.fetchval("SELECT pg_backend_pid()")
        await pool.execute("SELECT pg_terminate_backend($1)", own)
        await into(tx, **told)

    return breaks


async def test_a_worker_does_what_was_asked_for_and_nothing_more(pool: Pool) -> None:
    await enter(pool, 1)
    await import_(pool, table(scored(0)))
    assert await do_errands(pool, NOW) == 0
    await ask_to_compute(pool)
    assert (await newest(pool)).is_open
    assert await do_errands(pool, NOW) == 1
    assert not (await newest(pool)).is_open
    await ask_to_approve(pool)
    assert await do_errands(pool, NOW) == 1
    assert await do_errands(pool, NOW) == 0
    errand = await newest(pool)
    assert (errand.refusal, errand.ended_at) == (None, NOW)


async def test_a_second_click_asks_for_what_is_under_way_already(pool: Pool) -> None:
    await get_ready(pool)
    await ask_to_compute(pool)
    await ask_to_compute(pool)
    with pytest.raises(UnderWay):
        await ask_to_approve(pool)
    assert await do_errands(pool, NOW) == 1
    assert await do_errands(pool, NOW) == 0
    assert await pool.fetchval("SELECT number FROM computations") == 2


async def test_what_is_refused_anyway_is_refused_at_once(pool: Pool) -> None:
    with pytest.raises(NoSuchSitting):
        await ask_to_compute(pool)
    await enter(pool, 1, sitting="other", exam="none")
    with pytest.raises(NoPlan):
        await ask_to_compute(pool, "other")
    await get_ready(pool)
    with pytest.raises(ContributedHere):
        async with transaction(pool) as tx:
            await errands.ask_to_approve(tx, code=BASIC, number=1, actor=EXAMINER, now=NOW)
    await ask_to_approve(pool)
    await do_errands(pool, NOW)
    with pytest.raises(ResultsApproved):
        await ask_to_approve(pool)
    with pytest.raises(ResultsApproved):
        await ask_to_compute(pool)


@pytest.mark.parametrize(
    ("who", "refusal"), [(EXAMINER, "Something changed"), (RELEASER, "somebody else approves")]
)
async def test_scores_that_change_between_click_and_approval_are_not_approved(
    pool: Pool, who: Any, refusal: str
) -> None:
    await get_ready(pool)
    await ask_to_approve(pool)
    await import_(pool, table(scored(0, ("1", "1", "1"))), actor=who)
    await do_errands(pool, NOW)
    assert refusal in str((await newest(pool)).refusal)
    assert await pool.fetchval(IN_FORCE) == 0


async def test_whoever_was_looked_at_and_left_since_is_a_change(pool: Pool) -> None:
    await get_ready(pool)
    await ask_to_approve(pool)
    await hear(pool, entered(2, is_cancelled=True, recorded_at=NOW))
    await do_errands(pool, NOW)
    assert "Something changed" in str((await newest(pool)).refusal)
    assert await pool.fetchval(IN_FORCE) == 0


async def test_a_worker_that_dies_has_changed_nothing_and_the_next_begins_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await get_ready(pool)
    await ask_to_approve(pool)
    with monkeypatch.context() as patched:
        patched.setattr(releases, "open_", breaking(pool, releases.open_))
        with pytest.raises(asyncpg.InterfaceError, match="closed"):
            await do_errands(pool, NOW)
    assert await pool.fetchval(IN_FORCE) == 0
    assert (await newest(pool)).is_open
    assert await do_errands(pool, NOW) == 1
    assert await pool.fetchval(IN_FORCE) == 3
    assert await pool.fetchval("SELECT count(*) FROM digests") == 1


async def test_a_fault_is_told_and_does_not_keep_other_sittings_waiting(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await get_ready(pool)
    await enter(pool, 2, sitting="second")
    await ask_to_compute(pool)
    await ask_to_compute(pool, "second")

    real = drafts.compute

    async def faulty(tx: Tx, *, code: str, **more: Any) -> Any:
        computed = await real(tx, code=code, **more)
        assert code != BASIC, "a fault"
        return computed

    monkeypatch.setattr(drafts, "compute", faulty)
    assert await do_errands(pool, NOW) == 1
    assert await do_errands(pool, NOW) == 1
    assert "a fault in the system" in str((await newest(pool)).refusal)
    assert (await newest(pool, "second")).refusal is None
    assert await pool.fetchval("SELECT number FROM computations WHERE sitting = $1", BASIC) == 1


async def test_two_workers_do_not_take_the_same(pool: Pool) -> None:
    await get_ready(pool)
    await ask_to_compute(pool)
    async with transaction(pool) as tx:
        assert await errands.take(tx)
        assert await do_errands(pool, NOW) == 0


async def test_news_of_candidates_does_not_wait_for_an_approval(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sittings, "LOCK_TIMEOUT", "10ms")
    await get_ready(pool)
    async with transaction(pool) as tx:
        await sittings.lock(tx, code=BASIC)
        await hear(pool, entered(3, recorded_at=NOW))
        with pytest.raises(SittingHeld):
            await import_(pool, table(scored(0, ("1", "1", "1"))))
    assert await pool.fetchval("SELECT count(*) FROM candidates") == 4


async def test_news_of_a_candidate_in_the_midst_of_an_approval_refuses_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await get_ready(pool)
    await ask_to_approve(pool)
    real = digests.publish

    async def after_news(tx: Tx, **told: Any) -> None:
        await hear(pool, entered(0, id_number="999999WLC", recorded_at=NOW))
        await real(tx, **told)

    monkeypatch.setattr(digests, "publish", after_news)
    await do_errands(pool, NOW)
    assert "Something changed" in str((await newest(pool)).refusal)
    assert await pool.fetchval(IN_FORCE) == 0


async def test_results_beyond_one_reading_are_all_computed_and_approved(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "AT_ONCE", 2)
    monkeypatch.setattr(approvals, "AT_ONCE", 3)
    await prepare(pool, 7)
    rows = await pool.fetch("SELECT entry_id, position FROM results ORDER BY position")
    assert [row["position"] for row in rows] == list(range(7))
    assert [row["entry_id"] for row in rows] == sorted(row["entry_id"] for row in rows)


async def test_pages_say_what_is_under_way_and_what_became_of_it(office: Office) -> None:
    await office.score(scored(0), scored(1))
    await office.send("examiner", f"{PREVIEW}/computation")
    for where in (OVERVIEW, SITTING):
        page = await office.see("administrator", where)
        assert "being computed" in page
        assert "data-poll" in page
        assert 'http-equiv="refresh"' in page
    page = await office.see("examiner", PREVIEW)
    assert "The results are being computed" in page
    assert "data-poll" in page
    assert 'http-equiv="refresh"' in page
    assert "Compute the results" not in page
    await office.do_errands()
    for where in (OVERVIEW, SITTING):
        page = await office.see("administrator", where)
        assert "scores to be imported" in page  # of the third candidate
        assert "data-poll" not in page
        assert 'http-equiv="refresh"' not in page
    page = await office.see("releaser", PREVIEW)
    assert "data-poll" not in page
    assert "Approve these results" in page
    await office.send("releaser", f"{RELEASE}/approval", number="1")
    assert "The results are being approved" in await office.see("releaser", RELEASE)
    for where in (OVERVIEW, SITTING):
        assert "being approved" in await office.see("administrator", where)
    page = await office.see("releaser", PREVIEW)
    assert "The results are being approved" in page
    assert "Approve these results" not in page
    assert "at this moment" in await office.send("examiner", f"{PREVIEW}/computation", 409)
    await office.do_errands()
    for where in (PREVIEW, RELEASE):
        page = await office.see("releaser", where)
        assert "The results were not approved, as asked for on <time" in page
        assert "Some candidates have neither scores nor an absence" in page
    await office.score(scored(2))
    await office.compute()
    assert "were not approved" not in await office.see("releaser", PREVIEW)
    await office.send("releaser", f"{RELEASE}/approval", number="2")
    await office.do_errands()
    assert "data-poll" not in await office.see("releaser", RELEASE)
    assert "These results are approved" in await office.see("releaser", PREVIEW)


async def test_a_colleagues_click_on_the_same_is_no_second_approval(office: Office) -> None:
    await office.score(*(scored(n) for n in range(3)))
    await office.compute()
    for _ in range(2):
        await office.send("releaser", f"{RELEASE}/approval", number="1")
    await office.do_errands()
    pool = office.site.pools["scoring"]
    assert await pool.fetchval("SELECT approved_by FROM releases") == office.accounts["releaser"]
    assert await pool.fetchval("SELECT count(*) FROM errands WHERE act = 'approve'") == 1
