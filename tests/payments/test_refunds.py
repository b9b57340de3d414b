"""Refunds: four eyes, never more than was paid, once, and through whoever took the money."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from services.payments import payees, refunds
from services.payments.refund_book import NoSuchRefund
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
from shared.events.payments import OrderPaid, RefundCompleted, RefundDue
from tests.payments.giving_back import (
    ANN,
    BOB,
    PAYEE,
    approve,
    approved,
    due,
    give_payee,
    make_due,
    mark_paid,
    pay,
    propose,
)
from tests.payments.till import Till

WAYS = [("convenience_store", "code"), ("atm", ""), ("card", ""), ("line_pay", "")]
every_way = pytest.mark.parametrize(("method", "variant"), WAYS)


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


async def test_a_place_that_was_gone_gives_back_all_of_it(till: Till) -> None:
    order = await pay(till)
    [registration] = order.registration_ids
    await till.hear(due(registration, reason="place_gone", less_twd=0))
    [refund] = await till.refunds(order)
    assert (refund.amount_twd, refund.reason) == (250, "place_gone")


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
