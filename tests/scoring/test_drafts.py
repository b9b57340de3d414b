"""Computing results: as often as one likes, and what changed since the last time is told."""

from typing import Any
from uuid import UUID

import pytest

from services.scoring import candidates, conduct_records, drafts, scores, sittings
from services.scoring.conduct_records import Breach, RuleDoesNotApply
from services.scoring.drafts import Draft, NobodyEntered
from services.scoring.rules import ScoredOutcome, outcomes
from services.scoring.sittings import NoPlan
from shared.db import Pool, transaction
from tests.scoring.world import (
    BASIC,
    CAMBRIDGE,
    EXAMINER,
    KEY,
    NOW,
    compute,
    enter,
    entered,
    entry_id,
    hear,
    id_number,
    import_,
    scored,
    table,
)


async def find_outcomes(pool: Pool, code: str = BASIC) -> dict[UUID, Any]:
    async with transaction(pool) as tx:
        rows = await drafts.list_(tx, sitting=code, limit=100)
    return {row.entry_id: outcomes.read(row.outcome) for row in rows if row.outcome}


async def find_changes(pool: Pool) -> list[Draft]:
    async with transaction(pool) as tx:
        found = await drafts.list_(tx, sitting=BASIC, only_changed=True, limit=100)
        assert len(found) == await drafts.count_changes(tx, sitting=BASIC)
    return found


async def record(pool: Pool, number: int, breach: Breach) -> None:
    async with transaction(pool) as tx:
        await conduct_records.add(
            tx,
            sitting=await sittings.load(tx, code=BASIC),
            candidate=await candidates.load(tx, entry_id=entry_id(number)),
            breach=breach,
            actor=EXAMINER,
            now=NOW,
        )


async def test_a_result_remembers_the_scheme_and_its_version(pool: Pool) -> None:
    await enter(pool, 1)
    await import_(pool, table(scored(0)))
    await compute(pool)
    outcome = (await find_outcomes(pool))[entry_id(0)]
    assert isinstance(outcome, ScoredOutcome)
    assert (outcome.scheme, outcome.version, outcome.level) == ("hakka-basic", 1, "初級")
    assert outcome.total == 80


async def test_absentees_have_a_result_that_says_so_and_cancelled_entries_have_none(
    pool: Pool,
) -> None:
    await enter(pool, 3)
    await import_(pool, table(scored(0), scored(2)))
    async with transaction(pool) as tx:
        candidate = await candidates.load(tx, entry_id=entry_id(1))
        await scores.mark_absent(tx, candidate=candidate, actor=EXAMINER, now=NOW)
    await hear(pool, entered(2, is_cancelled=True, recorded_at=NOW))
    await compute(pool)
    found = await find_outcomes(pool)
    assert set(found) == {entry_id(0), entry_id(1)}
    assert found[entry_id(1)].is_absent
    assert found[entry_id(1)].level is None


async def test_whoever_has_neither_scores_nor_an_absence_is_named(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0)))
    async with transaction(pool) as tx:
        computed = await drafts.compute(tx, code=BASIC, actor=EXAMINER, now=NOW)
    assert computed.missing == [entry_id(1)]


async def test_breaches_cost_what_the_rules_say(pool: Pool) -> None:
    await enter(pool, 3)
    await import_(pool, table(*(scored(n, ("12", "50", "8")) for n in range(3))))
    await record(pool, 1, Breach("6.1", "listening"))
    await record(pool, 1, Breach("6.1", "listening"))  # a second click
    await record(pool, 2, Breach("9.4"))
    await compute(pool)
    found = await find_outcomes(pool)
    assert [found[entry_id(n)].level for n in range(3)] == ["初級", "基礎級", None]
    assert found[entry_id(1)].total == 69
    [breach] = found[entry_id(1)].conduct
    assert (breach.rule, breach.section, breach.points) == ("6.1", "listening", 1)
    assert found[entry_id(2)].is_disqualified


