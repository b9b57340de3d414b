"""Chance tells the story: orders, attempts, payments, notices, time and refunds in any order."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from services.payments.cashier import Opened
from services.payments.methods import Form, Link
from services.payments.order_book import Order
from services.payments.orders import OrderClosed
from shared.events.payments import OrderLapsed, OrderPaid
from tests.payments.test_refunds import approve, due, propose
from tests.payments.till import Till

T = TypeVar("T")
WAYS = [
    *(("convenience_store", "code"), ("convenience_store", "slip"), ("atm", "")),
    *(("card", ""), ("line_pay", "")),
]
STEPS = [timedelta(seconds=40), timedelta(hours=7), timedelta(days=2)]
# LINE Pay keeps a request so long.
REQUEST_LASTS = timedelta(minutes=19)


class Stories(RuleBasedStateMachine):
    """Anything that people, providers and time can do to an order."""

    till: Till
    loop: asyncio.AbstractEventLoop

    orders = Bundle("orders")
    pages = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[Any, Order] = {}
        # Orders that were paid in time and in full at ECPay, whoever has been told so far.
        self.in_time: set[Any] = set()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @rule(target=orders)
    def owe(self) -> Order:
        order = self.do(self.till.owe())
        self.made[order.id] = order
        return order

    @rule(target=pages, order=orders, way=st.sampled_from(WAYS))
    def begin(self, order: Order, way: tuple[str, str]) -> Any:
        try:
            opened = self.do(self.till.begin(order, *way))
        except OrderClosed:
            return multiple()
        if opened.page is None:  # its code was given out before
            return multiple()
        return (order, opened, self.till.now)

    @rule(page=consumes(pages), wrong=st.booleans(), lost=st.booleans())
    def pay(self, page: tuple[Order, Opened, Any], wrong: bool, lost: bool) -> None:
        order, opened, begun_at = page
        if isinstance(opened.page, Link):
            if self.till.now < begun_at + REQUEST_LASTS:
                self.do(self.till.sandbox.approve(opened.page.web, comes_back=False))
            return
        assert isinstance(opened.page, Form)
        number = opened.attempt.trade_number
        if wrong:
            self.do(self.till.sandbox.misbehave("wrong_amount", number=number, amount=200))
        if lost:
            self.do(self.till.sandbox.misbehave("silent", number=number))
        self.do(self.till.pay(opened))
        if not wrong and self.till.now < order.pay_by:
            self.in_time.add(order.id)

    @rule(page=consumes(pages), kind=st.sampled_from(["forged", "simulated"]))
    def cheat(self, page: tuple[Order, Opened, Any], kind: str) -> None:
        if isinstance(page[1].page, Form):
            number = page[1].attempt.trade_number
            # A page that nobody pays at, but one could.
            self.do(self.till.visit(page[1]))
            self.do(self.till.sandbox.claim_paid(number, kind=kind))

    @rule()
    def deliver(self) -> None:
        self.do(self.till.sandbox.deliver())

    @rule()
    def ask(self) -> None:
        self.do(self.till.ask())

    @rule(by=st.sampled_from(STEPS))
    def advance(self, by: timedelta) -> None:
        self.do(self.till.advance(by))

    @rule()
    def lapse(self) -> None:
        self.do(self.till.lapse())

    @rule(order=orders)
    def fail_review(self, order: Order) -> None:
        self.do(self.till.hear(due(order.registration_ids[0])))

    @rule(order=orders)
    def refund(self, order: Order) -> None:
        for refund in self.do(self.till.refunds(order)):
            if refund.state == "due" and refund.method in {"card", "line_pay"}:
                self.do(propose(self.till, refund, "provider", actor=uuid4()))
            elif refund.state == "proposed":
                self.do(approve(self.till, refund, actor=uuid4()))
        self.do(self.till.send_refunds())

    @invariant()
    def not_one_dollar_is_astray_in_the_book(self) -> None:
        self.do(self.till.see_balance())

    @invariant()
    def everybody_is_told_one_end_at_most(self) -> None:
        ends = [
            told.order_id
            for event_class in (OrderPaid, OrderLapsed)
            for told in self.do(self.till.told(event_class))
        ]
        assert len(ends) == len(set(ends))

    @invariant()
    def what_was_paid_in_time_does_not_lapse(self) -> None:
        for order_id in self.in_time:
            assert self.do(self.till.load(self.made[order_id])).state != "lapsed"

    def teardown(self) -> None:
        """In the end all is told, and both sides have counted the same."""
        self.do(self.till.sandbox.deliver())
        self.do(self.till.ask_all())
        for order_id in self.in_time:
            assert self.do(self.till.load(self.made[order_id])).paid_at is not None
        self.do(self.till.see_every_dollar())


async def test_whatever_happens_no_dollar_is_lost_doubled_or_invented(till: Till) -> None:
    Stories.till, Stories.loop = till, asyncio.get_running_loop()
    bounds = settings(
        max_examples=15,
        stateful_step_count=20,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Stories, settings=bounds)
