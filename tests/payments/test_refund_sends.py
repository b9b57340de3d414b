"""Refunds through providers: captured first, once, and looked up when no answer came."""

from datetime import timedelta
from typing import Any

import pytest

from services.payments import refund_sends, wire
from shared.db import transaction
from shared.events.payments import RefundCompleted
from tests.payments.giving_back import (
    ANN,
    approve,
    approved,
    give_payee,
    make_due,
    mark_paid,
    pay,
    propose,
)
from tests.payments.till import Till


async def test_a_card_is_given_back_only_when_it_was_captured(till: Till) -> None:
    order = await pay(till)
    refund = await make_due(till, order)
    await propose(till, refund, "provider")
    await approve(till, refund)
    await till.advance(timedelta(hours=10, minutes=25))  # 20:25 in Taipei: ECPay is closing
    assert await till.send_refunds() == 0
    await till.advance(timedelta(minutes=5))
    assert await till.send_refunds() == 1
    await till.see_every_dollar()


async def test_a_refund_that_falls_into_the_closing_hour_waits(till: Till) -> None:
    await approved(till, await pay(till))
    await till.advance(timedelta(hours=10, minutes=20))
    assert await till.cashier.send_refund(till.pool, now=till.now) == 1
    assert (await till.sandbox.captured())["refunds"] == 0
    assert await till.send_refunds() == 0
    await till.advance(timedelta(minutes=10))
    assert await till.send_refunds() == 1
    assert (await till.sandbox.captured())["refunds"] == 1
    await till.see_every_dollar()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", ["fail", "hang"])
@pytest.mark.parametrize(
    ("method", "on"), [("line_pay", "refund"), ("line_pay", "details"), ("card", "action")]
)
async def test_a_refund_without_an_answer_is_made_once(
    till: Till, impatient: None, method: str, on: str, kind: str, done: bool
) -> None:
    order = await pay(till, method)
    refund = await approved(till, order)
    if on == "details":  # and then it cannot be looked up either
        await till.sandbox.misbehave("hang", on="refund", seconds=9)
    await till.sandbox.misbehave(kind, on=on, seconds=9, done=done)
    for _ in range(4):
        await till.send_refunds()
        await till.advance(timedelta(hours=1))
    assert (await till.sandbox.captured())["refunds"] == 1
    if method == "card" and done:
        # ECPay refuses a second time and does not say what became of the first.
        async with transaction(till.pool) as tx:
            assert await refund_sends.list_states(tx) == {refund.id: "stuck"}
            await refund_sends.settle_stuck(
                tx, refund_id=refund.id, happened=True, actor=ANN, now=till.now
            )
    assert (await till.load(order)).refunded_twd == 192
    assert len(await till.told(RefundCompleted)) == 1
    await till.see_every_dollar()


async def test_ecpay_is_not_told_twice_what_it_might_pay_twice(till: Till, impatient: None) -> None:
    order = await till.owe_together(3)
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    refund = await approved(till, order)
    await till.sandbox.misbehave("fail", on="action", done=False)
    for _ in range(3):
        await till.send_refunds()
        await till.advance(timedelta(hours=1))
    async with transaction(till.pool) as tx:
        assert await refund_sends.list_states(tx) == {refund.id: "stuck"}
        await refund_sends.settle_stuck(
            tx, refund_id=refund.id, happened=False, actor=ANN, now=till.now
        )
    [again] = await till.refunds(order)
    assert again.state == "due"
    await propose(till, again, "provider")
    await approve(till, again)
    assert await till.send_refunds() == 1
    assert (await till.sandbox.captured())["refunds"] == 1
    await till.see_every_dollar()


async def test_a_provider_that_wants_to_be_left_alone_is_sent_no_more_refunds(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await approved(till, await pay(till))

    async def shut_out(*_: Any, **__: Any) -> tuple[int, bytes]:
        return 403, b""

    with monkeypatch.context() as patch:
        patch.setattr(wire, "call", shut_out)
        assert await till.send_refunds() == 1
        await till.advance(timedelta(minutes=29))
        assert await till.send_refunds() == 0
    await till.advance(timedelta(minutes=1))
    assert await till.send_refunds() == 2
    assert (await till.sandbox.captured())["refunds"] == 2
    await till.see_every_dollar()


async def test_a_worker_that_died_while_sending_leaves_a_refund_to_be_looked_up(
    till: Till,
) -> None:
    order = await pay(till, "line_pay")
    await approved(till, order)
    async with transaction(till.pool) as tx:
        sending = await refund_sends.claim(
            tx, now=till.now, again_at=till.now + timedelta(minutes=5)
        )
    assert sending is not None
    await till.cashier._repay(sending, now=till.now)  # and here it dies
    assert await till.send_refunds() == 0
    await till.advance(timedelta(minutes=5))
    assert await till.send_refunds() == 1
    assert (await till.sandbox.captured())["refunds"] == 1
    assert (await till.load(order)).refunded_twd == 192
    await till.see_every_dollar()


async def test_what_the_provider_refuses_is_proposed_another_way(till: Till) -> None:
    order = await pay(till)
    refund = await approved(till, order)
    await till.sandbox.misbehave("code", on="action", code="10100058", done=False)
    await till.send_refunds()
    [again] = await till.refunds(order)
    assert again.state == "due"
    assert again.reply.startswith("10100058")
    await till.see_every_dollar()
    await propose(till, again, "payee")
    await approve(till, again)
    await give_payee(till, refund, order.account_id)
    await mark_paid(till, refund)
    assert (await till.load(order)).refunded_twd == 192
    await till.see_every_dollar()