@pytest.mark.parametrize(
    "breach",
    [
        Breach("99", "listening"),
        Breach("6.1"),
        Breach("6.1", "writing"),
        Breach("6.1", "listening", "conversations"),
        Breach("13.4", "reading", "comprehension"),  # of other exams
        Breach("9.4", "listening"),
    ],
)
async def test_a_rule_is_recorded_where_it_applies_only(pool: Pool, breach: Breach) -> None:
    await enter(pool, 1)
    with pytest.raises(RuleDoesNotApply):
        await record(pool, 0, breach)


async def test_a_part_is_set_to_not_scored(pool: Pool) -> None:
    headings = ["id_number", "listening", "speaking", "reading.sentences", "reading.gaps"]
    headings += ["writing.sentences", "writing.essay", "writing.phonetic_spelling"]
    await enter(pool, 1, exam="intermediate")
    cells = [id_number(0), "70", "108", "50", "20", "18", "20", "14"]
    await import_(pool, table(cells, headings=headings))
    await record(pool, 0, Breach("13.2.2", "writing", "phonetic_spelling"))
    await compute(pool)
    outcome = (await find_outcomes(pool))[entry_id(0)]
    assert (outcome.level, outcome.total) == ("中級", 286)
    assert outcome.sections["writing"].parts["phonetic_spelling"] == 0


async def test_a_breach_of_a_part_without_points_of_its_own_is_named_and_not_computed(
    pool: Pool,
) -> None:
    headings = ["id_number", "listening", "speaking", "reading"]
    headings += ["writing.sentences", "writing.essay", "writing.phonetic_spelling"]
    await enter(pool, 1, exam="intermediate")
    await import_(
        pool, table([id_number(0), "70", "108", "70", "18", "20", "14"], headings=headings)
    )
    await record(pool, 0, Breach("13.4", "reading", "gaps"))
    async with transaction(pool) as tx:
        computed = await drafts.compute(tx, code=BASIC, actor=EXAMINER, now=NOW)
    assert computed.faulty == [entry_id(0)]
    assert computed.count == 0


async def test_what_changed_since_the_last_computation_is_listed(pool: Pool) -> None:
    await enter(pool, 4)
    await import_(pool, table(*(scored(n) for n in range(3))))
    assert await compute(pool) == 1
    assert len(await find_changes(pool)) == 3  # all are new
    assert await compute(pool) == 2
    assert await find_changes(pool) == []
    await import_(pool, table(scored(0, ("10", "40", "15")), scored(3)))
    await hear(pool, entered(2, is_cancelled=True, recorded_at=NOW))
    await compute(pool)
    changes = {draft.entry_id: draft for draft in await find_changes(pool)}
    assert set(changes) == {entry_id(0), entry_id(2), entry_id(3)}
    before, after = changes[entry_id(0)].before, changes[entry_id(0)].outcome
    assert before
    assert after
    assert (before["level"], after["level"]) == ("初級", "基礎級")
    assert changes[entry_id(2)].outcome is None
    assert changes[entry_id(3)].before is None
    await compute(pool)
    assert await find_changes(pool) == []


async def test_given_results_are_taken_as_they_are(pool: Pool) -> None:
    await enter(pool, 1, **CAMBRIDGE)
    headings = ["id_number", "grade", "overall", "paper.reading", "paper.writing"]
    headings += ["paper.listening", "paper.speaking"]
    cells = [id_number(0), "Pass with Merit", "135", "140", "130", "135", "134"]
    await import_(pool, table(cells, headings=headings), code=KEY)
    await compute(pool, KEY)
    [outcome] = (await find_outcomes(pool, KEY)).values()
    assert (outcome.layout, outcome.version) == ("cambridge-english", 1)
    assert (outcome.grade, outcome.overall) == ("merit", 135)


async def test_an_exam_nobody_planned_for_is_not_computed(pool: Pool) -> None:
    await enter(pool, 1, exam="none")
    with pytest.raises(NoPlan):
        await compute(pool)


async def test_a_sitting_without_candidates_is_not_computed(pool: Pool) -> None:
    await enter(pool, 1, is_cancelled=True)
    with pytest.raises(NobodyEntered):
        await compute(pool)
