"""Providers are asked when there is something to hear, and not again and again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.payments import attempts, schedule, standings
from services.payments.attempt_book import Attempt
from services.payments.cashier import Cashier, ProviderAway
from services.payments.methods.atm import Atm
from services.payments.methods.line_pay import REQUEST_LASTS
from services.payments.order_book import Order
from services.payments.settlement import Capture
from shared.db import Tx, transaction
from tests.conftest import MakeDatabase
from tests.payments.till import Till, open_till

SECOND = timedelta(seconds=1)


async def come_back(till: Till, number: str) -> int:
    """Open the address at which LINE Pay's payers come back."""
    answer = await till.client.get(f"/payments/hooks/line-pay/{number}", allow_redirects=False)
    return answer.status


async def test_whoever_comes_back_from_line_pay_again_and_again_has_it_asked_once(
    make_database: MakeDatabase,
) -> None:
    async with open_till(await make_database("payments"), start=datetime.now(UTC)) as till:
        order = await till.owe()
        opened = await till.begin(order, "line_pay")
        number = opened.attempt.trade_number
        assert await asyncio.gather(*(come_back(till, number) for _ in range(10))) == [303] * 10
        [attempt] = await till.attempts(order)
        assert attempt.asks == 1


async def test_whoever_comes_back_just_after_we_asked_is_asked_about_in_a_moment(
    till: Till,
) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    await till.ask_all()
    await till.pay(opened)
    await till.advance(SECOND)
    number = opened.attempt.trade_number
    await till.cashier.ask_one(till.pool, provider="line_pay", trade_number=number, now=till.now)
    assert (await till.load(order)).state == "open"
    await till.advance(attempts.RESTS_FOR)
    await till.ask()
    assert (await till.load(order)).state == "paid"


async def test_ecpay_is_not_asked_for_whoever_comes_back_from_line_pay(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "card")
    assert await come_back(till, opened.attempt.trade_number) == 404
    [attempt] = await till.attempts(order)
    assert attempt.asks == 0


async def test_a_provider_that_is_left_alone_is_not_asked_for_whoever_comes_back(
    till: Till,
) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    async with transaction(till.pool) as tx:
        await attempts.pause(tx, provider="line_pay", until=till.now + timedelta(minutes=30))
    asking = {"provider": "line_pay", "trade_number": opened.attempt.trade_number}
    attempt = await till.cashier.ask_one(till.pool, **asking, now=till.now)
    assert attempt is not None, "its payer still finds the order"
    await till.pay(opened)
    await till.advance(timedelta(minutes=29))
    await till.cashier.ask_one(till.pool, **asking, now=till.now)
    [attempt] = await till.attempts(order)
    assert attempt.asks == 0


async def test_a_card_has_no_code_to_be_asked_for(till: Till) -> None:
    order = await till.owe()
    await till.visit(await till.begin(order, "card"))
    await till.sandbox.misbehave("fail", on="query_code")
    await till.ask_all()
    [attempt] = await till.attempts(order)
    assert (attempt.asks, attempt.state) == (1, "created")
    assert len(await till.sandbox.faults()) == 1, "nobody asked"


async def test_a_provider_that_hangs_keeps_the_other_waiting_for_nothing(till: Till) -> None:
    order = await till.owe()
    await till.begin(order, "line_pay")
    await till.begin(order, "card")
    await till.advance(timedelta(minutes=10))
    assert await till.cashier.ask_due(till.pool, provider="ecpay", now=till.now) == 1
    tried = await till.attempts(order)
    assert {attempt.provider: attempt.asks for attempt in tried} == {"ecpay": 1, "line_pay": 0}


async def test_every_provider_is_asked_by_a_job_of_its_own(till: Till) -> None:
    asked = {way.provider for way in till.cashier.ways.values()}
    names = {job.name for job in schedule.jobs(till.cashier)}
    assert {f"ask_{provider}" for provider in asked} <= names


async def test_line_pay_is_asked_about_a_request_it_never_answered_until_that_has_run_out(
    till: Till,
) -> None:
    order = await till.owe()
    await till.sandbox.misbehave("fail", on="request", done=False)
    with pytest.raises(ProviderAway):
        await till.begin(order, "line_pay")
    await till.advance(REQUEST_LASTS - SECOND)
    await till.ask()
    [attempt] = await till.attempts(order)
    assert attempt.closed_at is None, "its answer may still be on its way"
    assert attempt.ask_at is not None
    await till.advance(attempt.ask_at - till.now)
    await till.ask()
    [attempt] = await till.attempts(order)
    assert (attempt.state, attempt.closed_at, attempt.ask_at) == ("failed", till.now, None)


async def owe_two(till: Till) -> tuple[Order, Order]:
    """Two who have paid and whose notices were lost: the first by ATM, the other by card."""
    first, other = await till.owe(), await till.owe()
    await till.sandbox.misbehave("silent", times=9, on="paid")
    for order, method in ((first, "atm"), (other, "card")):
        await till.pay(await till.begin(order, method))
    await till.advance(timedelta(minutes=10))
    return first, other


async def test_a_way_that_is_no_longer_set_up_keeps_no_other_waiting(till: Till) -> None:
    first, other = await owe_two(till)
    ways = {name: way for name, way in till.cashier.ways.items() if name != "atm"}
    assert await Cashier(ways).ask_due(till.pool, provider="ecpay", now=till.now) == 2
    assert (await till.load(other)).state == "paid"
    [attempt] = await till.attempts(first)
    assert (attempt.state, attempt.closed_at) == ("unknown", None)
    # When it is set up again it is asked about.
    await till.advance(timedelta(minutes=10))
    await till.ask()
    assert (await till.load(first)).state == "paid"


async def test_whoever_comes_back_from_a_way_that_is_no_longer_set_up_finds_the_order(
    till: Till,
) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    ways = {name: way for name, way in till.cashier.ways.items() if name != "line_pay"}
    number = opened.attempt.trade_number
    attempt = await Cashier(ways).ask_one(
        till.pool, provider="line_pay", trade_number=number, now=till.now
    )
    assert attempt is not None
    assert attempt.order_id == order.id


@pytest.mark.parametrize("broken", ["asking", "recording"])
async def test_a_defect_that_one_attempt_brings_to_light_keeps_no_other_waiting(
    till: Till, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    first, other = await owe_two(till)
    record = standings.record_answer

    async def break_(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    async def break_one(tx: Tx, attempt: Attempt, *told: Any, **more: Any) -> list[Capture]:
        if attempt.order_id == first.id:
            raise ZeroDivisionError
        return await record(tx, attempt, *told, **more)

    with monkeypatch.context() as patch:
        if broken == "asking":
            patch.setattr(Atm, "ask", break_)
        else:
            patch.setattr(standings, "record_answer", break_one)
        assert await till.cashier.ask_due(till.pool, provider="ecpay", now=till.now) == 2
    assert (await till.load(other)).state == "paid"
    assert (await till.load(first)).state == "open"
    await till.advance(timedelta(minutes=5))
    await till.ask()
    assert (await till.load(first)).state == "paid"
