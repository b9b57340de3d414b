"""The consumer: what works is handled once, what cannot be is put aside, nothing is lost."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest
import structlog.testing

from shared import bus, consumer, db
from shared.db import Tx
from tests.cable import lay
from tests.effects import NumberAnnounced, on_number_announced
from tests.eventually import eventually
from tests.shared.conftest import Line, message, running, unheard

POISON = NumberAnnounced(number=13, is_poison=True)


class Gate:
    """A handler that waits at a gate, so that a test knows when it is under way."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, tx: Tx, events: list[NumberAnnounced]) -> None:
        self.reached.set()
        await self.opened.wait()
        await on_number_announced(tx, events)


async def test_messages_take_effect_and_leave_the_queue(line: Line) -> None:
    await line.send(message(1, 2), message(3))
    async with running(line.consumer()):
        await line.see(1, 2, 3)
        await line.send(message(4))
        await line.see(1, 2, 3, 4)
    assert await line.waiting() == 0
    assert await line.dead() == []


async def test_messages_that_wait_together_share_a_transaction(line: Line) -> None:
    await line.send(*(message(number) for number in range(50)))
    async with running(line.consumer()):
        await line.see(*range(50))
    assert await line.pool.fetchval("SELECT count(DISTINCT handled_at) FROM inbox") < 25


async def test_a_message_that_comes_again_takes_effect_once(line: Line) -> None:
    same = message(1)
    await line.send(same, same)
    async with running(line.consumer()):
        await line.see(1)
        await line.send(same, message(2))
        await line.see(1, 2)
    assert await line.waiting() == 0
    assert await line.dead() == []


async def test_a_poisonous_message_dies_alone(line: Line) -> None:
    poison = message(POISON)
    await line.send(message(1), poison, message(2))
    async with running(line.consumer()):
        await line.see(1, 2)
        [letter] = await line.see_dead(1)
    assert letter.message_id == str(poison.message_id)
    assert letter.reason == "Poisonous('cannot handle 13')"
    assert (letter.service, letter.name) == (line.service, NumberAnnounced.name)
    assert letter.body == poison.body
    assert await line.waiting() == 0


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        (aio_pika.Message(b"[]", message_id=str(uuid4()), type="no.such_event.v1"), "LookupError"),
        (aio_pika.Message(b"[]", message_id=str(uuid4())), "LookupError"),
        (
            aio_pika.Message(b"{", message_id=str(uuid4()), type=NumberAnnounced.name),
            "1 validation error for list[CloudEvent[NumberAnnounced]]",
        ),
        (aio_pika.Message(b"[]", message_id="seven", type=NumberAnnounced.name), "ValueError"),
    ],
    ids=["unknown event", "no event", "malformed body", "malformed id"],
)
async def test_a_strange_message_dies_with_the_reason(
    line: Line, strange: aio_pika.Message, reason: str
) -> None:
    await line.put(strange)
    await line.send(message(1))
    async with running(line.consumer()):
        await line.see(1)
        [letter] = await line.see_dead(1)
    assert letter.reason.startswith(reason)
    assert await line.waiting() == 0


async def test_a_nonsensical_trace_does_no_harm(line: Line) -> None:
    sent = message(1)
    await line.put(
        aio_pika.Message(
            sent.body.encode(),
            message_id=str(sent.message_id),
            type=sent.name,
            headers={"traceparent": "nonsense", "x-strange": [1, {"a": None}]},
        )
    )
    async with running(line.consumer()):
        await line.see(1)
    assert await line.dead() == []


async def test_the_reason_does_not_repeat_what_a_malformed_message_says(line: Line) -> None:
    sent = message(1)
    await line.put(
        aio_pika.Message(
            sent.body.replace('"number":1', '"number":"A123456789"').encode(),
            message_id=str(sent.message_id),
            type=sent.name,
        )
    )
    with structlog.testing.capture_logs() as lines:
        async with running(line.consumer()):
            [letter] = await line.see_dead(1)
    assert "valid integer" in letter.reason
    assert "A123456789" not in letter.reason + str(lines)


async def test_an_event_without_a_handler_here_dies_with_the_reason(line: Line) -> None:
    await line.send(unheard())
    async with running(line.consumer()):
        [letter] = await line.see_dead(1)
    assert "no handler for 'test.unheard.v1'" in letter.reason


async def test_a_defect_in_a_handlers_statement_is_no_absent_database(line: Line) -> None:
    async def ask_wrongly(tx: Tx, events: list[NumberAnnounced]) -> None:
        await tx.execute("SELECT $1::int, $2::int", 1)

    await line.send(message(1))
    async with running(line.consumer(handlers={NumberAnnounced: ask_wrongly})):
        [letter] = await line.see_dead(1)
    assert "expects 2 arguments" in letter.reason


