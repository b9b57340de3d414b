"""From a draft to a confirmed candidate: what time, payments and registrars make of it."""

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.enrollment import schedule
from services.enrollment.consumers import on_order_paid
from services.enrollment.registrations import (
    NoSuchRegistration,
    claims,
    drafts,
    list_own,
    load_own,
    openings,
)
from services.enrollment.registrations.claims import Claimed
from services.enrollment.registrations.drafts import (
    AlreadySent,
    PersonAlreadyThere,
    TooLate,
)
from services.enrollment.registrations.openings import Barred
from shared.db import ACQUIRE_SECONDS, ON_THE_WAY, Pool, transaction
from shared.events.enrollment import (
    RefundDue,
    RegistrationLapsed,
    RegistrationSubmitted,
    RegistrationWithdrawn,
    SubmissionDue,
)
from shared.events.payments import OrderPaid
from tests.enrollment.life import CHILD, TICK, Life, events, sent
from tests.enrollment.world import NOW, add_sitting, claim_one, taken, wish
from tests.eventually import eventually


async def test_who_pays_waits_for_the_money_first(pool: Pool, life: Life) -> None:
    registration = await life.submit()
    assert (registration.state, registration.fee_twd) == ("awaiting_payment", 250)
    [told] = await events(pool)
    assert isinstance(told, RegistrationSubmitted)
    assert (told.amount_twd, told.pay_by) == (250, registration.pay_by)
    assert told.methods == ["atm", "card", "line_pay"]
    assert registration.pay_by is not None
    local = (registration.pay_by + timedelta(hours=8), NOW + timedelta(hours=8))
    assert (local[0].date() - local[1].date()).days == 5
    assert (local[0].hour, local[0].minute) == (0, 0)


async def test_who_is_free_goes_straight_to_review(pool: Pool, life: Life) -> None:
    registration = await life.submit(sent(birth_date=CHILD))
    assert (registration.state, registration.fee_twd) == ("in_review", 0)
    assert registration.waiting_since == NOW
    [told] = await events(pool)
    assert isinstance(told, RegistrationSubmitted)
    assert (told.amount_twd, told.pay_by) == (0, None)


async def test_what_was_sent_cannot_be_sent_or_changed_again(life: Life) -> None:
    await life.submit()
    with pytest.raises(AlreadySent):
        await life.submit()


async def test_the_last_moment_is_in_time_and_the_next_is_not(pool: Pool, life: Life) -> None:
    submit_by = (await life.now()).submit_by
    with pytest.raises(TooLate):
        await life.submit(arrived_at=submit_by)
    await life.submit(arrived_at=submit_by - TICK)


async def test_whoever_sends_at_the_last_moment_is_in_time_though_the_job_is_faster(
    pool: Pool, life: Life
) -> None:
    submit_by = (await life.now()).submit_by
    # The request waits for a connection, and the job does not.
    still_waits = submit_by + timedelta(seconds=ACQUIRE_SECONDS)
    assert await schedule.lapse_drafts(pool, still_waits) == 0
    await life.submit(arrived_at=submit_by - TICK)
    await life.pay()
    fix_by = (await life.return_documents()).fix_by
    assert fix_by is not None
    still_waits = fix_by + timedelta(seconds=ACQUIRE_SECONDS)
    assert await schedule.void_unfixed(pool, still_waits) == 0
    assert await schedule.void_unfixed(pool, fix_by + ON_THE_WAY) == 1


async def test_nobody_touches_another_persons_draft(pool: Pool, life: Life) -> None:
    async with transaction(pool) as tx:
        with pytest.raises(NoSuchRegistration):
            await drafts.lock(tx, registration_id=life.id, account_id=uuid4(), arrived_at=NOW)
        with pytest.raises(NoSuchRegistration):
            await load_own(tx, registration_id=life.id, account_id=uuid4())


async def test_one_person_holds_one_place_whatever_the_account(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    first, second = await Life.begin(pool), await Life.begin(pool)
    await first.submit(sent(person=b"A123456789"))
    with pytest.raises(PersonAlreadyThere):
        await second.submit(sent(person=b"A123456789"))
    async with transaction(pool) as tx:
        with pytest.raises(PersonAlreadyThere):
            await drafts.identify(tx, draft=await second.now(), person=b"A123456789")


async def test_one_person_enters_one_of_the_national_sittings(pool: Pool) -> None:
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    await add_sitting(pool, "n2", {"taoyuan": None}, series="national", number=2)
    first, second = await Life.begin(pool, "n1"), await Life.begin(pool, "n2")
    await first.submit()
    with pytest.raises(PersonAlreadyThere):
        await second.submit()


async def test_a_person_who_was_absent_is_found_by_the_id_number(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 6, 27))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    first, second = await Life.begin(pool), await Life.begin(pool, "m2")
    await first.submit()
    await pool.execute("UPDATE registrations SET state = 'absent' WHERE id = $1", first.id)
    async with transaction(pool) as tx:
        with pytest.raises(Barred):
            await drafts.identify(tx, draft=await second.now(), person=b"somebody")


async def test_a_draft_that_is_given_up_frees_its_place_at_once(pool: Pool, life: Life) -> None:
    async with transaction(pool) as tx:
        draft = await drafts.lock(
            tx, registration_id=life.id, account_id=life.account_id, arrived_at=NOW
        )
        await drafts.withdraw(tx, draft=draft, arrived_at=NOW)
    assert await taken(pool) == 0
    [told] = await events(pool)
    assert isinstance(told, RegistrationWithdrawn)
    await claim_one(pool, wish())


