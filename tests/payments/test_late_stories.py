"""Every way to pay, when time is short or over: what counts, what lapses, and what comes late."""

from datetime import datetime, timedelta

import pytest

from services.payments import attempts, ledger
from services.payments.attempts import Followed
from services.payments.order_book import Order
from shared.db import transaction
from shared.events.payments import InstructionsIssued, OrderLapsed, OrderPaid
from tests.payments import giving_back
from tests.payments.till import MORNING, PAY_BY, Till
from tests.payments.ways import by_code, by_ecpay, every_way


@by_ecpay
async def test_money_paid_after_the_deadline_is_late(till: Till, method: str, variant: str) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    number = await till.open(opened)
    await till.advance(PAY_BY - MORNING)
    if method == "card":  # the cashier's page of yesterday takes no card any more
        await till.sandbox.claim_paid(number, kind="true")
    else:  # an account or a code that has run out sometimes still does
        await till.sandbox.pay(number, also_expired=True)
    await till.learn()
    assert await till.kinds() == {"late": 1}
    assert (await till.load(order)).state == "open"
    assert await till.told(OrderPaid) == []
    await till.see_every_dollar(claimed_twd=250 if method == "card" else 0)


@every_way
async def test_what_was_paid_in_time_counts_however_late_it_is_told(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    await till.advance(PAY_BY - MORNING - timedelta(minutes=10))
    opened = await till.begin(order, method, variant)
    await till.pay(opened)
    await till.advance(timedelta(minutes=11))
    assert await till.lapse() == 0, "somebody may have paid"
    await till.learn()
    await till.ask_all()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


@by_ecpay
async def test_an_order_lapses_only_after_every_attempt_had_its_last_word(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.open(opened)
    [attempt] = await till.attempts(order)
    await till.advance(attempt.last_ask_at - till.now - timedelta(seconds=1))
    await till.ask_all()
    assert await till.lapse() == 0
    await till.advance(timedelta(seconds=1))
    assert await till.lapse() == 0, "nobody has asked yet"
    await till.ask_all()
    assert await till.lapse() == 1
    assert await till.lapse() == 0
    lapsed = await till.load(order)
    assert (lapsed.state, lapsed.lapsed_at) == ("lapsed", till.now)
    assert (await till.news())["order_lapsed"] == 1
    await till.see_every_dollar()


@by_code
async def test_a_code_that_outlives_its_order_is_asked_about_until_it_has_run_out(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    [attempt] = await till.attempts(order)
    # A form that was kept open: a code lasts as long from whenever it is given out.
    await till.advance(attempt.last_ask_at - till.now - timedelta(hours=1))
    code = await till.open(opened)
    await till.sandbox.deliver()
    await till.advance(timedelta(hours=1))
    await till.ask()
    assert await till.lapse() == 1
    await _pay_unheard_of(till, code)


@by_code
async def test_a_code_that_was_given_out_after_the_order_lapsed_is_asked_about(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.advance(timedelta(days=12))
    await till.ask()
    assert await till.lapse() == 1
    code = await till.open(opened)
    await till.sandbox.deliver()
    assert await till.told(InstructionsIssued) == [], "it cannot pay the order any more"
    await _pay_unheard_of(till, code)


@by_code
async def test_a_code_that_is_given_out_while_we_ask_for_the_last_time_is_asked_about(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.advance(timedelta(days=12))
    [asked] = await till.attempts(order)
    code = await till.open(opened)
    await till.sandbox.deliver()
    async with transaction(till.pool) as tx:
        answer = Followed(asked.id, "lapsed", None, is_last=True)
        await attempts.follow(tx, followed=[answer], now=till.now)
    assert await till.lapse() == 1
    await _pay_unheard_of(till, code)


async def _pay_unheard_of(till: Till, code: str) -> None:
    """Pay with a code whose notice is lost: it is found by asking, and late."""
    await till.sandbox.misbehave("silent", on="paid")
    await till.sandbox.pay(code)
    assert await till.sandbox.deliver() == []
    for _ in range(3):
        await till.advance(timedelta(days=5))
        await till.ask()
    assert await till.kinds() == {"late": 1}
    await till.see_every_dollar()
    assert await till.pool.fetchval("SELECT count(*) FROM attempts WHERE ask_at IS NOT NULL") == 0


@by_ecpay
async def test_money_paid_after_the_order_lapsed_is_late(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.open(opened)
    await till.advance(timedelta(days=12))
    await till.ask_all()
    assert await till.lapse() == 1
    await till.sandbox.claim_paid(opened.attempt.trade_number, kind="true")
    assert "200 1|OK" in await till.sandbox.deliver()
    assert await till.kinds() == {"late": 1}
    assert (await till.load(order)).state == "lapsed"
    [surplus] = await till.undecided()
    assert surplus.kind == "late"
    await till.see_every_dollar(claimed_twd=250)


async def lapse(till: Till, order: Order, method: str = "atm", variant: str = "") -> str:
    """Take what one pays with, at the last moment, and let the order lapse; return what names it
    at the provider."""
    await till.advance(order.pay_by - till.now - timedelta(minutes=10))
    number = await till.open(await till.begin(order, method, variant))
    await till.advance(timedelta(days=12))
    await till.ask_all()
    assert await till.lapse() == 1
    return number


async def hear_late(
    till: Till, number: str, *, paid_at: datetime, amount: int | None = None
) -> None:
    """Let something be paid at a time that has passed, and be told now."""
    await till.sandbox.set_time(paid_at)
    await till.sandbox.pay(number, amount=amount, also_expired=True)
    await till.advance(timedelta())
    assert "200 1|OK" in await till.sandbox.deliver()


@by_ecpay
async def test_what_was_paid_in_time_pays_even_an_order_that_has_lapsed(
    till: Till, method: str, variant: str
) -> None:
    order = await till.owe()
    number = await lapse(till, order, method, variant)
    paid_at = order.pay_by - timedelta(seconds=1)
    await hear_late(till, number, paid_at=paid_at)
    assert await till.kinds() == {"order": 1}
    paid = await till.load(order)
    assert (paid.state, paid.paid_at, paid.lapsed_at) == ("paid", paid_at, None)
    [told] = await till.told(OrderPaid)
    assert (told.order_id, told.paid_at) == (order.id, paid_at)
    assert [each.order_id for each in await till.told(OrderLapsed)] == [order.id]
    async with transaction(till.pool) as tx:
        lines = await ledger.list_of_order(tx, order_id=order.id)
    assert [(line.kind, line.debit, line.credit) for line in lines] == [
        ("order_opened", "receivable", "fees"),
        ("order_lapsed", "fees", "receivable"),
        ("order_revived", "receivable", "fees"),
        ("order_paid", "ecpay", "receivable"),
    ]
    assert await till.lapse() == 0
    await till.see_every_dollar()


async def test_the_moment_of_the_deadline_is_too_late_for_an_order_that_has_lapsed(
    till: Till,
) -> None:
    order = await till.owe()
    number = await lapse(till, order)
    await hear_late(till, number, paid_at=order.pay_by)
    assert await till.kinds() == {"late": 1}
    assert (await till.load(order)).state == "lapsed"


async def test_an_order_that_has_lapsed_is_paid_once(till: Till) -> None:
    order = await till.owe()
    other = await till.open(await till.begin(order, "convenience_store", "code"))
    number = await lapse(till, order)
    for each in (number, other):
        await hear_late(till, each, paid_at=order.pay_by - timedelta(minutes=1))
    assert await till.kinds() == {"order": 1, "overpaid": 1}
    assert (await till.news())["order_paid"] == 1
    [refund] = await till.refunds(order)
    assert (refund.reason, refund.amount_twd) == ("overpaid", 192)
    await till.see_every_dollar()


async def test_a_wrong_amount_does_not_bring_an_order_back(till: Till) -> None:
    order = await till.owe()
    number = await lapse(till, order)
    await hear_late(till, number, paid_at=order.pay_by - timedelta(minutes=1), amount=249)
    assert await till.kinds() == {"wrong_amount": 1}
    assert (await till.load(order)).state == "lapsed"
    await till.see_every_dollar()


async def test_a_group_whose_money_was_told_late_has_paid_for_everybody(till: Till) -> None:
    order = await till.owe_together(3)
    number = await lapse(till, order)
    await hear_late(till, number, paid_at=order.pay_by - timedelta(minutes=1))
    [told] = await till.told(OrderPaid)
    assert set(told.registration_ids) == set(order.registration_ids)
    # One of the three places was taken by somebody else meanwhile.
    gone = giving_back.due(order.registration_ids[0], reason="place_gone", less_twd=0)
    await till.hear(gone)
    [refund] = await till.refunds(order)
    assert (refund.reason, refund.amount_twd) == ("place_gone", 250)
    await till.see_every_dollar()


@pytest.mark.parametrize("heard", ["before", "after"])
async def test_who_lost_the_place_after_paying_in_time_gets_all_of_it_back(
    till: Till, heard: str
) -> None:
    order = await till.owe()
    number = await lapse(till, order)
    gone = giving_back.due(order.registration_ids[0], reason="place_gone", less_twd=0)
    if heard == "before":
        await till.hear(gone)
    await hear_late(till, number, paid_at=order.pay_by - timedelta(minutes=1))
    if heard == "after":
        await till.hear(gone)
    [refund] = await till.refunds(order)
    assert (refund.reason, refund.amount_twd, refund.is_of_order) == ("place_gone", 250, True)
    await giving_back.propose(till, refund, "payee")
    await giving_back.approve(till, refund)
    await giving_back.give_payee(till, refund, order.account_id)
    await giving_back.mark_paid(till, refund)
    assert (await till.load(order)).state == "refunded"
    await till.see_balance()
