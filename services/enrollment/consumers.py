"""What enrollment does when another service's news arrives."""

from services.enrollment.registrations import paying
from shared.db import Tx
from shared.events.payments import OrderLapsed, OrderPaid
from shared.inbox import Handlers


async def on_order_paid(tx: Tx, events: list[OrderPaid]) -> None:
    await paying.pay(
        tx, paid={registration: e.paid_at for e in events for registration in e.registration_ids}
    )


async def on_order_lapsed(tx: Tx, events: list[OrderLapsed]) -> None:
    await paying.lapse(
        tx,
        lapsed={registration: e.lapsed_at for e in events for registration in e.registration_ids},
    )


HANDLERS: Handlers = {
    OrderPaid: on_order_paid,
    OrderLapsed: on_order_lapsed,
}
