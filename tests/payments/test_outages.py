"""Providers that are away, slow, or silent after the money moved; and what we do then."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.payments import wire
from services.payments.cashier import ProviderAway
from services.payments.methods import Link
from tests.conftest import MakeDatabase
from tests.payments.till import MORNING, PAY_BY, Till, open_till

ECPAY_WAYS = [("convenience_store", "code"), ("atm", ""), ("card", "")]


@pytest.mark.parametrize(("method", "variant"), ECPAY_WAYS)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "fail"}, {"kind": "hang", "seconds": 9}, {"kind": "code", "code": "10300066"}],
)
async def test_ecpay_is_asked_until_it_knows(
    till: Till, impatient: None, method: str, variant: str, fault: dict[str, Any]
) -> None:
    order = await till.owe()
    opened = await till.begin(order, method, variant)
    await till.sandbox.misbehave("silent", number=opened.attempt.trade_number)
    await till.pay(opened)
    await till.sandbox.misbehave(**fault, on="query", times=2)
    for _ in range(2):
        await till.ask_all()
        [attempt] = await till.attempts(order)
        assert (attempt.state, attempt.closed_at) == ("unknown", None)
    await till.ask_all()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


async def test_a_place_is_kept_as_long_as_the_provider_is_away(till: Till) -> None:
    order = await till.owe()
    await till.open(await till.begin(order, "atm"))
    await till.advance(timedelta(days=30))
    await till.sandbox.misbehave("fail", on="query")
    await till.ask_all()
    assert await till.lapse() == 0
    await till.ask_all()
    assert await till.lapse() == 1


async def test_a_provider_that_was_asked_too_often_is_left_alone(
    make_database: MakeDatabase,
) -> None:
    async with open_till(await make_database("payments"), most_queries_a_minute=1) as till:
        order = await till.owe()
        for _ in range(3):
            await till.begin(order, "card")
        await till.advance(timedelta(minutes=5))
        await till.ask()
        await till.advance(timedelta(minutes=29))
        assert await till.cashier.ask_due(till.pool, provider="ecpay", now=till.now) == 0
        await till.advance(timedelta(minutes=2))
        assert await till.cashier.ask_due(till.pool, provider="ecpay", now=till.now) == 3


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", ["fail", "hang"])
async def test_a_request_without_an_answer_takes_nothing(
    till: Till, impatient: None, kind: str, done: bool
) -> None:
    order = await till.owe()
    await till.sandbox.misbehave(kind, on="request", seconds=9, done=done)
    with pytest.raises(ProviderAway):
        await till.begin(order, "line_pay")
    [attempt] = await till.attempts(order)
    assert attempt.state == "unknown"
    # Another try is another attempt, with a number of its own.
    await till.pay(await till.begin(order, "line_pay"))
    await till.learn()
    assert await till.kinds() == {"order": 1}
    await till.advance(timedelta(days=6))
    await till.ask_all()
    assert {attempt.state for attempt in await till.attempts(order)} == {"paid", "failed"}
    await till.see_every_dollar()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang", "seconds": 9},
        {"kind": "fail"},
        {"kind": "code", "code": "1152"},
        {"kind": "code", "code": "1198"},
        {"kind": "code", "code": "1172"},
        {"kind": "code", "code": "9000"},
    ],
)
async def test_a_confirmation_without_an_answer_is_looked_up(
    till: Till, impatient: None, fault: dict[str, Any], done: bool
) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    await till.pay(opened)
    await till.sandbox.misbehave(**fault, on="confirm", done=done)
    await till.ask_all()
    [attempt] = await till.attempts(order)
    assert (attempt.state, (await till.load(order)).state) == ("unknown", "open")
    await till.ask_all()
    assert (await till.load(order)).state == "paid"
    assert (await till.sandbox.captured())["payments"] == 1
    await till.see_every_dollar()


async def test_whoever_closes_the_browser_after_approving_has_paid(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    assert isinstance(opened.page, Link)
    await till.sandbox.approve(opened.page.web, comes_back=False)
    await till.advance(timedelta(seconds=30))
    await till.ask()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


@pytest.mark.parametrize("how", ["cancel", "fail"])
async def test_a_payment_that_was_given_up_is_over(till: Till, how: str) -> None:
    order = await till.owe()
    opened = await till.begin(order, "line_pay")
    assert isinstance(opened.page, Link)
    await getattr(till.sandbox, how)(opened.page.web)
    await till.ask_all()
    [attempt] = await till.attempts(order)
    assert (attempt.state, attempt.closed_at) == ("failed", till.now)
    # The next try is a new one.
    await till.pay(await till.begin(order, "line_pay"))
    await till.learn()
    assert (await till.load(order)).state == "paid"


async def test_an_approval_just_before_the_deadline_is_taken_just_after_it(till: Till) -> None:
    order = await till.owe()
    await till.advance(PAY_BY - MORNING - timedelta(minutes=1))
    await till.pay(await till.begin(order, "line_pay"))
    await till.advance(timedelta(minutes=2))
    await till.ask_all()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


async def test_a_card_that_was_declined_may_be_tried_again(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "card")
    await till.open(opened)
    await till.sandbox.decline(opened.attempt.trade_number)
    assert await till.learn() == ["200 1|OK"]
    [attempt] = await till.attempts(order)
    assert (attempt.state, attempt.closed_at) == ("failed", None)
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    assert (await till.load(order)).state == "paid"
    await till.see_every_dollar()


async def test_whoever_comes_back_from_line_pay_is_believed_only_as_far_as_line_pay_is(
    make_database: MakeDatabase,
) -> None:
    start = datetime.now(UTC)
    async with open_till(await make_database("payments"), start=start) as till:
        order = await till.owe()
        opened = await till.begin(order, "line_pay")
        assert isinstance(opened.page, Link)
        back = f"/payments/hooks/line-pay/{opened.attempt.trade_number}"
        answer = await till.client.get(
            back, params={"transactionId": "1", "orderId": "x"}, allow_redirects=False
        )
        assert answer.headers["Location"] == f"/payments/orders/{order.id}"
        assert (await till.load(order)).state == "open"
        address = await till.sandbox.approve(opened.page.web)
        assert address.startswith(f"{str(till.settings.public_url).rstrip('/')}{back}?")
        address = address.removeprefix(str(till.settings.public_url).rstrip("/"))
        # Twice at once, as impatient people do.
        answers = await asyncio.gather(
            *(till.client.get(address, allow_redirects=False) for _ in range(2))
        )
        assert {answer.status for answer in answers} == {303}
        await till.ask_all()
        assert (await till.load(order)).state == "paid"
        await till.see_every_dollar()


async def test_nobody_comes_back_from_a_payment_that_never_was(till: Till) -> None:
    answer = await till.client.get("/payments/hooks/line-pay/EH000000000000000000")
    assert answer.status == 404
    answer = await till.client.post("/payments/hooks/ecpay/results/nonsense")
    assert answer.status == 404


async def test_what_a_browser_brings_back_from_ecpay_proves_nothing(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "card")
    await till.pay(opened)
    answer = await till.client.post(
        f"/payments/hooks/ecpay/results/{order.id}",
        data={"RtnCode": "1", "MerchantTradeNo": opened.attempt.trade_number},
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, f"/payments/orders/{order.id}")
    assert (await till.load(order)).state == "open"


async def test_a_server_that_talks_without_end_is_not_listened_to(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 10)
    order = await till.owe()
    await till.pay(await till.begin(order, "card"))
    await till.ask_all()
    [attempt] = await till.attempts(order)
    assert attempt.state == "unknown"