async def test_a_draft_lapses_at_its_deadline(pool: Pool, life: Life) -> None:
    submit_by = (await life.now()).submit_by
    async with transaction(pool) as tx:
        assert await drafts.lapse(tx, now=submit_by - TICK) == 0
        assert await drafts.lapse(tx, now=submit_by + timedelta(minutes=7)) == 1
        assert await drafts.lapse(tx, now=submit_by + timedelta(minutes=7)) == 0
    registration = await life.now()
    assert (registration.state, registration.ended_at) == ("lapsed", submit_by)
    assert await taken(pool) == 0
    [told] = await events(pool)
    assert isinstance(told, RegistrationLapsed)
    assert (told.why, told.lapsed_at) == ("not_submitted", submit_by)


async def test_drafts_are_remembered_two_days_and_one_day_before(pool: Pool, life: Life) -> None:
    submit_by = (await life.now()).submit_by
    said = []
    for hours in (72, 47, 46, 23, 22, 1):
        async with transaction(pool) as tx:
            for days in drafts.REMINDED_DAYS_BEFORE:
                await drafts.remind(tx, days_before=days, now=submit_by - timedelta(hours=hours))
        said += [(hours, event.days_left) for event in await events(pool)
                 if isinstance(event, SubmissionDue)]  # fmt: skip
    assert said == [(47, 2), (23, 1)]


async def test_who_claimed_on_the_last_day_is_not_reminded_at_once(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1}, closes_at=NOW + timedelta(hours=20))
    await Life.begin(pool)
    async with transaction(pool) as tx:
        for days in drafts.REMINDED_DAYS_BEFORE:
            assert await drafts.remind(tx, days_before=days, now=NOW) == 0


async def test_money_moves_a_registration_to_review_once(pool: Pool, life: Life) -> None:
    await life.submit()
    first = await life.pay()
    again = await life.pay(NOW + timedelta(hours=1))
    assert first.state == "in_review"
    assert again == first
    assert not any(isinstance(event, RefundDue) for event in await events(pool))


async def test_money_that_comes_before_the_form_is_kept(pool: Pool, life: Life) -> None:
    assert (await life.pay()).state == "drafting"
    assert (await life.submit()).state == "in_review"


async def test_an_unpaid_registration_lapses_and_frees_its_place(pool: Pool, life: Life) -> None:
    await life.submit()
    assert (await life.lapse_unpaid()).state == "lapsed"
    assert await taken(pool) == 0
    assert [type(event) for event in await events(pool)] == [
        RegistrationSubmitted,
        RegistrationLapsed,
    ]


async def test_what_is_paid_does_not_lapse(pool: Pool, life: Life) -> None:
    await life.submit()
    await life.pay()
    assert (await life.lapse_unpaid()).state == "in_review"
    assert await taken(pool) == 1


async def test_who_paid_in_time_gets_the_place_back(pool: Pool, life: Life) -> None:
    await life.submit()
    await life.lapse_unpaid()
    registration = await life.pay()
    assert (registration.state, registration.ended_at) == ("in_review", None)
    assert await taken(pool) == 1


async def test_who_paid_in_time_for_a_place_that_is_gone_gets_all_money_back(
    pool: Pool, life: Life
) -> None:
    await life.submit()
    await life.lapse_unpaid()
    await claim_one(pool, wish())
    await events(pool)
    assert (await life.pay()).state == "lapsed"
    [told] = await events(pool)
    assert isinstance(told, RefundDue)
    assert (told.reason, told.less_twd) == ("place_gone", 0)
    assert await taken(pool) == 1


async def hear_of_payment(pool: Pool, life: Life) -> None:
    paid = OrderPaid(
        order_id=uuid4(),
        account_id=life.account_id,
        registration_ids=[life.id],
        reference="HK-7Q4M-2XKD",
        titles={"en": "Basic"},
        amount_twd=250,
        method="card",
        paid_at=NOW,
    )
    async with transaction(pool) as tx:
        await on_order_paid(tx, [paid])


async def test_who_takes_the_place_anew_as_the_payment_arrives_gets_all_money_back(
    pool: Pool, life: Life
) -> None:
    await life.submit()
    await life.lapse_unpaid()
    await events(pool)
    async with transaction(pool) as tx:
        opened = await openings.load(tx, sittings={"m1"})
        again = [wish(account_id=life.account_id)]
        [claimed] = await claims.claim(tx, openings=opened, claims=again)
        assert isinstance(claimed, Claimed)
        paying = asyncio.create_task(hear_of_payment(pool, life))
        await eventually(
            lambda: tx.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        )
    await paying
    assert (await life.now()).state == "lapsed"
    [told] = await events(pool)
    assert isinstance(told, RefundDue)
    assert (told.reason, told.less_twd) == ("place_gone", 0)
    assert await taken(pool) == 1


async def test_an_account_sees_all_its_registrations(pool: Pool, life: Life) -> None:
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    second = await claim_one(pool, wish("m2", account_id=life.account_id))
    await claim_one(pool, wish("m2"))
    async with transaction(pool) as tx:
        await drafts.lapse(tx, now=(await life.now()).submit_by)
    async with transaction(pool) as tx:
        own = await list_own(tx, account_id=life.account_id)
    assert {(one.id, one.state) for one in own} == {(life.id, "lapsed"), (second.id, "lapsed")}
