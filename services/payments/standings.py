"""Standings: how attempts stand with their providers, as these said, and what follows from it."""

from datetime import datetime, timedelta

from services.payments import attempts, rules, settlement
from services.payments.attempt_book import Attempt
from services.payments.attempts import Followed, Issued
from services.payments.methods import Answer, Begun, Method, Standing
from services.payments.settlement import Capture, Captured
from shared.db import Tx

# A way to pay that is not set up here may be so again.
NOT_SET_UP_WAITS = timedelta(minutes=5)


async def record_begun(
    tx: Tx, attempt: Attempt, begun: Begun, way: Method, *, now: datetime
) -> None:
    if begun.given is not None:
        issued = Issued(
            attempt.trade_number,
            begun.given.provider_number,
            begun.given.instructions,
            begun.given.expires_at,
            is_told=False,
        )
        await attempts.issue(tx, issued=[issued], now=now)
    elif begun.standing is Standing.OVER:
        over = Followed(attempt.id, "failed", None, is_last=True)
        await attempts.follow(tx, followed=[over], now=now)
    elif begun.standing is Standing.UNKNOWN:
        again = Followed(attempt.id, "unknown", now + way.first_ask, is_last=False)
        await attempts.follow(tx, followed=[again], now=now)


async def record_answer(
    tx: Tx, attempt: Attempt, answer: Answer, way: Method | None, *, now: datetime
) -> list[Capture]:
    """Record what a provider said of an attempt, whatever has been told meanwhile."""
    if answer.money is not None:
        money = Captured(
            attempt.provider,
            attempt.trade_number,
            answer.money.provider_number,
            attempt.method,
            answer.money.amount_twd,
            answer.money.paid_at,
        )
        return await settlement.settle(tx, captured=[money], now=now)
    if answer.given is not None:
        given = answer.given
        issued = Issued(
            attempt.trade_number, given.provider_number, given.instructions, given.expires_at
        )
        await attempts.issue(tx, issued=[issued], now=now)
    await attempts.follow(tx, followed=[_followed(attempt, answer, way, now=now)], now=now)
    return []


def _followed(attempt: Attempt, answer: Answer, way: Method | None, *, now: datetime) -> Followed:
    if way is None:
        return Followed(attempt.id, "unknown", now + NOT_SET_UP_WAITS, is_last=False)
    if answer.standing is Standing.OVER:
        return Followed(attempt.id, "failed", None, is_last=True)
    again = rules.next_ask(
        now,
        asks=attempt.asks,
        first=way.first_ask,
        longest=way.longest_wait,
        last_ask_at=attempt.last_ask_at,
    )
    if answer.standing is Standing.UNKNOWN:
        return Followed(attempt.id, "unknown", again, is_last=False)
    if now < attempt.last_ask_at:
        known = "issued" if attempt.instructions or answer.given else "created"
        state = known if attempt.state == "unknown" else None
        return Followed(attempt.id, state, again, is_last=False)
    state = None if attempt.state == "failed" else "lapsed"
    # A code may outlive its order: what is paid with it then comes too late.
    expires_at = answer.given.expires_at if answer.given else attempt.expires_at
    late_at = way.last_word_at(expires_at, attempt.variant) if expires_at else now
    return Followed(attempt.id, state, late_at if now < late_at else None, is_last=True)
