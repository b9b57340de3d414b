"""What payments does when another service's news arrives."""

from services.payments import exam_days, orders, refund_requests
from services.payments.exam_days import Move
from services.payments.order_book import Item
from services.payments.orders import NewOrder
from services.payments.refund_requests import Request
from shared.db import Tx
from shared.events.enrollment import (
    ExamMoved,
    RefundDue,
    RegistrationLapsed,
    RegistrationSubmitted,
    RegistrationVoided,
)
from shared.inbox import Handlers


async def on_registration_submitted(tx: Tx, events: list[RegistrationSubmitted]) -> None:
    await orders.open_(
        tx,
        orders=[
            NewOrder(
                account_id=event.account_id,
                reference=event.reference,
                titles=event.sitting_titles,
                methods=event.methods,
                opened_at=event.submitted_at,
                pay_by=event.pay_by,
                items=[
                    Item(
                        registration_id=event.registration_id,
                        reference=event.reference,
                        titles=event.sitting_titles,
                        sitting=event.sitting,
                        programme=event.programme,
                        exam_date=event.exam_date,
                        amount_twd=event.amount_twd,
                    )
                ],
            )
            for event in events
            if event.pay_by is not None
        ],
    )


async def on_refund_due(tx: Tx, events: list[RefundDue]) -> None:
    await refund_requests.ask(
        tx,
        requests=[
            Request(e.refund_id, e.registration_id, e.reason, e.less_twd, e.due_at) for e in events
        ],
    )


async def on_registration_lapsed(tx: Tx, events: list[RegistrationLapsed]) -> None:
    await orders.end_early(tx, ended={event.registration_id: event.lapsed_at for event in events})


async def on_registration_voided(tx: Tx, events: list[RegistrationVoided]) -> None:
    await orders.end_early(tx, ended={event.registration_id: event.voided_at for event in events})


async def on_exam_moved(tx: Tx, events: list[ExamMoved]) -> None:
    await exam_days.move(
        tx, moves=[Move(event.sitting, event.exam_date, event.moved_at) for event in events]
    )


HANDLERS: Handlers = {
    RegistrationSubmitted: on_registration_submitted,
    RefundDue: on_refund_due,
    RegistrationLapsed: on_registration_lapsed,
    RegistrationVoided: on_registration_voided,
    ExamMoved: on_exam_moved,
}
