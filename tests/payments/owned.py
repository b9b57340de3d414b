"""How a candidate comes to own an order: one with a slip to pay, and one paid twice."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from services.payments import attempts, order_book, orders, refund_book, settlement
from services.payments.attempt_book import Attempt
from services.payments.attempts import Issued, Plan
from services.payments.order_book import Item, Order
from services.payments.orders import NewOrder
from services.payments.settlement import Captured
from shared.db import Tx, transaction
from tests.payments.till import TITLES
from tests.site import Site

SLIP = {"barcode1": "1105036EA", "barcode2": "3453011539919569", "barcode3": "042677000001500"}


async def give_order(site: Site, owner: UUID) -> dict[str, str]:
    """Let somebody owe something, and hold a slip for it."""
    now = datetime.now(UTC)
    async with transaction(site.pools["payments"]) as tx:
        order = await _open(tx, owner, now=now)
        attempt = await _begin(tx, order, now=now)
        issued = Issued(attempt.trade_number, "1", SLIP, order.pay_by)
        await attempts.issue(tx, issued=[issued], now=now)
    return {"order_id": str(order.id), "attempt_id": str(attempt.id)}


async def give_paid_order(site: Site, owner: UUID) -> dict[str, str]:
    """Let somebody have paid, and once more by mistake."""
    now = datetime.now(UTC)
    async with transaction(site.pools["payments"]) as tx:
        order = await _open(tx, owner, now=now)
        attempt = await _begin(tx, order, now=now)
        captured = [
            Captured("ecpay", attempt.trade_number, number, "convenience_store", 1500, now)
            for number in ("1", "2")
        ]
        await settlement.settle(tx, captured=captured, now=now)
        [refund] = await refund_book.list_of_order(tx, order_id=order.id)
    return {
        "order_id": str(order.id),
        "refund_id": str(refund.id),
        "registration_id": str(order.registration_ids[0]),
    }


async def _open(tx: Tx, owner: UUID, *, now: datetime) -> Order:
    new = NewOrder(
        account_id=owner,
        reference="HK-7Q4M-2XKD",
        titles=TITLES,
        methods=["convenience_store"],
        opened_at=now,
        pay_by=now + timedelta(days=5),
        items=[Item(uuid4(), "HK-7Q4M-2XKD", TITLES, "n1", "hakka-115", date(2036, 9, 12), 1500)],
    )
    await orders.open_(tx, orders=[new])
    return await order_book.load_any(tx, order_id=new.id)


async def _begin(tx: Tx, order: Order, *, now: datetime) -> Attempt:
    plan = Plan("convenience_store", "slip", "ecpay", order.pay_by, order.pay_by, order.pay_by)
    return await attempts.begin(tx, order=order, plan=plan, now=now)
