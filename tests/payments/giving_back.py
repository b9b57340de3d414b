"""The hands of finance: what enrollment asks for, proposals, approvals, and money paid by hand."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from services.payments import payees, refunds
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refund_book import Refund
from shared.db import transaction
from shared.events import enrollment
from tests.payments.till import TITLES, Till

ANN, BOB = uuid4(), uuid4()
PAYEE = Payee("王大同", "106209", "臺北市大安區和平東路一段162號", "0912345678")


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
