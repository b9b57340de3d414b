"""Corrections: with a reason and four eyes; the old result stays on record as replaced."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from services.scoring import corrections, digests, results, statements
from services.scoring.conduct_records import Breach
from services.scoring.corrections import (
    AlreadyDecided,
    Basis,
    CorrectionWaits,
    NothingChanges,
    OwnProposal,
    ResultChangedSince,
)
from services.scoring.releases import NotApproved
from services.scoring.rules import Given
from services.scoring.statements import NoSuchResult
from shared.db import Pool, transaction
from shared.events.scoring import ResultCorrected, ResultsReleased
from tests.scoring.world import (
    COLLEAGUE,
    EXAMINER,
    NOW,
    RELEASER,
    account_of,
    enter,
    entered,
    entry_id,
    hear,
    id_number,
    import_,
    opened,
    prepare,
    release_at_once,
    scored,
    table,
    take_told,
    tell_all,
)

REASON = "第二大題的分數重複計算"
LATER = NOW + timedelta(days=10)


def basic(listening: str, speaking: str = "40", reading: str = "15") -> Given:
    return {
        "listening": {"all": listening},
        "speaking": {"all": speaking},
        "reading": {"all": reading},
    }


async def propose(
    pool: Pool,
    given: Given | None,
    *breaches: Breach,
    number: int = 0,
    actor: UUID = EXAMINER,
) -> UUID:
    async with transaction(pool) as tx:
        return await corrections.propose(
            tx,
            entry_id=entry_id(number),
            basis=Basis(given, breaches),
            reason=REASON,
            actor=actor,
            now=LATER,
        )


async def approve(
    pool: Pool, correction_id: UUID, actor: UUID = RELEASER, *, now: datetime = LATER
) -> UUID:
    async with transaction(pool) as tx:
        return await corrections.approve(tx, correction_id=correction_id, actor=actor, now=now)


async def levels(pool: Pool, number: int = 0) -> Sequence[tuple[int, object, bool]]:
    async with transaction(pool) as tx:
        found = await results.list_versions(tx, entry_id=entry_id(number))
    return [(r.version, r.told["outcome"]["level"], r.replaced_at is not None) for r in found]


async def test_a_correction_makes_another_version_and_keeps_the_old_one(pool: Pool) -> None:
    await prepare(pool, 2)
    await approve(pool, await propose(pool, basic("10")))
    assert await levels(pool) == [(2, "基礎級", False), (1, "初級", True)]
    assert await levels(pool, 1) == [(1, "初級", False)]


async def test_a_corrected_result_has_a_published_digest_of_its_own(pool: Pool) -> None:
    first = await prepare(pool, 2)
    await approve(pool, await propose(pool, basic("10")))
    async with transaction(pool) as tx:
        new, old = await results.list_versions(tx, entry_id=entry_id(0))
        digest = await digests.load(tx, digest_id=new.digest_id)
        published = await digests.load(tx, digest_id=first)
    assert (digest.kind, digest.count) == ("correction", 1)
    assert results.prove(new, count=1).proves(digest.root)
    # What was proved before the correction still is.
    assert results.prove(old, count=2).proves(published.root)


async def test_before_the_release_a_correction_tells_nobody(pool: Pool) -> None:
    await prepare(pool, 1)
    await approve(pool, await propose(pool, basic("10")))
    assert await take_told(pool) == []
    await release_at_once(pool)
    assert await tell_all(pool) == 1
    [told] = await take_told(pool)
    assert isinstance(told, ResultsReleased)


async def test_what_was_corrected_before_the_release_nobody_ever_sees(pool: Pool) -> None:
    await prepare(pool, 1)
    async with transaction(pool) as tx:
        wrong = await results.find_current(tx, entry_id=entry_id(0))
    assert wrong
    await approve(pool, await propose(pool, basic("10")))
    await release_at_once(pool)
    async with transaction(pool) as tx:
        seen = await statements.list_versions(tx, entry_id=entry_id(0))
        assert [statement.result.version for statement in seen] == [2]
        with pytest.raises(NoSuchResult):
            await statements.load(tx, result_id=wrong.id, account_id=account_of(0))


async def test_after_the_release_all_who_hold_it_are_told_why_and_see_the_new_one(
    pool: Pool,
) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    late = opened(0, datetime.now(UTC) + timedelta(hours=1))
    await hear(pool, late)
    await tell_all(pool)
    await take_told(pool)
    corrected_at = datetime.now(UTC) + timedelta(minutes=1)
    result_id = await approve(pool, await propose(pool, basic("10")), now=corrected_at)
    told = await take_told(pool)
    assert {event.account_id for event in told} == {account_of(0), late.account_id}
    for event in told:
        assert isinstance(event, ResultCorrected)
        assert (event.result_id, event.reason) == (result_id, REASON)
    assert await tell_all(pool) == 0
    async with transaction(pool) as tx:
        [seen] = await statements.list_(tx, account_id=account_of(0))
        assert seen.result.id == result_id
        old = (await statements.list_versions(tx, entry_id=entry_id(0)))[1]
        kept = await statements.load(tx, result_id=old.result.id, account_id=account_of(0))
    assert kept.result.replaced_at == corrected_at


async def test_somebody_else_decides(pool: Pool) -> None:
    await prepare(pool, 1)
    correction_id = await propose(pool, basic("10"), actor=COLLEAGUE)
    for decide in (corrections.approve, corrections.reject):
        with pytest.raises(OwnProposal):
            async with transaction(pool) as tx:
                await decide(tx, correction_id=correction_id, actor=COLLEAGUE, now=LATER)
    with pytest.raises(asyncpg.CheckViolationError):  # the database sees to it too
        await pool.execute(
            "UPDATE corrections SET decided_by = $1, decided_at = now(), is_approved = false",
            COLLEAGUE,
        )
    await approve(pool, correction_id)


async def test_a_correction_is_decided_once(pool: Pool) -> None:
    await prepare(pool, 1)
    correction_id = await propose(pool, basic("10"))
    async with transaction(pool) as tx:
        await corrections.reject(tx, correction_id=correction_id, actor=RELEASER, now=LATER)
    assert await levels(pool) == [(1, "初級", False)]
    with pytest.raises(AlreadyDecided):
        await approve(pool, correction_id)
    assert (await approve(pool, await propose(pool, basic("10")))) is not None


async def test_one_correction_waits_at_a_time(pool: Pool) -> None:
    await prepare(pool, 1)
    await propose(pool, basic("10"))
    with pytest.raises(CorrectionWaits):
        await propose(pool, basic("11"), actor=COLLEAGUE)


async def test_a_correction_changes_something(pool: Pool) -> None:
    await prepare(pool, 1)
    with pytest.raises(NothingChanges):
        await propose(pool, basic("25"))


async def test_breaches_and_absences_are_corrected_too_and_the_next_one_stands_on_that(
    pool: Pool,
) -> None:
    await prepare(pool, 1)
    breach = Breach("9.4")
    await approve(pool, await propose(pool, basic("25"), breach))
    async with transaction(pool) as tx:
        assert await corrections.find_basis(tx, entry_id=entry_id(0)) == Basis(
            basic("25"), [breach]
        )
    await approve(pool, await propose(pool, None))
    async with transaction(pool) as tx:
        [newest, *_] = await results.list_versions(tx, entry_id=entry_id(0))
    assert newest.version == 3
    assert newest.outcome.is_absent


async def test_the_same_rule_broken_in_the_same_place_counts_once(pool: Pool) -> None:
    await prepare(pool, 1)
    breach = Breach("6.3", "listening")
    await approve(pool, await propose(pool, basic("25"), breach, breach))
    async with transaction(pool) as tx:
        current = await results.find_current(tx, entry_id=entry_id(0))
        basis = await corrections.find_basis(tx, entry_id=entry_id(0))
    assert current
    assert current.told["outcome"]["total"] == "75"
    assert basis.breaches == [breach]
    with pytest.raises(NothingChanges):
        await propose(pool, basic("25"), breach, breach)


async def test_a_correction_of_what_was_corrected_meanwhile_is_refused(pool: Pool) -> None:
    await prepare(pool, 1)
    correction_id = await propose(pool, basic("10"))
    await pool.execute("UPDATE corrections SET of_version = 0")
    with pytest.raises(ResultChangedSince):
        await approve(pool, correction_id)


async def test_before_approval_there_is_nothing_to_correct(pool: Pool) -> None:
    await enter(pool, 1)
    await import_(pool, table(scored(0)))
    with pytest.raises(NotApproved):
        await propose(pool, basic("10"))


async def test_somebody_entered_too_late_gets_a_first_result_and_is_told_of_it(
    pool: Pool,
) -> None:
    await prepare(pool, 1)
    await release_at_once(pool)
    await tell_all(pool)
    await take_told(pool)
    await hear(pool, entered(1, id_number=id_number(1)))
    approved_at = datetime.now(UTC) + timedelta(minutes=1)
    correction_id = await propose(pool, basic("25"), number=1)
    async with transaction(pool) as tx:
        await corrections.approve(tx, correction_id=correction_id, actor=RELEASER, now=approved_at)
    assert await levels(pool, 1) == [(1, "初級", False)]
    assert await tell_all(pool) == 1
    [told] = await take_told(pool)
    assert isinstance(told, ResultsReleased)
    assert (told.account_id, told.released_at) == (account_of(1), approved_at)
