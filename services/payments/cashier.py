"""The cashier: talks to providers. The intent is committed, the call made, the outcome committed.

An edge that the others use: it opens transactions, and never holds one while a provider thinks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from aiohttp import web

from services.payments import attempt_book, attempts, order_book, orders, refund_sends, standings
from services.payments.attempt_book import Attempt
from services.payments.attempts import MethodNotOffered, Plan
from services.payments.methods import (
    Answer,
    Asked,
    Form,
    Link,
    Method,
    Question,
    Repaid,
    Repayment,
    Reply,
    Standing,
    TooOften,
)
from services.payments.refund_sends import Fate, Sending
from services.payments.settlement import Capture
from shared import db
from shared.db import Pool, transaction
from shared.errors import Refused
from shared.metrics import MONEY_COUNTED, PROVIDER_ANSWERS

log = structlog.get_logger()

# Whoever took an attempt or a refund to a provider and was not heard of since has lost it.
LEASE = timedelta(minutes=5)


class ProviderAway(Refused):
    """The payment provider does not answer right now, and nothing was taken. Please try again in
    a few minutes, or choose another way to pay."""

    status = 503
    retry_after_seconds = 60


@dataclass(frozen=True, slots=True)
class Opened:
    """An attempt that stands, and where the browser goes with it; nowhere, if all is known."""

    attempt: Attempt
    page: Form | Link | None


class Cashier:
    """What pages, hooks and jobs ask of providers."""

    def __init__(self, ways: Mapping[str, Method]) -> None:
        self.ways = ways

    async def begin(
        self,
        pool: Pool,
        *,
        order_id: UUID,
        account_id: UUID,
        method: str,
        variant: str,
        language: str,
        now: datetime,
    ) -> Opened:
        """Begin to pay in some way, or find the code or account that was given out before."""
        way = self.ways.get(method)
        if way is None or variant not in way.variants:
            raise MethodNotOffered
        async with transaction(pool) as tx:
            order = await orders.lock_payable(tx, order_id=order_id, account_id=account_id, now=now)
            if not way.takes(order.amount_twd, variant):
                raise MethodNotOffered
            plan = _plan(way, variant, order.pay_by, now=now)
            attempt = await attempts.begin(tx, order=order, plan=plan, now=now)
        if attempt.instructions:
            return Opened(attempt, _link(attempt.instructions))
        begun = await way.begin(
            Asked(
                order_id=order.id,
                trade_number=attempt.trade_number,
                variant=variant,
                amount_twd=attempt.amount_twd,
                language=language,
                pay_by=order.pay_by,
                now=now,
            )
        )
        async with transaction(pool) as tx:
            await standings.record_begun(tx, attempt, begun, way, now=now)
        if begun.page is None:
            log.warning("provider away", provider=way.provider, reply=begun.reply)
            raise ProviderAway
        return Opened(attempt, begun.page)

    async def ask_one(
        self, pool: Pool, *, provider: str, trade_number: str, now: datetime
    ) -> Attempt | None:
        """Ask about one attempt, because its payer seems to have come back; return it."""
        async with transaction(pool) as tx:
            attempt = await attempt_book.find(tx, provider=provider, trade_number=trade_number)
            if attempt is None:
                return None
            taken = await attempts.claim_one(
                tx, attempt_id=attempt.id, now=now, again_at=now + LEASE
            )
        if taken is not None:
            await self._ask_all(pool, [taken], now=now)
        return attempt

    async def ask_due(self, pool: Pool, *, provider: str, now: datetime) -> int:
        """Ask a provider about attempts whose time to be asked about has come."""
        async with transaction(pool) as tx:
            due = await attempts.claim_due(tx, provider=provider, now=now, again_at=now + LEASE)
        await self._ask_all(pool, due, now=now)
        return len(due)

    async def _ask_all(self, pool: Pool, asked: Sequence[Attempt], *, now: datetime) -> None:
        async with transaction(pool) as tx:
            book = await order_book.load_all(tx, order_ids=[one.order_id for one in asked])
        await asyncio.gather(
            *(
                self._follow(pool, one, is_owed=book[one.order_id].state == "open", now=now)
                for one in asked
            )
        )

    async def _follow(self, pool: Pool, attempt: Attempt, *, is_owed: bool, now: datetime) -> None:
        """Ask about one attempt and record the answer.

        A defect that it brings to light must not keep the others waiting. It is asked about again
        when it has been lost for long enough.
        """
        try:
            answer = await self._ask(attempt, is_owed=is_owed, now=now)
            async with transaction(pool) as tx:
                if isinstance(answer, TooOften):
                    until = now + answer.pause
                    await attempts.pause(tx, provider=attempt.provider, until=until)
                    return
                way = self.ways.get(attempt.method)
                captures = await standings.record_answer(tx, attempt, answer, way, now=now)
        except Exception as error:
            log.error(
                "attempt not followed",
                trade_number=attempt.trade_number,
                error=repr(error),
                exc_info=not db.is_unavailable(error),
            )
        else:
            count(captures)

    async def _ask(self, attempt: Attempt, *, is_owed: bool, now: datetime) -> Answer | TooOften:
        way = self.ways.get(attempt.method)
        if way is None:
            log.warning("way not set up", method=attempt.method, trade_number=attempt.trade_number)
            PROVIDER_ANSWERS.labels(attempt.provider, Standing.UNKNOWN).inc()
            return Answer(Standing.UNKNOWN, reply="not set up here")
        question = Question(
            trade_number=attempt.trade_number,
            provider_number=attempt.provider_number,
            amount_twd=attempt.amount_twd,
            begun_at=attempt.created_at,
            has_instructions=bool(attempt.instructions),
            may_take=is_owed and now < attempt.in_time_until,
            now=now,
        )
        try:
            answer = await way.ask(question)
        except TooOften as shut_out:
            PROVIDER_ANSWERS.labels(way.provider, "too_often").inc()
            return shut_out
        PROVIDER_ANSWERS.labels(way.provider, answer.standing).inc()
        return answer

    async def send_refund(self, pool: Pool, *, now: datetime) -> int:
        """Tell a provider of one approved refund, or ask what became of it; return how many."""
        async with transaction(pool) as tx:
            sending = await refund_sends.claim(tx, now=now, again_at=now + LEASE)
        if sending is None:
            return 0
        try:
            reply = await self._repay(sending, now=now)
        except TooOften as shut_out:
            reply = Reply(Repaid.UNKNOWN, str(shut_out))
            async with transaction(pool) as tx:
                until = now + shut_out.pause
                await attempts.pause(tx, provider=sending.refund.provider, until=until)
        log.info("refund sent", refund=str(sending.refund.id), repaid=reply.repaid)
        async with transaction(pool) as tx:
            await refund_sends.record(
                tx,
                sending=sending,
                fate=Fate(reply.repaid),
                reply=reply.words,
                again_at=reply.again_at,
                now=now,
            )
        return 1

    async def _repay(self, sending: Sending, *, now: datetime) -> Reply:
        refund = sending.refund
        way = self.ways.get(refund.method)
        if way is None:
            return Reply(Repaid.LATER, "not set up here", now + LEASE)
        repayment = Repayment(
            trade_number=refund.trade_number,
            provider_number=refund.provider_number,
            paid_twd=refund.captured_twd,
            amount_twd=refund.amount_twd,
            before_twd=sending.refunded_before_twd,
            now=now,
        )
        if sending.is_first:
            return await way.repay(repayment)
        return await way.resume_repayment(repayment)


CASHIER = web.AppKey("cashier", Cashier)


def count(captures: Sequence[Capture]) -> None:
    """Show money in the figures; what nobody owed also in the log, because somebody must look."""
    for each in captures:
        MONEY_COUNTED.labels(each.kind).inc(each.captured.amount_twd)
        if each.kind != "order":
            log.warning(
                "money nobody owed",
                kind=each.kind,
                capture=str(each.id),
                trade_number=each.captured.trade_number,
                amount_twd=each.captured.amount_twd,
            )


def _plan(way: Method, variant: str, pay_by: datetime, *, now: datetime) -> Plan:
    return Plan(
        method=way.name,
        variant=variant,
        provider=way.provider,
        in_time_until=pay_by + way.grace,
        ask_at=now + way.first_ask,
        last_ask_at=way.last_word_at(pay_by, variant),
    )


def _link(instructions: Mapping[str, str]) -> Link | None:
    """Where an attempt that was issued goes on; nowhere, if its code is typed elsewhere."""
    return Link(instructions["web"], instructions["app"]) if "web" in instructions else None
