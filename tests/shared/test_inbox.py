"""The inbox: a message takes effect once, however often it comes."""

import asyncio
from uuid import uuid4

import pytest

from shared import events, inbox
from shared.db import Pool, Tx, transaction
from shared.inbox import Handled, Received
from tests.effects import (
    EFFECTS,
    NumberAnnounced,
    Poisonous,
    list_effects,
    on_number_announced,
    repair,
)


@pytest.fixture(autouse=True)
async def effects(pool: Pool) -> None:
    await pool.execute(EFFECTS)


def received(*numbers: int, is_poison: bool = False) -> Received:
    message_id = uuid4()
    batch = [NumberAnnounced(number=number, is_poison=is_poison) for number in numbers]
    return Received(message_id, events.encode(message_id, batch).encode())


async def handle(pool: Pool, *messages: Received) -> Handled:
    return await inbox.handle(pool, NumberAnnounced, on_number_announced, messages)


async def test_a_message_that_comes_again_has_no_second_effect(pool: Pool) -> None:
    first, second = received(1, 2), received(3)
    assert await handle(pool, first) == Handled(frozenset([first.message_id]), events=2)
    assert await handle(pool, first, second) == Handled(frozenset([second.message_id]), events=1)
    assert await handle(pool, second) == Handled(frozenset(), events=0)
    assert await list_effects(pool) == {1: 1, 2: 1, 3: 1}


async def test_a_message_that_comes_twice_at_once_has_one_effect(pool: Pool) -> None:
    message = received(1)
    assert (await handle(pool, message, message)).events == 1
    assert await list_effects(pool) == {1: 1}


async def test_two_consumers_handed_the_same_messages_give_them_one_effect(pool: Pool) -> None:
    messages = [received(number) for number in range(20)]
    found = await asyncio.gather(*(handle(pool, *messages) for _ in range(5)))
    assert sum(handled.events for handled in found) == 20
    assert await list_effects(pool) == dict.fromkeys(range(20), 1)


async def test_a_failed_handler_leaves_its_message_unhandled(pool: Pool) -> None:
    good, poison = received(1), received(2, is_poison=True)
    with pytest.raises(Poisonous):
        await handle(pool, good, poison)
    assert await list_effects(pool) == {}
    await repair(pool)
    assert (await handle(pool, good, poison)).events == 2


async def test_effects_and_the_message_id_commit_together(pool: Pool) -> None:
    message = received(1)

    async def fail_after_the_effect(tx: Tx, happened: list[NumberAnnounced]) -> None:
        await on_number_announced(tx, happened)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await inbox.handle(pool, NumberAnnounced, fail_after_the_effect, [message])
    assert await list_effects(pool) == {}
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


@pytest.mark.parametrize("body", [b"", b"[{}]", b'{"number": 1}', b"\xff", b'[{"data": 1}]'])
async def test_a_body_that_is_no_batch_of_this_kind_is_refused(pool: Pool, body: bytes) -> None:
    with pytest.raises(ValueError, match="CloudEvent"):
        await handle(pool, received(1), Received(uuid4(), body))
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_only_ids_handled_long_ago_are_forgotten(pool: Pool) -> None:
    old, young = received(1), received(2)
    await handle(pool, old, young)
    await pool.execute(
        "UPDATE inbox SET handled_at = now() - $2::interval - interval '1 s' WHERE message_id = $1",
        old.message_id,
        inbox.REMEMBERED_FOR,
    )
    async with transaction(pool) as tx:
        assert await inbox.forget_old(tx) == 1
        assert await inbox.forget_old(tx) == 0
    assert await pool.fetchval("SELECT message_id FROM inbox") == young.message_id
