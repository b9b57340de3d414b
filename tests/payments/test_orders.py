"""Orders: opened once, whoever repeats the news; ended early when there is nothing to pay for."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.payments import order_book, orders, schedule
from services.payments.attempts import (
    MOST_ATTEMPTS,
    MOST_ATTEMPTS_AN_HOUR,
    MethodNotOffered,
    TooManyAttempts,
)
from services.payments.order_book import NoSuchOrder, Order
from services.payments.orders import OrderClosed
from shared.db import ACQUIRE_SECONDS, ON_THE_WAY, transaction
from shared.events.enrollment import RegistrationLapsed, RegistrationSubmitted, RegistrationVoided
from tests.payments.till import MORNING, PAY_BY, TITLES, Till


async def test_an_order_is_opened_once(till: Till) -> None:
    submitted = [till.submitted() for _ in range(3)]
    await till.hear(*submitted)
    await till.hear(*reversed(submitted))
    assert await till.pool.fetchval("SELECT count(*) FROM orders") == 3
    order = await till.order_of(submitted[0])
    assert (order.amount_twd, order.state, order.pay_by) == (250, "open", submitted[0].pay_by)
    assert order.titles == TITLES
    await till.see_every_dollar()


async def test_who_owes_nothing_has_no_order(till: Till) -> None:
    await till.hear(till.submitted(amount_twd=0, pay_by=None, methods=[]))
    assert await till.pool.fetchval("SELECT count(*) FROM orders") == 0


async def test_an_order_is_its_owners(till: Till) -> None:
    order = await till.owe()
    async with transaction(till.pool) as tx:
        loaded = await order_book.load(tx, order_id=order.id, account_id=order.account_id)
        assert loaded == order
        assert await order_book.list_of_account(tx, account_id=order.account_id, limit=9) == [order]
        for stranger in (uuid4(), uuid4()):
            with pytest.raises(NoSuchOrder):
                await order_book.load(tx, order_id=order.id, account_id=stranger)
        found = await order_book.find_of_registration(
            tx, registration_id=order.registration_ids[0], account_id=uuid4()
        )
        assert found is None
    with pytest.raises(NoSuchOrder):
        await till.cashier.begin(
            till.pool,
            order_id=order.id,
            account_id=uuid4(),
            method="card",
            variant="",
            language="en",
            now=till.now,
        )


async def test_an_order_for_several_is_one_payment(till: Till) -> None:
    order = await till.owe_together(4)
    assert (order.amount_twd, len(order.registration_ids)) == (1000, 4)
    await till.pay(await till.begin(order, "line_pay"))
    await till.learn()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


async def test_only_what_the_sitting_allows_is_offered(till: Till) -> None:
    order = await till.owe(methods=["atm", "card"])
    for method, variant in [
        ("convenience_store", "code"), ("line_pay", ""), ("barter", ""), ("atm", "slip"),
    ]:  # fmt: skip
        with pytest.raises(MethodNotOffered):
            await till.begin(order, method, variant)


async def test_what_a_provider_does_not_take_is_not_offered(till: Till) -> None:
    order = await till.owe(amount_twd=30)
    with pytest.raises(MethodNotOffered):
        await till.begin(order, "convenience_store", "code")
    await till.begin(order, "convenience_store", "slip")


async def test_nobody_begins_to_pay_after_the_deadline_or_twice(till: Till) -> None:
    order = await till.owe()
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    with pytest.raises(OrderClosed):
        await till.begin(order, "card")
    other = await till.owe()
    await till.advance(PAY_BY - MORNING)
    with pytest.raises(OrderClosed):
        await till.begin(other, "card")


async def test_attempts_are_not_without_end(till: Till) -> None:
    order = await till.owe()
    for _ in range(MOST_ATTEMPTS // MOST_ATTEMPTS_AN_HOUR):
        await begin_until_refused(till, order)
        await till.advance(timedelta(hours=1))
    with pytest.raises(TooManyAttempts):
        await till.begin(order, "card")
    assert len(await till.attempts(order)) == MOST_ATTEMPTS


async def test_whoever_began_very_often_goes_on_an_hour_later(till: Till) -> None:
    order = await till.owe()
    await begin_until_refused(till, order)
    await till.advance(timedelta(minutes=59))
    with pytest.raises(TooManyAttempts):
        await till.begin(order, "atm")
    await till.advance(timedelta(minutes=1))
    await till.pay(await till.begin(order, "atm"))
    await till.learn()
    assert (await till.load(order)).state == "paid"


async def begin_until_refused(till: Till, order: Order) -> None:
    for _ in range(MOST_ATTEMPTS_AN_HOUR):
        await till.begin(order, "card")
    with pytest.raises(TooManyAttempts):
        await till.begin(order, "card")


async def test_an_order_nobody_tried_to_pay_lapses_with_its_deadline(till: Till) -> None:
    order = await till.owe()
    await till.advance(PAY_BY - MORNING - timedelta(seconds=1))
    assert await till.lapse() == 0
    await till.advance(timedelta(seconds=1))
    assert await till.lapse() == 1
    assert (await till.load(order)).state == "lapsed"
    assert await till.news() == {"order_lapsed": 1}
    await till.see_every_dollar()


async def test_whoever_chose_a_way_to_pay_at_the_last_moment_is_in_time(till: Till) -> None:
    order = await till.owe()
    await till.advance(PAY_BY - MORNING - timedelta(microseconds=1))
    [job] = [job for job in schedule.jobs(till.cashier) if job.name == "lapse_orders"]
    # The request waits for a connection, and the job is faster.
    assert await job.work(till.pool, PAY_BY + timedelta(seconds=ACQUIRE_SECONDS)) == 0
    await till.begin(order, "card")
    assert (await till.load(order)).state == "open"
    untouched = await till.owe()
    assert await job.work(till.pool, untouched.pay_by + ON_THE_WAY) == 1


async def test_a_registration_that_has_ended_is_not_paid_for_any_more(till: Till) -> None:
    submitted = till.submitted()
    await till.hear(submitted)
    order = await till.order_of(submitted)
    await till.hear(voided(submitted, till))
    with pytest.raises(OrderClosed):
        await till.begin(order, "card")
    assert await till.lapse() == 1
    lapsed = till.submitted()
    await till.hear(lapsed)
    told = lapsed.model_dump() | {"why": "not_paid", "lapsed_at": till.now}
    await till.hear(RegistrationLapsed.model_validate(told))
    assert await till.lapse() == 1
    await till.see_every_dollar()


async def test_an_order_for_several_stands_as_long_as_one_of_them_does(till: Till) -> None:
    order = await till.owe_together(2)
    ended = dict.fromkeys(order.registration_ids[:1], till.now)
    async with transaction(till.pool) as tx:
        await orders.end_early(tx, ended=ended)
    await till.begin(order, "card")
    async with transaction(till.pool) as tx:
        await orders.end_early(tx, ended=dict.fromkeys(order.registration_ids, till.now))
    with pytest.raises(OrderClosed):
        await till.begin(order, "card")


def voided(submitted: RegistrationSubmitted, till: Till) -> RegistrationVoided:
    told = submitted.model_dump() | {"why": "refused", "voided_at": till.now}
    return RegistrationVoided.model_validate(told)
