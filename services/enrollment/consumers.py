"""What enrollment does when another service's news arrives."""

from asyncpg import UniqueViolationError

from services.enrollment import contacts, tokens
from services.enrollment.contacts import Contact
from services.enrollment.registrations import paying
from shared.db import Tx
from shared.events.identity import AccountClosed, ContactChanged
from shared.events.payments import OrderLapsed, OrderPaid
from shared.inbox import Handlers


async def on_order_paid(tx: Tx, events: list[OrderPaid]) -> None:
    paid = {registration: e.paid_at for e in events for registration in e.registration_ids}
    try:
        async with tx.transaction():
            await paying.pay(tx, paid=paid)
    except UniqueViolationError:
        # Somebody whose place comes back took one anew at this very moment: now it is seen.
        await paying.pay(tx, paid=paid)


async def on_order_lapsed(tx: Tx, events: list[OrderLapsed]) -> None:
    await paying.lapse(
        tx,
        lapsed={registration: e.lapsed_at for e in events for registration in e.registration_ids},
    )


async def on_contact_changed(tx: Tx, events: list[ContactChanged]) -> None:
    await contacts.change(
        tx, contacts=[Contact(e.account_id, e.email, e.changed_at) for e in events]
    )


async def on_account_closed(tx: Tx, events: list[AccountClosed]) -> None:
    await contacts.forget(tx, closed={e.account_id: e.closed_at for e in events})
    await tokens.revoke_all(tx, accounts=[e.account_id for e in events])


HANDLERS: Handlers = {
    OrderPaid: on_order_paid,
    OrderLapsed: on_order_lapsed,
    ContactChanged: on_contact_changed,
    AccountClosed: on_account_closed,
}
