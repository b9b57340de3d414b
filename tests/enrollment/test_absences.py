"""Absentees: every line of the list is judged before anybody is marked."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.enrollment import absences, references
from services.enrollment.absences import TooManyAtOnce
from services.enrollment.registrations import deciding
from shared.db import Pool, transaction
from tests.enrollment.sent import confirm, send
from tests.enrollment.world import NOW, add_sitting, claim_one, wish

TODAY = (NOW + timedelta(hours=8)).date()  # in Taipei
YESTERDAY = TODAY - timedelta(days=1)


async def judge(pool: Pool, *typed: str) -> list[str]:
    async with transaction(pool) as tx:
        entries = await absences.judge(tx, typed=list(enumerate(typed, start=1)), now=NOW)
    assert [entry.line for entry in entries] == list(range(1, len(typed) + 1))
    return [entry.verdict for entry in entries]


async def test_every_line_gets_a_verdict_of_its_own(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=YESTERDAY)
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2, exam_date=TODAY)
    await add_sitting(pool, "m3", {"taoyuan": None}, number=3, exam_date=TODAY + timedelta(days=1))
    good, waiting = await confirm(pool), await send(pool)
    today, tomorrow = await confirm(pool, "m2"), await confirm(pool, "m3")
    absent = await confirm(pool)
    async with transaction(pool) as tx:
        await deciding.mark_absent(tx, registration_ids=[absent.id], actor="test", now=NOW)
    slip = good.reference[:-1] + str((int(good.reference[-1]) + 1) % 10)
    judged = await judge(
        pool,
        good.reference,
        slip,
        "somebody",
        references.write(999_999_999),
        good.reference.replace("-", "").lower(),
        waiting.reference,
        today.reference,
        tomorrow.reference,
        absent.reference,
    )
    assert judged == [
        "will_be_marked",
        "slip_of_the_pen",
        "slip_of_the_pen",
        "unknown",
        "repeated",
        "not_confirmed",
        "will_be_marked",
        "exam_to_come",
        "already_absent",
    ]


async def test_what_is_said_beforehand_is_what_happens(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=YESTERDAY)
    all_ = [await confirm(pool), await send(pool), await confirm(pool)]
    async with transaction(pool) as tx:
        entries = await absences.judge(tx, typed=[(1, one.reference) for one in all_], now=NOW)
        count = await deciding.mark_absent(
            tx, registration_ids=[one.id for one in all_], actor="test", now=NOW
        )
    assert count == sum(entry.is_good for entry in entries) == 2


async def test_who_was_absent_loses_later_entries_of_the_series(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 1, 10))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    person = uuid4().bytes
    missed = await confirm(pool, person=person)
    later = await send(pool, "m2", account_id=missed.account_id, person=person)
    async with transaction(pool) as tx:
        await deciding.mark_absent(tx, registration_ids=[missed.id], actor="test", now=NOW)
    row = await pool.fetchrow("SELECT state, ended_why FROM registrations WHERE id = $1", later.id)
    assert row
    assert (row["state"], row["ended_why"]) == ("void", "absent_before")
    assert await pool.fetchval("SELECT taken FROM places WHERE sitting = 'm2'") == 0


async def test_only_who_was_absent_is_barred_and_not_whoever_shares_the_account(
    pool: Pool,
) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 1, 10))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    await add_sitting(pool, "m3", {"taoyuan": None}, number=3)
    missed = await confirm(pool)
    sibling = await confirm(pool, "m2", account_id=missed.account_id)
    # Nobody knows yet whom this is for.
    draft = await claim_one(pool, wish("m3", account_id=missed.account_id))
    async with transaction(pool) as tx:
        await deciding.mark_absent(tx, registration_ids=[missed.id], actor="test", now=NOW)
    rows = await pool.fetch("SELECT id, state FROM registrations")
    assert {row["id"]: row["state"] for row in rows} == {
        missed.id: "absent",
        sibling.id: "confirmed",
        draft.id: "void",
    }


async def test_another_account_of_the_same_person_is_barred_too(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 1, 10))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    person = uuid4().bytes
    missed = await confirm(pool, person=person)
    later = await send(pool, "m2", person=person)
    elsewhere = await send(pool, "n1", person=person)
    somebody = await send(pool, "m2")
    async with transaction(pool) as tx:
        await deciding.mark_absent(tx, registration_ids=[missed.id], actor="test", now=NOW)
    rows = await pool.fetch("SELECT id, state FROM registrations")
    assert {row["id"]: row["state"] for row in rows} == {
        missed.id: "absent",
        later.id: "void",
        elsewhere.id: "in_review",  # of a series that does not punish it
        somebody.id: "in_review",
    }


async def test_a_list_without_end_is_refused(pool: Pool) -> None:
    typed = [(1, "R-1000-017")] * (absences.MOST_AT_ONCE + 1)
    with pytest.raises(TooManyAtOnce):
        async with transaction(pool) as tx:
            await absences.judge(tx, typed=typed, now=NOW)
