"""Attempts: tries to pay an order, each by one method. Writes `attempts`, `provider_pauses`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic_core import to_json

from services.payments import order_book, rules
from services.payments.attempt_book import COLUMNS, Attempt, list_of_order, read
from services.payments.order_book import Order
from shared import outbox
from shared.db import Tx
from shared.errors import Refused
from shared.events.payments import InstructionsIssued
from shared.ids import new_id

# Enough for anybody who changes their mind or whose card is declined; more would be a program.
MOST_ATTEMPTS_AN_HOUR = 20
# Providers are asked about each of them until the deadline.
MOST_ATTEMPTS = 100
ASKED_AT_ONCE = 20
# A browser that comes back can come back a thousand times.
RESTS_FOR = timedelta(seconds=3)
ASKED_SOON = timedelta(minutes=1)

_IS_ASKED = """
    NOT EXISTS (SELECT FROM provider_pauses AS pause
                 WHERE pause.provider = attempts.provider AND until_at > $1)
"""


class MethodNotOffered(Refused):
    """This way to pay is not offered for this exam. Please choose another."""


class TooManyAttempts(Refused):
    """You have started to pay very often. Please use one of the ways you have started, or try
    again in an hour. If that does not help, ask us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a method's attempts are followed: what its module knows and the database must."""

    method: str
    variant: str
    provider: str
    in_time_until: datetime
    ask_at: datetime
    last_ask_at: datetime


async def begin(tx: Tx, *, order: Order, plan: Plan, now: datetime) -> Attempt:
    """Begin an attempt for an order held locked, or find the one whose code still works.

    What was begun before stays payable at the provider, so money may still arrive on it.
    """
    if plan.method not in order.methods:
        raise MethodNotOffered
    before = await list_of_order(tx, order_id=order.id)
    for attempt in before:
        if (attempt.method, attempt.variant) == (plan.method, plan.variant) and attempt.is_usable(
            now=now
        ):
            return attempt
    lately = [attempt for attempt in before if attempt.created_at > now - timedelta(hours=1)]
    if len(lately) >= MOST_ATTEMPTS_AN_HOUR or len(before) >= MOST_ATTEMPTS:
        raise TooManyAttempts
    row = await tx.fetchrow(
        f"""
        INSERT INTO attempts (id, order_id, method, variant, provider, trade_number, amount_twd,
                              created_at, in_time_until, ask_at, last_ask_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        RETURNING {COLUMNS}
        """,  # noqa: S608 (a constant)
        new_id(now),
        order.id,
        plan.method,
        plan.variant,
        plan.provider,
        rules.new_trade_number(),
        order.amount_twd,
        now,
        plan.in_time_until,
        plan.ask_at,
        plan.last_ask_at,
    )
    assert row is not None
    return read(row)


@dataclass(frozen=True, slots=True)
class Issued:
    """What a provider gave out for an attempt: a code, an account, a slip, an address to go to."""

    trade_number: str
    provider_number: str
    instructions: Mapping[str, str]
    expires_at: datetime | None
    # The candidate needs it in a letter: it is typed at a store or a bank.
    is_told: bool = True


async def issue(tx: Tx, *, issued: Sequence[Issued], now: datetime) -> None:
    """Record what was issued; said again, or after the money came, it changes nothing.

    A form can be kept open: what is issued when the provider's last word was said is told nobody,
    but asked about when it has run out, because it can be paid until then.
    """
    newest = {each.trade_number: each for each in issued}
    rows = await tx.fetch(
        f"""
        UPDATE attempts
           SET state = CASE WHEN closed_at IS NULL THEN 'issued' ELSE state END,
               ask_at = CASE WHEN closed_at IS NULL THEN ask_at ELSE given.expires_at END,
               provider_number = given.provider_number,
               instructions = given.instructions::jsonb, expires_at = given.expires_at,
               issued_at = $5
          FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
               AS given (trade_number, provider_number, instructions, expires_at)
         WHERE attempts.trade_number = given.trade_number
           AND attempts.instructions = jsonb_build_object() AND state <> 'paid'
        RETURNING {COLUMNS}
        """,  # noqa: S608 (a constant)
        list(newest),
        [each.provider_number for each in newest.values()],
        [to_json(each.instructions).decode() for each in newest.values()],
        [each.expires_at for each in newest.values()],
        now,
    )
    told = [a for a in map(read, rows) if newest[a.trade_number].is_told and not a.closed_at]
    known = await order_book.load_all(tx, order_ids=[attempt.order_id for attempt in told])
    await outbox.publish(
        tx,
        [
            InstructionsIssued(
                **known[attempt.order_id].told,
                attempt_id=attempt.id,
                method=attempt.method,
                amount_twd=attempt.amount_twd,
                instructions=dict(attempt.instructions),
                pay_by=known[attempt.order_id].pay_by,
                issued_at=now,
            )
            for attempt in told
        ],
    )


