"""What registrars make of registrations, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment.registrations import (
    deciding,
    load,
)
from services.enrollment.registrations.deciding import NotWaiting
from shared.db import Pool, transaction
from shared.events.enrollment import (
    DocumentsReturned,
    EntryRecorded,
    RefundDue,
    RegistrationConfirmed,
    RegistrationVoided,
)
from tests.enrollment.life import CHILD, TICK, Life, events, sent
from tests.enrollment.world import EXAM, NOW, add_sitting, claim_one, taken, wish


async def test_a_confirmed_candidate_is_told_to_the_others(pool: Pool, life: Life) -> None:
    await life.submit(sent(birth_date=CHILD))
    await events(pool)
    assert (await life.approve()).state == "confirmed"
    [told, entered] = await events(pool)
    assert isinstance(told, RegistrationConfirmed)
    assert isinstance(entered, EntryRecorded)
    assert entered.registration_id == life.id
    assert (told.person_name, told.dialect, told.exam_date) == ("陳大文", "sixian", EXAM)
    with pytest.raises(NotWaiting):
        await life.approve()


async def test_returned_documents_are_replaced_or_the_registration_ends(
    pool: Pool, life: Life
) -> None:
    await life.submit()
    await life.pay()
    await events(pool)
    returned = await life.return_documents()
    assert returned.state == "returned"
    assert returned.fix_by is not None
    [told] = await events(pool)
    assert isinstance(told, DocumentsReturned)
    assert told.fix_by == returned.fix_by
    async with transaction(pool) as tx:
        await deciding.resubmit(
            tx, registration_id=life.id, account_id=life.account_id, arrived_at=NOW
        )
    assert (await life.now()).state == "in_review"
    returned = await life.return_documents()
    assert returned.fix_by is not None
    async with transaction(pool) as tx:
        assert await deciding.void_unfixed(tx, now=returned.fix_by - TICK) == 0
        assert await deciding.void_unfixed(tx, now=returned.fix_by) == 1
    assert (await life.now()).state == "void"
    assert await taken(pool) == 0
    kinds = {type(event): event for event in await events(pool)}
    assert isinstance(kinds[RegistrationVoided], RegistrationVoided)
    refund = kinds[RefundDue]
    assert isinstance(refund, RefundDue)
    assert (refund.less_twd, refund.reason) == (58, "review_failed")
    with pytest.raises(NotWaiting):
        async with transaction(pool) as tx:
            await deciding.resubmit(
                tx, registration_id=life.id, account_id=life.account_id, arrived_at=NOW
            )


async def test_money_that_comes_after_the_end_goes_back(pool: Pool, life: Life) -> None:
    await life.submit(sent(birth_date=CHILD))
    async with transaction(pool) as tx:
        await deciding.refuse(tx, registration_id=life.id, actor="registrar", now=NOW)
    assert not any(isinstance(event, RefundDue) for event in await events(pool))
    await life.pay()
    [told] = await events(pool)
    assert isinstance(told, RefundDue)


async def test_absence_ends_later_entries_of_the_series(pool: Pool) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date()
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=yesterday)
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    missed = await Life.begin(pool)
    await missed.submit(sent(birth_date=CHILD))
    await missed.approve()
    later, national, others = [
        await claim_one(pool, wish(sitting, account_id=account))
        for sitting, account in (("m2", missed.account_id), ("n1", missed.account_id), ("m2", None))
    ]
    await events(pool)
    async with transaction(pool) as tx:
        marked = await deciding.mark_absent(
            tx, registration_ids=[missed.id, others.id], actor="registrar", now=NOW
        )
        assert marked == 1
        assert (await load(tx, registration_id=later.id)).ended_why == "absent_before"
        assert (await load(tx, registration_id=national.id)).state == "drafting"
        assert (await load(tx, registration_id=others.id)).state == "drafting"
    assert await taken(pool, "m2") == 1
    [told] = await events(pool)
    assert isinstance(told, RegistrationVoided)
    assert told.why == "absent_before"


async def test_nobody_is_absent_before_the_exam(pool: Pool, life: Life) -> None:
    await life.submit(sent(birth_date=CHILD))
    await life.approve()
    async with transaction(pool) as tx:
        assert not await deciding.mark_absent(
            tx, registration_ids=[life.id], actor="registrar", now=NOW
        )
