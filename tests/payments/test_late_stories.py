"""Every way to pay, when time is short or over: what counts, what lapses, and what comes late."""

from datetime import timedelta

from services.payments import attempts
from services.payments.attempts import Followed
from shared.db import transaction
from shared.events.payments import InstructionsIssued, OrderPaid
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
async def test_money_that_comes_after_the_order_lapsed_is_late(
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
