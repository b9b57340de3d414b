"""Approval: by somebody who put nothing in, of what was looked at, with a digest of it all."""

import asyncpg
import pytest

from services.scoring import (
    approvals,
    candidates,
    contributors,
    digests,
    drafts,
    releases,
    results,
    scores,
)
from services.scoring.approvals import ChangedSince, ScoresMissing
from services.scoring.contributors import ContributedHere
from services.scoring.drafts import NotComputed
from services.scoring.releases import ResultsApproved
from services.scoring.results import Result
from shared.db import Pool, transaction
from tests.scoring.world import (
    BASIC,
    COLLEAGUE,
    EXAMINER,
    NOW,
    RELEASER,
    approve,
    compute,
    enter,
    entry_id,
    import_,
    prepare,
    scored,
    table,
)


async def find_results(pool: Pool, count: int) -> list[Result]:
    found = []
    async with transaction(pool) as tx:
        for number in range(count):
            result = await results.find_current(tx, entry_id=entry_id(number))
            assert result
            found.append(result)
    return found


async def test_every_result_can_be_proved_against_the_published_digest(pool: Pool) -> None:
    digest_id = await prepare(pool, 7)
    async with transaction(pool) as tx:
        digest = await digests.load(tx, digest_id=digest_id)
        assert await digests.find_by_root(tx, root=digest.root) == digest
    found = await find_results(pool, 7)
    assert digest.count == 7
    assert all(results.prove(one, count=digest.count).proves(digest.root) for one in found)
    assert len({one.salt for one in found}) == 7
    assert sorted(one.position for one in found) == list(range(7))
    assert found[0].told["id_number"] == "000000WLC"
    assert "考生" not in found[0].content
    act = await pool.fetchval("SELECT details FROM audit_lines WHERE act = 'results_approved'")
    assert act["root"] == digest.root.hex()


async def test_a_result_is_never_changed_or_removed(pool: Pool) -> None:
    await prepare(pool, 1)
    for statement in (
        "UPDATE results SET content = replace(content, '80', '90')",
        "UPDATE results SET replaced_at = now(), content = 'x'",
        "UPDATE results SET replaced_at = NULL",
        "DELETE FROM results",
        "UPDATE digests SET count = 2",
        "DELETE FROM digests",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(statement)


@pytest.mark.parametrize("how", ["imported", "marked absent", "removed"])
async def test_nobody_approves_what_they_put_in_themselves(pool: Pool, how: str) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0), scored(1)))
    async with transaction(pool) as tx:
        candidate = await candidates.load(tx, entry_id=entry_id(1))
        if how == "marked absent":
            await scores.mark_absent(tx, candidate=candidate, actor=COLLEAGUE, now=NOW)
        elif how == "removed":
            await scores.clear(tx, candidate=candidate, actor=COLLEAGUE)
    await import_(
        pool,
        table(scored(1, ("26", "40", "15"))),
        actor=COLLEAGUE if how == "imported" else EXAMINER,
    )
    for actor in (EXAMINER, COLLEAGUE):
        with pytest.raises(ContributedHere):
            await approve(pool, actor=actor)
    await approve(pool, actor=RELEASER)


async def test_the_database_refuses_them_too(pool: Pool) -> None:
    digest_id = await prepare(pool, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE releases SET approved_by = $1", EXAMINER)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE releases SET released_at = now(), ordered_by = $1", EXAMINER)
    async with transaction(pool) as tx:
        assert await contributors.is_one(tx, sitting=BASIC, account_id=EXAMINER)
        release = await releases.find(tx, sitting=BASIC)
    assert release
    assert (release.approved_by, release.digest_id) == (RELEASER, digest_id)


async def test_nothing_is_approved_that_was_not_computed(pool: Pool) -> None:
    await enter(pool, 1)
    await import_(pool, table(scored(0)))
    with pytest.raises(NotComputed):
        async with transaction(pool) as tx:
            await approvals.approve(tx, code=BASIC, number=1, actor=RELEASER, now=NOW)


async def test_what_changed_since_it_was_looked_at_is_not_approved(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0), scored(1)))
    first = await compute(pool)
    await import_(pool, table(scored(0, ("1", "1", "1"))))
    with pytest.raises(ChangedSince):
        async with transaction(pool) as tx:
            await approvals.approve(tx, code=BASIC, number=first, actor=RELEASER, now=NOW)
    await compute(pool)
    with pytest.raises(ChangedSince):  # that is not the one this releaser looked at
        async with transaction(pool) as tx:
            await approvals.approve(tx, code=BASIC, number=first, actor=RELEASER, now=NOW)
    await approve(pool)


async def test_everybody_needs_scores_or_an_absence(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0)))
    with pytest.raises(ScoresMissing):
        await approve(pool)


async def test_results_are_approved_once(pool: Pool) -> None:
    await prepare(pool, 1)
    with pytest.raises(ResultsApproved):
        async with transaction(pool) as tx:
            await approvals.approve(tx, code=BASIC, number=1, actor=RELEASER, now=NOW)
    with pytest.raises(ResultsApproved):
        async with transaction(pool) as tx:
            await drafts.compute(tx, code=BASIC, actor=EXAMINER, now=NOW)
