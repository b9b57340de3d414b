"""Tokens: shown once, whose they are, and how often they may be used."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.enrollment import tokens
from services.enrollment.tokens import (
    BURST,
    MOST_TOKENS,
    Caller,
    NoSuchToken,
    NoToken,
    TokenShownBefore,
    TooManyCalls,
    TooManyTokens,
)
from shared.db import Pool, transaction
from tests.enrollment.world import NOW

A_MONTH = timedelta(days=30)
A_SECOND = timedelta(seconds=1)


async def create(pool: Pool, account_id: UUID, token_id: UUID | None = None) -> tuple[UUID, str]:
    token_id = token_id or uuid4()
    async with transaction(pool) as tx:
        token = await tokens.create(
            tx,
            token_id=token_id,
            account_id=account_id,
            label="my own program",
            expires_at=NOW + A_MONTH,
            now=NOW,
        )
    return token_id, token


async def use(pool: Pool, token: str, *, now: datetime = NOW) -> Caller:
    async with transaction(pool) as tx:
        return await tokens.use(tx, token=token, calls_per_minute=60, now=now)


async def list_live(pool: Pool, account_id: UUID) -> list[UUID]:
    async with transaction(pool) as tx:
        live = await tokens.list_live(tx, account_id=account_id, now=NOW)
        return [token.id for token in live]


async def revoke(pool: Pool, token_id: UUID, account_id: UUID) -> None:
    async with transaction(pool) as tx:
        await tokens.revoke(tx, token_id=token_id, account_id=account_id, now=NOW)


async def test_a_token_speaks_for_its_account(pool: Pool) -> None:
    mine, other = uuid4(), uuid4()
    token_id, token = await create(pool, mine)
    await create(pool, other)
    assert await use(pool, token) == Caller(token_id, mine)
    with pytest.raises(NoToken):
        await use(pool, token + "x")
    with pytest.raises(NoToken):
        await use(pool, "")


async def test_the_database_does_not_know_the_token(pool: Pool) -> None:
    _, token = await create(pool, uuid4())
    [row] = await pool.fetch("SELECT * FROM api_tokens")
    assert token not in str(dict(row))
    assert token.removeprefix(tokens.PREFIX) not in str(dict(row))


async def test_a_token_ends_with_its_last_instant(pool: Pool) -> None:
    _, token = await create(pool, uuid4())
    await use(pool, token, now=NOW + A_MONTH - timedelta(microseconds=1))
    with pytest.raises(NoToken):
        await use(pool, token, now=NOW + A_MONTH)


async def test_a_revoked_token_is_none(pool: Pool) -> None:
    mine = uuid4()
    token_id, token = await create(pool, mine)
    with pytest.raises(NoSuchToken):
        await revoke(pool, token_id, uuid4())
    await use(pool, token)
    for _ in range(2):
        await revoke(pool, token_id, mine)
    with pytest.raises(NoToken):
        await use(pool, token)
    assert await list_live(pool, mine) == []


async def test_a_form_sent_twice_makes_one_token(pool: Pool) -> None:
    mine, token_id = uuid4(), uuid4()
    await create(pool, mine, token_id)
    with pytest.raises(TokenShownBefore):
        await create(pool, mine, token_id)
    await revoke(pool, token_id, mine)
    with pytest.raises(TokenShownBefore):
        await create(pool, mine, token_id)


async def test_nobody_has_more_than_ten(pool: Pool) -> None:
    mine = uuid4()
    made = await asyncio.gather(
        *(create(pool, mine) for _ in range(MOST_TOKENS + 2)), return_exceptions=True
    )
    refused = [answer for answer in made if isinstance(answer, TooManyTokens)]
    assert (len(await list_live(pool, mine)), len(refused)) == (MOST_TOKENS, 2)
    await create(pool, uuid4())
    await revoke(pool, (await list_live(pool, mine))[0], mine)
    await create(pool, mine)


async def test_the_tokens_of_a_closed_account_end(pool: Pool) -> None:
    mine, other = uuid4(), uuid4()
    _, token = await create(pool, mine)
    _, others = await create(pool, other)
    async with transaction(pool) as tx:
        await tokens.revoke_all(tx, accounts=[mine])
    with pytest.raises(NoToken):
        await use(pool, token)
    await use(pool, others)


async def test_the_day_of_the_last_use_is_noted(pool: Pool) -> None:
    mine = uuid4()
    _, token = await create(pool, mine)
    await use(pool, token)
    [row] = await pool.fetch("SELECT last_used_on FROM api_tokens")
    used_on: date = row["last_used_on"]
    assert used_on == NOW.date()


async def test_after_a_burst_a_token_is_held_to_its_rate(pool: Pool) -> None:
    _, token = await create(pool, uuid4())
    for _ in range(BURST):
        await use(pool, token)
    with pytest.raises(TooManyCalls) as refused:
        await use(pool, token)
    assert refused.value.retry_after_seconds == 1
    await use(pool, token, now=NOW + A_SECOND)
    with pytest.raises(TooManyCalls):
        await use(pool, token, now=NOW + A_SECOND)
    for _ in range(BURST):
        await use(pool, token, now=NOW + timedelta(minutes=10))


async def test_together_they_get_no_more_calls_than_one_after_the_other(pool: Pool) -> None:
    _, token = await create(pool, uuid4())
    calls = await asyncio.gather(
        *(use(pool, token) for _ in range(BURST + 10)), return_exceptions=True
    )
    assert sum(isinstance(call, Caller) for call in calls) == BURST
    assert sum(isinstance(call, TooManyCalls) for call in calls) == 10


async def test_one_token_does_not_use_up_anothers_calls(pool: Pool) -> None:
    mine = uuid4()
    _, first = await create(pool, mine)
    _, second = await create(pool, mine)
    for _ in range(BURST):
        await use(pool, first)
    await use(pool, second)
