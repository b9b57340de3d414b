"""Refunds: four eyes, never more than was paid, once, and through whoever took the money."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.payments import payees, refund_sends, refunds
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refund_book import NoSuchRefund, Refund
from services.payments.refunds import (
    AlreadyDone,
    FourEyes,
    MoreThanPaid,
    NewRefund,
    NoSuchMoney,
    NotByProvider,
    PayeeMissing,
)
from shared.db import transaction
from shared.events import enrollment
from shared.events.payments import OrderPaid, RefundCompleted, RefundDue
from tests.payments.till import TITLES, Till

ANN, BOB = uuid4(), uuid4()
PAYEE = Payee("王大同", "106209", "臺北市大安區和平東路一段162號", "0912345678")
WAYS = [("convenience_store", "code"), ("atm", ""), ("card", ""), ("line_pay", "")]
every_way = pytest.mark.parametrize(("method", "variant"), WAYS)


async def pay(till: Till, method: str = "card", variant: str = "", **changed: Any) -> Order:
    order = await till.owe(**changed)
    await till.pay(await till.begin(order, method, variant))
    await till.learn()
    return await till.load(order)


def due(registration_id: UUID, **changed: Any) -> enrollment.RefundDue:
    fields: dict[str, Any] = {
        "registration_id": registration_id,
        "account_id": uuid4(),
        "reference": "HK-7Q4M-2XKD",
        "sitting": "hakka-115-basic-n1",
        "sitting_titles": TITLES,
        "refund_id": uuid4(),
        "reason": "review_failed",
        "less_twd": 58,
        "due_at": "2026-05-20T16:00:00Z",
    }
    return enrollment.RefundDue(**(fields | changed))


async def make_due(till: Till, order: Order) -> Refund:
    await till.hear(due(order.registration_ids[0]))
    [refund] = await till.refunds(order)
    return refund


async def propose(till: Till, refund: Refund, route: str, actor: UUID = ANN) -> None:
    async with transaction(till.pool) as tx:
        await refunds.propose(tx, refund_id=refund.id, route=route, actor=actor, now=till.now)


async def approve(till: Till, refund: Refund, actor: UUID = BOB) -> None:
    async with transaction(till.pool) as tx:
        await refunds.approve(tx, refund_id=refund.id, actor=actor, now=till.now)


async def give_payee(till: Till, refund: Refund, account_id: UUID) -> None:
    async with transaction(till.pool) as tx:
        await payees.give(
            tx,
            refund_id=refund.id,
            account_id=account_id,
            payee=PAYEE,
            vault=till.settings.vault,
            now=till.now,
        )


async def mark_paid(till: Till, refund: Refund) -> None:
    async with transaction(till.pool) as tx:
        await refunds.mark_paid(
            tx,
            refund_id=refund.id,
            number=uuid4().hex[:12],
            paid_on=till.now.date(),
            actor=ANN,
            now=till.now,
        )


async def approved(till: Till, order: Order, route: str = "provider") -> Refund:
    refund = await make_due(till, order)
    await propose(till, refund, route)
    await approve(till, refund)
    await till.advance(timedelta(days=2))
    return refund


@every_way
async def test_a_failed_review_gives_back_all_but_58(till: Till, method: str, variant: str) -> None:
    order = await pay(till, method, variant)
    by_provider = method in {"card", "line_pay"}
    refund = await approved(till, order, "provider" if by_provider else "payee")
    if by_provider:
        assert await till.send_refunds() == 1
    else:
        assert await till.send_refunds() == 0
        with pytest.raises(PayeeMissing):
            await mark_paid(till, refund)
        await give_payee(till, refund, order.account_id)
        await mark_paid(till, refund)
    [told] = await till.told(RefundDue)
    assert (told.refund_id, told.amount_twd, told.reason) == (refund.id, 192, "review_failed")
    [done] = await till.told(RefundCompleted)
    assert (done.refund_id, done.amount_twd) == (refund.id, 192)
    assert done.method == (method if by_provider else "money_order")
    back = await till.load(order)
    assert (back.state, back.refunded_twd) == ("partly_refunded", 192)
    assert (await till.sandbox.captured())["refunded_twd"] == (192 if by_provider else 0)
    await till.see_every_dollar()
    # Said again, it is done again no more.
    assert await till.send_refunds() == 0
    with pytest.raises(AlreadyDone):
        await mark_paid(till, refund)
    await till.see_every_dollar()


async def test_a_refund_may_be_asked_for_before_the_order_is_known_and_before_it_is_paid(
    till: Till,
) -> None:
    submitted = till.submitted()
    asked = due(submitted.registration_id)
    await till.hear(asked)
    await till.hear(submitted)
    order = await till.order_of(submitted)
    assert await till.refunds(order) == []
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    [refund] = await till.refunds(order)
    assert (refund.id, refund.amount_twd) == (asked.refund_id, 192)
    assert len(await till.told(OrderPaid)) == 1
    # Its news may come twice.
    await till.hear(asked)
    assert len(await till.refunds(order)) == 1
    await till.see_every_dollar()


async def test_two_requests_for_one_registration_do_not_give_back_the_58(till: Till) -> None:
    order = await pay(till)
    await till.hear(due(order.registration_ids[0]), due(order.registration_ids[0]))
    assert [refund.amount_twd for refund in await till.refunds(order)] == [192]


async def test_nobody_approves_what_they_proposed(till: Till) -> None:
    order = await pay(till)
    refund = await make_due(till, order)
    with pytest.raises(AlreadyDone):
        await approve(till, refund)
    await propose(till, refund, "provider")
    with pytest.raises(FourEyes):
        await approve(till, refund, ANN)
    with pytest.raises(asyncpg.CheckViolationError):
        await till.pool.execute(
            "UPDATE refunds SET state = 'approved', approved_by = proposed_by, approved_at = now()"
        )
    assert await till.send_refunds() == 0
    await approve(till, refund)
    with pytest.raises(AlreadyDone):
        await approve(till, refund)
    acts = [row["act"] for row in await till.pool.fetch("SELECT act FROM audit_lines ORDER BY id")]
    assert acts == ["refund_due", "refund_proposed", "refund_approved"]
    await till.see_every_dollar()


async def test_what_was_sent_back_may_be_proposed_otherwise(till: Till) -> None:
    order = await pay(till)
    refund = await make_due(till, order)
    await propose(till, refund, "payee")
    async with transaction(till.pool) as tx:
        await refunds.send_back(tx, refund_id=refund.id, actor=BOB, words="to the card, please")
    [again] = await till.refunds(order)
    assert (again.state, again.reply) == ("due", "to the card, please")
    await propose(till, refund, "provider")
    await approve(till, refund)
    await till.see_every_dollar()


async def test_a_transfer_cannot_be_given_back_by_its_provider(till: Till) -> None:
    order = await pay(till, "atm")
    with pytest.raises(NotByProvider):
        await propose(till, await make_due(till, order), "provider")


async def test_refunds_are_never_more_than_what_was_paid(till: Till) -> None:
    order = await pay(till)
    capture_id = await till.pool.fetchval("SELECT id FROM captures")

    async def add(amount_twd: int) -> None:
        async with transaction(till.pool) as tx:
            refund = NewRefund(
                uuid4(), capture_id, order.registration_ids[0], "personal", amount_twd, till.now
            )
            await refunds.grant(tx, refund=refund, proposed_by=ANN, approved_by=BOB, now=till.now)

    await add(100)
    await add(100)
    with pytest.raises(MoreThanPaid):
        await add(51)
    await add(50)
    with pytest.raises(MoreThanPaid):
        await add(1)
    await till.advance(timedelta(days=2))
    assert await till.send_refunds() == 3
    back = await till.load(order)
    assert (back.state, back.refunded_twd) == ("refunded", 250)
    await till.see_every_dollar()


async def test_an_order_for_several_gives_back_the_share_of_one(till: Till) -> None:
    order = await till.owe_together(3)
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    refund = await approved(till, order)
    assert refund.amount_twd == 192
    assert await till.send_refunds() == 1
    back = await till.load(order)
    assert (back.amount_twd, back.refunded_twd, back.state) == (750, 192, "partly_refunded")
    await till.see_every_dollar()


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


async def test_only_its_owner_says_where_a_refund_goes(till: Till) -> None:
    order = await pay(till, "atm")
    refund = await make_due(till, order)
    with pytest.raises(NoSuchRefund):
        await give_payee(till, refund, uuid4())
    await give_payee(till, refund, order.account_id)
    async with transaction(till.pool) as tx:
        found = await payees.find(tx, refund_id=refund.id, vault=till.settings.vault)
    assert found == PAYEE
    sealed = await till.pool.fetchval("SELECT sealed FROM refund_payees")
    assert "王大同".encode() not in sealed


@pytest.mark.parametrize("keep", [True, False])
async def test_finance_judges_money_that_nobody_owed(till: Till, keep: bool) -> None:
    order = await till.owe()
    opened = await till.begin(order, "atm")
    await till.sandbox.pay(await till.open(opened), amount=200)
    await till.learn()
    [surplus] = await till.undecided()
    async with transaction(till.pool) as tx:
        refund_id = await refunds.take_surplus(
            tx, capture_id=surplus.id, keep=keep, actor=ANN, now=till.now
        )
    with pytest.raises(NoSuchMoney):
        async with transaction(till.pool) as tx:
            await refunds.take_surplus(
                tx, capture_id=surplus.id, keep=keep, actor=BOB, now=till.now
            )
    assert await till.told(RefundDue) == []
    async with transaction(till.pool) as tx:
        with pytest.raises(FourEyes):
            await refunds.approve(tx, refund_id=refund_id, actor=ANN, now=till.now)
        await refunds.approve(tx, refund_id=refund_id, actor=BOB, now=till.now)
    [refund] = await till.refunds(order)
    assert (refund.amount_twd, refund.state) == ((0, "completed") if keep else (142, "approved"))
    assert [told.amount_twd for told in await till.told(RefundDue)] == ([] if keep else [142])
    await till.see_every_dollar()


async def test_a_proposal_that_is_not_followed_leaves_the_money_undecided(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "atm")
    await till.sandbox.pay(await till.open(opened), amount=200)
    await till.learn()
    [surplus] = await till.undecided()
    async with transaction(till.pool) as tx:
        refund_id = await refunds.take_surplus(
            tx, capture_id=surplus.id, keep=True, actor=ANN, now=till.now
        )
        await refunds.send_back(tx, refund_id=refund_id, actor=BOB, words="it is hers")
    assert await till.undecided() == [surplus]
    await till.see_every_dollar()
