"""Chance tells the story: orders, attempts, payments, notices, time and refunds in any order."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.payments.attempts import TooManyAttempts
from services.payments.cashier import Opened
from services.payments.methods import Form, Link
from services.payments.order_book import Order
from services.payments.orders import OrderClosed
from shared.events.payments import OrderLapsed, OrderPaid
from tests.conftest import MakeDatabase
from tests.payments.giving_back import approve, due, propose
from tests.payments.till import Till, open_till

T = TypeVar("T")
WAYS = [
    *(("convenience_store", "code"), ("convenience_store", "slip"), ("atm", "")),
    *(("card", ""), ("line_pay", "")),
]
STEPS = [timedelta(seconds=40), timedelta(hours=7), timedelta(days=5)]
# LINE Pay keeps a request so long.
REQUEST_LASTS = timedelta(minutes=19)


ACTS = [
    *["begin"] * 3,
    *["pay"] * 4,
    *["deliver"] * 3,
    *("cheat", "ask", "ask", "advance", "advance", "lapse", "lapse", "fail_review"),
    *["refund"] * 2,
]


class Stories(RuleBasedStateMachine):
    """Anything that people, providers and time can do to two orders.

    One rule that chooses among all, because Hypothesis leaves out some of many rules in each story.
    """

    loop: asyncio.AbstractEventLoop
    make_database: MakeDatabase

    def __init__(self) -> None:
        super().__init__()
        self.stack = AsyncExitStack()
        self.till = self.do(self._open())
        self.orders = [self.do(self.till.owe()) for _ in range(2)]
        self.pages: list[tuple[Order, Opened, datetime]] = []
        # Orders that were paid in time and in full at ECPay, whoever has been told so far.
        self.in_time: set[UUID] = set()
        # Orders that were, too, but of which ECPay itself learnt later, perhaps after they lapsed.
        self.late_known: set[UUID] = set()
        # Pages of LINE Pay: whoever begins again is given the same, and approves but once.
        self.approved: set[str] = set()

    @rule(
        act=st.sampled_from(ACTS),
        which=st.integers(0, 9),
        way=st.sampled_from(WAYS),
        step=st.sampled_from(STEPS),
        wrong=st.sampled_from([False, False, True]),
        lost=st.booleans(),
        late=st.booleans(),
    )
    def go_on(
        self,
        act: str,
        which: int,
        way: tuple[str, str],
        step: timedelta,
        wrong: bool,
        lost: bool,
        late: bool,
    ) -> None:
        order = self.orders[which % 2]
        match act:
            case "begin":
                self.begin(order, way)
            case "pay" if self.pages:
                self.pay(*self.pages.pop(which % len(self.pages)), wrong, lost, late)
            case "cheat" if self.pages:
                self.cheat(*self.pages.pop(which % len(self.pages)), wrong)
            case "deliver":
                self.do(self.till.sandbox.deliver())
            case "ask":
                self.do(self.till.ask())
            case "advance":
                self.do(self.till.advance(step))
            case "lapse":
                self.lapse(step)
            case "fail_review":
                self.do(self.till.hear(due(order.registration_ids[0])))
            case "refund":
                self.refund(order)

    async def _open(self) -> Till:
        """Every story begins with empty books, so that it can be told again."""
        database_url = await type(self).make_database("payments")
        return await self.stack.enter_async_context(open_till(database_url))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def begin(self, order: Order, way: tuple[str, str]) -> None:
        try:
            opened = self.do(self.till.begin(order, *way))
        except (OrderClosed, TooManyAttempts):
            return
        if opened.page is not None:  # else its code was given out before
            self.pages.append((order, opened, self.till.now))

    def approve(self, page: str, begun_at: datetime) -> None:
        if page not in self.approved and self.till.now < begun_at + REQUEST_LASTS:
            self.approved.add(page)
            self.do(self.till.sandbox.approve(page, comes_back=False))

    def pay(
        self,
        order: Order,
        opened: Opened,
        begun_at: datetime,
        wrong: bool,
        lost: bool,
        late: bool,
    ) -> None:
        """Pay now, or let ECPay learn only now of what was paid as soon as it was begun."""
        if isinstance(opened.page, Link):
            self.approve(opened.page.web, begun_at)
            return
        paid_at = begun_at if late else self.till.now
        number = opened.attempt.trade_number
        if wrong:
            self.do(self.till.sandbox.misbehave("wrong_amount", number=number, amount=200))
        if lost and not self.is_closed(order, opened):
            self.do(self.till.sandbox.misbehave("silent", number=number))
        # A form that was kept until the provider had said its last word: we ask once more when we
        # are told of its code. What no notice at all tells is found in the provider's file.
        elif lost and opened.attempt.method != "card":
            self.do(self.till.sandbox.misbehave("silent", number=number, on="paid"))
        self.do(self.till.pay(opened, at=paid_at))
        if not wrong and paid_at < order.pay_by:
            known = self.in_time if paid_at == self.till.now else self.late_known
            known.add(order.id)

    def lapse(self, step: timedelta) -> None:
        """Lapse what is over; after the longest step everything is."""
        if step == STEPS[-1]:
            self.do(self.till.advance(timedelta(days=12)))
            self.do(self.till.ask_all())
        self.do(self.till.lapse())

    def is_closed(self, order: Order, opened: Opened) -> bool:
        attempts = {each.id: each for each in self.do(self.till.attempts(order))}
        return attempts[opened.attempt.id].closed_at is not None

    def cheat(self, order: Order, opened: Opened, begun_at: datetime, simulate: bool) -> None:
        if isinstance(opened.page, Form):
            # A page at which nobody pays.
            self.do(self.till.visit(opened))
            kind = "simulated" if simulate else "forged"
            self.do(self.till.sandbox.claim_paid(opened.attempt.trade_number, kind=kind))

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
    def everybody_is_told_each_end_once_and_two_only_of_what_was_known_late(self) -> None:
        paid, lapsed = (
            [told.order_id for told in self.do(self.till.told(event_class))]
            for event_class in (OrderPaid, OrderLapsed)
        )
        assert (len(paid), len(lapsed)) == (len(set(paid)), len(set(lapsed)))
        assert {*paid} & {*lapsed} <= self.late_known

    @invariant()
    def what_was_paid_in_time_does_not_lapse(self) -> None:
        for order in self.orders:
            if order.id in self.in_time:
                assert self.do(self.till.load(order)).state != "lapsed"

    def teardown(self) -> None:
        try:
            self._see_the_end()
        finally:
            self.do(self.stack.aclose())

    def _see_the_end(self) -> None:
        """In the end all is told, and both sides have counted the same."""
        self.do(self.till.sandbox.deliver())
        self.do(self.till.ask_all())
        for order in self.orders:
            if order.id in self.in_time | self.late_known:
                assert self.do(self.till.load(order)).paid_at is not None
        self.do(self.till.see_every_dollar())


async def test_whatever_happens_no_dollar_is_lost_doubled_or_invented(
    make_database: MakeDatabase,
) -> None:
    # A function kept in a class would become a method.
    Stories.make_database, Stories.loop = staticmethod(make_database), asyncio.get_running_loop()
    bounds = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what was found is told at once; making it shorter takes minutes
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Stories, settings=bounds)
