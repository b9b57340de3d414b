"""Saying where money goes: by whom, until when, and what the pages show of it."""

from datetime import UTC, datetime

import pytest

from services.payments import (
    payees,
    refund_book,
    refunds,
)
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refund_book import Refund
from shared.db import Tx, transaction
from tests.payments.applying import (
    ANN,
    BOB,
    LANGUAGES,
    PAYEE,
    PDF,
    WHOM,
    apply,
    decide,
    owe_paid,
)
from tests.payments.payer import Payer


async def pay_twice(payer: Payer) -> tuple[Order, Refund]:
    """Pay by transfer, twice: the second goes back, less 58."""
    order = await payer.owe()
    code = await payer.take(order, "convenience_store/code")
    account = await payer.take(order, "atm")
    for paid in (code, account):
        await payer.sandbox.pay(paid)
        await payer.sandbox.deliver()
    [refund] = await payer.till.refunds(order)
    return order, refund


async def find_payee(payer: Payer, refund: Refund) -> Payee | None:
    async with transaction(payer.till.pool) as tx:
        return await payees.find(tx, refund_id=refund.id, vault=payer.till.settings.vault)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_paid_twice_says_where_the_money_goes(payer: Payer, language: str) -> None:
    order, refund = await pay_twice(payer)
    page = f"/payments/orders/{order.id}/refunds/{refund.id}/payee"
    shown = await payer.see_order(order, language=language)
    assert "NT$192" in shown
    assert f'href="{page}"' in shown
    wrong = await payer.post(page, {}, language=language)
    assert wrong.status == 422
    assert await find_payee(payer, refund) is None
    answer = await payer.post(page, WHOM, language=language)
    assert (answer.status, answer.headers["Location"]) == (
        303,
        f"/payments/orders/{order.id}?payee",
    )
    assert await find_payee(payer, refund) == PAYEE
    assert 'role="status"' in await payer.see(answer.headers["Location"])
    # Not shown again, but it can be replaced.
    assert PAYEE.address not in await payer.see(page)
    await payer.post(page, WHOM | {"payee": "林怡君"})
    given = await find_payee(payer, refund)
    assert given
    assert given.name == "林怡君"


async def pay_by_money_order(tx: Tx, refund: Refund) -> None:
    now = datetime.now(UTC)
    await refunds.mark_paid(
        tx, refund_id=refund.id, number="AB12345678", paid_on=now.date(), actor=BOB, now=now
    )


async def complete(payer: Payer, refund: Refund) -> None:
    """Let finance pay it by hand."""
    now = datetime.now(UTC)
    async with transaction(payer.till.pool) as tx:
        await refunds.propose(tx, refund_id=refund.id, route="payee", actor=ANN, now=now)
        await refunds.approve(tx, refund_id=refund.id, actor=BOB, now=now)
        await pay_by_money_order(tx, refund)


async def test_where_it_goes_cannot_be_changed_when_it_is_gone(payer: Payer) -> None:
    order, refund = await pay_twice(payer)
    page = f"/payments/orders/{order.id}/refunds/{refund.id}/payee"
    await payer.post(page, WHOM)
    await complete(payer, refund)
    assert "by postal money order" in await payer.see_order(order)
    for answer in (await payer.get(page), await payer.post(page, WHOM | {"payee": "林怡君"})):
        assert (answer.status, answer.headers["Location"]) == (
            303,
            f"/payments/orders/{order.id}",
        )
    given = await find_payee(payer, refund)
    assert given == PAYEE


async def test_nobody_says_where_somebody_elses_refund_goes(payer: Payer) -> None:
    order, refund = await pay_twice(payer)
    other = await payer.another()
    own = await other.owe()
    for home in (order, own):
        page = f"/payments/orders/{home.id}/refunds/{refund.id}/payee"
        assert (await other.get(page)).status == 404
        assert (await other.post(page, WHOM)).status == 404
    assert await find_payee(payer, refund) is None


async def test_a_refund_and_what_is_left_are_on_the_page_and_the_receipt(payer: Payer) -> None:
    order = await owe_paid(payer, "atm")
    await apply(payer, order, PDF)
    await decide(payer, order, "grant")
    async with transaction(payer.till.pool) as tx:
        [granted] = await refund_book.list_of_order(tx, order_id=order.id)
        await pay_by_money_order(tx, granted)
    page = await payer.see_order(order)
    assert "Paid, partly paid back" in page
    assert "NT$192 went back on" in page
    assert (await payer.get(f"/payments/orders/{order.id}/receipt.pdf")).status == 200