async def mark_paid(tx: Tx, *, provider_numbers: Mapping[UUID, str], now: datetime) -> None:
    """Close attempts on which money came."""
    await tx.execute(
        """
        UPDATE attempts
           SET state = 'paid', provider_number = given.provider_number,
               closed_at = COALESCE(closed_at, $3), ask_at = NULL
          FROM unnest($1::uuid[], $2::text[]) AS given (id, provider_number)
         WHERE attempts.id = given.id AND state <> 'paid'
        """,
        list(provider_numbers),
        list(provider_numbers.values()),
        now,
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """What asking about an attempt, or a notice about it, taught us short of money."""

    attempt_id: UUID
    state: str | None  # None: as it was
    ask_at: datetime | None  # None: there is nothing more to hear
    is_last: bool  # the provider has said its last word on the order


async def follow(tx: Tx, *, followed: Sequence[Followed], now: datetime) -> None:
    """Record what was learnt. What has been paid meanwhile stays paid, what is closed closed, and
    a code that was given out meanwhile is asked about until it has run out."""
    await tx.execute(
        """
        UPDATE attempts
           SET state = CASE WHEN closed_at IS NULL THEN COALESCE(given.state, attempts.state)
                            ELSE attempts.state END,
               asks = asks + 1,
               ask_at = COALESCE(given.ask_at, CASE WHEN expires_at > $5 THEN expires_at END),
               closed_at = CASE WHEN given.is_last THEN COALESCE(closed_at, $5::timestamptz)
                                ELSE closed_at END
          FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::boolean[])
               AS given (id, state, ask_at, is_last)
         WHERE attempts.id = given.id AND attempts.state <> 'paid'
        """,
        [each.attempt_id for each in followed],
        [each.state for each in followed],
        [each.ask_at for each in followed],
        [each.is_last for each in followed],
        now,
    )


async def note_failed(tx: Tx, *, trade_numbers: Sequence[str]) -> None:
    """Note that a provider said "not paid". Its last word is what it answers when asked."""
    await tx.execute(
        """
        UPDATE attempts SET state = 'failed'
         WHERE trade_number = ANY($1::text[]) AND closed_at IS NULL
        """,
        list(trade_numbers),
    )


async def note_pending(tx: Tx, *, trade_numbers: Sequence[str], now: datetime) -> None:
    """Note that a provider does not know yet itself, and have it asked soon."""
    await tx.execute(
        """
        UPDATE attempts SET state = 'unknown', ask_at = LEAST(ask_at, $2)
         WHERE trade_number = ANY($1::text[]) AND closed_at IS NULL
        """,
        list(trade_numbers),
        now + ASKED_SOON,
    )


async def claim_due(tx: Tx, *, provider: str, now: datetime, again_at: datetime) -> list[Attempt]:
    """Take attempts about which their provider is to be asked; whoever takes them must do so by
    `again_at`."""
    rows = await tx.fetch(
        f"""
        WITH due AS (
            SELECT id FROM attempts
             WHERE provider = $3 AND ask_at <= $1 AND {_IS_ASKED}
             ORDER BY ask_at
             LIMIT $4
               FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE attempts SET ask_at = $2, asked_at = $1 FROM due WHERE attempts.id = due.id
        RETURNING {COLUMNS}
        """,  # noqa: S608 (constants)
        now,
        again_at,
        provider,
        ASKED_AT_ONCE,
    )
    return [read(row) for row in rows]


async def claim_one(
    tx: Tx, *, attempt_id: UUID, now: datetime, again_at: datetime
) -> Attempt | None:
    """Take an attempt out of turn, because there seems to be news of it.

    If its provider was asked just now, or is left alone, its turn comes when that is over.
    """
    row = await tx.fetchrow(
        f"""
        UPDATE attempts SET ask_at = $2, asked_at = $1
         WHERE id = $3 AND closed_at IS NULL AND {_IS_ASKED}
           AND (asked_at IS NULL OR asked_at <= $1::timestamptz - $4::interval)
        RETURNING {COLUMNS}
        """,  # noqa: S608 (constants)
        now,
        again_at,
        attempt_id,
        RESTS_FOR,
    )
    if row is None:
        await tx.execute(
            "UPDATE attempts SET ask_at = LEAST(ask_at, $2) WHERE id = $1 AND closed_at IS NULL",
            attempt_id,
            now + RESTS_FOR,
        )
    return read(row) if row else None


async def pause(tx: Tx, *, provider: str, until: datetime) -> None:
    """Leave a provider alone for a while."""
    await tx.execute(
        """
        INSERT INTO provider_pauses (provider, until_at) VALUES ($1, $2)
        ON CONFLICT (provider) DO UPDATE
           SET until_at = GREATEST(provider_pauses.until_at, EXCLUDED.until_at)
        """,
        provider,
        until,
    )
