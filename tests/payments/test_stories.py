"""Every way to pay, through every story: one effect, the right news, and not a dollar astray."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.payments.order_book import Order
from shared.events.payments import InstructionsIssued, OrderPaid, RefundDue
from tests.payments.till import Till
from tests.payments.ways import by_code, by_ecpay, every_way


@every_way
async def test_what_is_paid_is_paid_once(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    await till.pay(await till.begin(order, method, variant))
    await till.learn()
    paid = await till.load(order)
    assert (paid.state, paid.paid_method) == ("paid", method)
    [told] = await till.told(OrderPaid)
    assert (told.order_id, told.amount_twd, told.method) == (order.id, 250, method)
    assert abs(told.paid_at - till.now) < timedelta(minutes=1)
    [attempt] = await till.attempts(order)
    assert attempt.state == "paid"
    assert await till.kinds() == {"order": 1}
    await till.see_every_dollar()


@by_code
async def test_a_code_is_told_once_and_pays_nothing(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    await till.sandbox.misbehave("duplicate", on="issued", copies=3)
    await till.open(await till.begin(order, method, variant))
    assert await till.sandbox.deliver() == ["200 1|OK"] * 3
    [told] = await till.told(InstructionsIssued)
    [attempt] = await till.attempts(order)
    assert told.instructions == attempt.instructions
    assert (attempt.state, told.attempt_id) == ("issued", attempt.id)
    assert (await till.load(order)).state == "open"
    # Whoever presses the button again finds the same code.
    again = await till.begin(order, method, variant)
    assert (again.attempt.id, again.page) == (attempt.id, None)
    await till.see_every_dollar()


@by_code
async def test_a_lost_code_is_read_again(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    await till.sandbox.misbehave("silent", on="issued")
    await till.open(await till.begin(order, method, variant))
    assert await till.sandbox.deliver() == []
    await till.ask_all()
    [told] = await till.told(InstructionsIssued)
    [attempt] = await till.attempts(order)
    assert told.instructions == attempt.instructions != {}
    assert attempt.state == "issued"


@by_ecpay
async def test_what_is_paid_twice_goes_back_less_58(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    # Two cashiers' pages, opened before either has given out a code.
    first, second = [await till.begin(order, method, variant) for _ in range(2)]
    await till.pay(first)
    await till.pay(second)
    await till.learn()
    await _see_an_overpayment(till, order)


@every_way
async def test_what_is_paid_in_two_ways_goes_back_less_58(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    other = ("atm", "") if method == "card" else ("card", "")
    first, second = await till.begin(order, method, variant), await till.begin(order, *other)
    await till.pay(first)
    await till.learn()
    await till.pay(second)
    await till.learn()
    await _see_an_overpayment(till, order)


async def _see_an_overpayment(till: Till, order: Order) -> None:
    assert await till.kinds() == {"order": 1, "overpaid": 1}
    assert len(await till.told(OrderPaid)) == 1
    [due] = await till.told(RefundDue)
    assert (due.reason, due.amount_twd, due.order_id) == ("overpaid", 192, order.id)
    [refund] = await till.refunds(order)
    assert (refund.id, refund.state) == (due.refund_id, "due")
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


async def test_line_pay_takes_nothing_for_an_order_that_is_paid(till: Till) -> None:
    order = await till.owe()
    line_pay, card = await till.begin(order, "line_pay"), await till.begin(order, "card")
    await till.pay(line_pay)  # approved, and not yet confirmed
    await till.pay(card)
    await till.sandbox.deliver()
    await till.learn()
    assert await till.kinds() == {"order": 1}
    assert (await till.sandbox.captured())["payments"] == 1
    await till.see_every_dollar()


@by_ecpay
async def test_a_notice_repeated_10_times_at_once_counts_once(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.sandbox.misbehave("duplicate", number=opened.attempt.trade_number, copies=10)
    await till.pay(opened)
    assert set(await till.learn()) == {"200 1|OK"}
    assert await till.kinds() == {"order": 1}
    assert (await till.news())["order_paid"] == 1
    assert await till.pool.fetchval("SELECT count(*) FROM notices WHERE reading = 'paid'") == 10
    await till.see_every_dollar()


@every_way
async def test_asking_about_one_payment_10_times_at_once_counts_it_once(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.pay(opened)
    # As workers do whose time to ask had run out before they were answered.
    [attempt] = await till.attempts(order)
    asking = [till.cashier._ask_all(till.pool, [attempt], now=till.now) for _ in range(10)]
    await asyncio.gather(*asking)
    await till.ask_all()  # LINE Pay answers only one of them; the others ask again
    assert await till.kinds() == {"order": 1}
    assert (await till.sandbox.captured())["payments"] == 1
    assert len(await till.told(OrderPaid)) == 1
    await till.see_every_dollar()


@every_way
async def test_a_lost_notice_is_asked_for(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    if method != "line_pay":
        await till.sandbox.misbehave("silent", number=opened.attempt.trade_number)
    await till.pay(opened)
    await till.sandbox.deliver()
    assert (await till.load(order)).state == "open"
    await till.advance(timedelta(minutes=10))
    await till.ask()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


@by_ecpay
async def test_a_payment_told_before_its_code_counts(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    if method != "card":
        await till.sandbox.misbehave("reordered", number=opened.attempt.trade_number)
    await till.pay(opened)
    await till.learn()
    assert (await till.load(order)).state == "paid"
    [attempt] = await till.attempts(order)
    assert attempt.state == "paid"
    assert await till.told(InstructionsIssued) == [], "nobody needs the code any more"
    await till.see_every_dollar()


@by_ecpay
@pytest.mark.parametrize("kind", ["forged", "simulated"])
async def test_a_forged_or_simulated_notice_changes_nothing(
    till: Till, method: str, variant: str, kind: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.open(opened)
    await till.sandbox.deliver()
    news = await till.news()
    await till.sandbox.claim_paid(opened.attempt.trade_number, kind=kind)
    before = REGISTRY.get_sample_value(
        "examhall_notices_total", {"provider": "ecpay", "reading": kind}
    )
    answers = await till.sandbox.deliver()
    assert [answer == "200 1|OK" for answer in answers] == [kind == "simulated"]
    after = REGISTRY.get_sample_value(
        "examhall_notices_total", {"provider": "ecpay", "reading": kind}
    )
    assert (after or 0) - (before or 0) == 1
    assert (await till.load(order)).state == "open"
    assert await till.kinds() == {}
    assert await till.news() == news
    assert [notice.reading for notice in await till.notices(order)][-1] == kind
    await till.see_every_dollar()


@by_ecpay
async def test_a_wrong_amount_is_kept_for_finance(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.sandbox.misbehave("wrong_amount", number=opened.attempt.trade_number, amount=200)
    await till.pay(opened)
    await till.learn()
    assert (await till.load(order)).state == "open"
    assert await till.kinds() == {"wrong_amount": 1}
    [surplus] = await till.undecided()
    assert (surplus.kind, surplus.amount_twd, surplus.order_id) == ("wrong_amount", 200, order.id)
    assert await till.told(OrderPaid) == []
    await till.see_every_dollar()