async def test_stopping_settles_all_that_was_fetched(line: Line) -> None:
    gate = Gate()
    reader = line.consumer(handlers={NumberAnnounced: gate})
    await line.send(*(message(number) for number in range(consumer.PREFETCH)))
    async with running(reader):
        await gate.reached.wait()

        async def are_fetched() -> bool:
            return await line.waiting() == 0

        await eventually(are_fetched)
        reader.stop()
        gate.opened.set()
    assert await line.effects() == dict.fromkeys(range(consumer.PREFETCH), 1)
    assert await line.waiting() == 0
    assert await line.dead() == []


async def test_a_killed_consumer_leaves_its_messages_to_the_next(line: Line) -> None:
    gate = Gate()
    await line.send(message(1), message(2))
    killed = asyncio.create_task(line.consumer(handlers={NumberAnnounced: gate}).run())
    await gate.reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    async with running(line.consumer()):
        await line.see(1, 2)
    assert await line.dead() == []


async def test_messages_wait_for_an_absent_database(line: Line, database_url: str) -> None:
    async with lay(database_url) as cable:
        pool = await db.create_pool(cable.url, application="test")
        async with running(line.consumer(pool=pool)):
            await line.send(message(1))
            await line.see(1)
            await cable.cut()
            await line.send(message(2), message(POISON), message(3))

            async def are_fetched() -> bool:
                return await line.waiting() == 0

            await eventually(are_fetched)
            assert await line.dead() == []
            await cable.mend()
            await line.see(1, 2, 3)
            await line.see_dead(1)
        pool.terminate()


async def test_a_database_lost_in_the_middle_of_handling_is_waited_for(
    line: Line, database_url: str
) -> None:
    gate = Gate()
    async with lay(database_url) as cable:
        pool = await db.create_pool(cable.url, application="test")
        async with running(line.consumer(pool=pool, handlers={NumberAnnounced: gate})):
            await line.send(message(1))
            await gate.reached.wait()
            await cable.cut()
            gate.opened.set()
            await cable.mend()
            await line.see(1)
        pool.terminate()
    assert await line.dead() == []


async def test_a_database_that_ends_in_the_middle_of_a_statement_is_waited_for(line: Line) -> None:
    async def handle_at_length(tx: Tx, events: list[NumberAnnounced]) -> None:
        if not times:
            times.append(1)
            await tx.execute("SELECT pg_sleep(60)")
        await on_number_announced(tx, events)

    async def is_terminated() -> bool:
        found = await line.pool.fetch(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)'
            """
        )
        return bool(found)

    times: list[int] = []
    await line.send(message(1))
    async with running(line.consumer(handlers={NumberAnnounced: handle_at_length})):
        await eventually(is_terminated)
        await line.see(1)
    assert await line.dead() == []


async def test_stopping_while_the_database_is_away_gives_the_messages_back(
    line: Line, database_url: str
) -> None:
    async with lay(database_url) as cable:
        pool = await db.create_pool(cable.url, application="test")
        await cable.cut()
        async with running(line.consumer(pool=pool)):
            await line.send(message(1), message(2))

            async def are_fetched() -> bool:
                return await line.waiting() == 0

            await eventually(are_fetched)
        pool.terminate()
    assert await line.waiting() == 2
    assert await line.dead() == []


async def test_the_consumer_comes_back_when_its_connection_was_cut(line: Line) -> None:
    async with lay(line.amqp_url) as cable, running(line.consumer(amqp_url=cable.url)):
        await line.send(message(1))
        await line.see(1)
        await cable.cut()
        await line.send(message(2))
        await cable.mend()
        await line.see(1, 2)


async def test_the_consumer_comes_back_when_its_queue_was_deleted(line: Line) -> None:
    async with running(line.consumer()):
        await line.send(message(1))
        await line.see(1)
        async with await bus.connect(line.amqp_url, name="test") as connection:
            await (await connection.channel()).queue_delete(line.service)

        async def is_declared() -> bool:
            try:
                await line.waiting()
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return False
            return True

        await eventually(is_declared)
        await line.send(message(2))
        await line.see(1, 2)


async def test_a_message_handled_before_the_connection_was_cut_takes_no_second_effect(
    line: Line,
) -> None:
    gate = Gate()
    async with lay(line.amqp_url) as cable:
        reader = line.consumer(amqp_url=cable.url, handlers={NumberAnnounced: gate})
        async with running(reader):
            await line.send(message(1))
            await gate.reached.wait()
            await cable.cut()  # it cannot be acknowledged any more
            gate.opened.set()
            await line.see(1)
            await cable.mend()
            await line.send(message(2))
            await line.see(1, 2)
    assert await line.waiting() == 0
