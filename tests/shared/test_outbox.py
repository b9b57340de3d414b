"""The outbox: an event leaves if and only if the transaction that makes it true commits."""

import asyncio
import json
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest

from shared import db, events, outbox
from shared.db import Pool, transaction
from shared.events import Event
from shared.outbox import Message


class SomethingHappened(Event):
    name: ClassVar[str] = "test.something_happened.v1"

    number: int
    text: str = ""


class SomethingElse(Event):
    name: ClassVar[str] = "test.something_else.v1"


class Broker:
    """Takes messages and answers as told."""

    def __init__(self, refuse: str | None = None) -> None:
        self.taken: list[Message] = []
        self.refuse = refuse

    async def __call__(self, messages: Sequence[Message]) -> list[str | None]:
        self.taken += messages
        return [self.refuse] * len(messages)

    @property
    def numbers(self) -> list[int]:
        return sorted(
            event.number
            for message in self.taken
            for event in events.decode(SomethingHappened, message.body)
        )


async def connect(url: str) -> db.Connection:
    return await db.connect(url, application="test")


async def test_publishing_outside_a_transaction_is_refused(pool: Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(RuntimeError, match="inside the transaction"):
            await outbox.publish(connection, [SomethingHappened(number=1)])
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_rolled_back_transaction_publishes_nothing(pool: Pool) -> None:
    async def publish_and_fail() -> None:
        async with transaction(pool) as tx:
            await outbox.publish(tx, [SomethingHappened(number=1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await publish_and_fail()
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_row_carries_up_to_a_hundred_events_of_one_kind(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(
            tx, [SomethingElse(), *(SomethingHappened(number=n) for n in range(250))]
        )
    rows = await pool.fetch("SELECT name, body FROM outbox ORDER BY id")
    sizes = sorted((row["name"], len(json.loads(row["body"]))) for row in rows)
    assert sizes == [
        (SomethingElse.name, 1),
        (SomethingHappened.name, 50),
        (SomethingHappened.name, 100),
        (SomethingHappened.name, 100),
    ]


async def test_big_events_make_small_rows(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(
            tx, [SomethingHappened(number=n, text="x" * 50_000) for n in range(20)]
        )
    largest = await pool.fetchval("SELECT max(octet_length(body)) FROM outbox")
    assert largest <= outbox.BYTES_PER_ROW


async def test_what_travels_is_a_cloudevents_batch(pool: Pool) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(tx, [SomethingHappened(number=7, text='"quoted"\n')])
    row = await pool.fetchrow("SELECT message_id, body FROM outbox")
    assert row is not None
    assert json.loads(row["body"]) == [
        {
            "specversion": "1.0",
            "id": f"{row['message_id']}.0",
            "source": "/test",
            "type": "test.something_happened.v1",
            "datacontenttype": "application/json",
            "data": {"number": 7, "text": '"quoted"\n'},
        }
    ]


async def test_a_confirmed_row_is_gone_and_a_refused_one_waits(
    pool: Pool, database_url: str
) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(tx, [SomethingHappened(number=1)])
    relay = await connect(database_url)
    refused = await outbox.relay_batch(relay, Broker(refuse="NO_ROUTE"))
    assert refused == outbox.Relayed(confirmed=0, failed=1)
    row = await pool.fetchrow("SELECT attempts, last_error, due_at > now() AS waits FROM outbox")
    assert row is not None
    assert dict(row) == {"attempts": 1, "last_error": "NO_ROUTE", "waits": True}

    assert await outbox.relay_batch(relay, Broker()) == outbox.Relayed(0, 0), "not yet due"
    await pool.execute("UPDATE outbox SET due_at = now()")
    assert await outbox.relay_batch(relay, Broker()) == outbox.Relayed(confirmed=1, failed=0)
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    await relay.close()


async def test_an_unknown_outcome_sends_the_same_messages_again(
    pool: Pool, database_url: str
) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(tx, [SomethingHappened(number=1)])
    relay = await connect(database_url)
    seen: list[UUID] = []

    async def lose_the_answer(messages: Sequence[Message]) -> list[str | None]:
        seen.extend(message.message_id for message in messages)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await outbox.relay_batch(relay, lose_the_answer)
    broker = Broker()
    await outbox.relay_batch(relay, broker)
    assert [message.message_id for message in broker.taken] == seen
    await relay.close()


async def test_relays_side_by_side_send_each_event_once(pool: Pool, database_url: str) -> None:
    async with transaction(pool) as tx:
        for number in range(1000):
            await outbox.publish(tx, [SomethingHappened(number=number)])
    broker = Broker()

    async def relay_all() -> int:
        connection = await connect(database_url)
        total = 0
        while await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
            total += (await outbox.relay_batch(connection, broker)).confirmed
        await connection.close()
        return total

    assert sum(await asyncio.gather(*(relay_all() for _ in range(4)))) == 1000
    assert broker.numbers == list(range(1000))


async def test_a_row_of_an_unfinished_transaction_is_neither_sent_nor_skipped(
    pool: Pool, database_url: str
) -> None:
    relay = await connect(database_url)
    slow = await asyncpg.connect(database_url)
    early = slow.transaction()
    await early.start()
    await outbox.publish(slow, [SomethingHappened(number=1)])
    async with transaction(pool) as tx:
        await outbox.publish(tx, [SomethingHappened(number=2)])
    broker = Broker()
    await outbox.relay_batch(relay, broker)
    assert broker.numbers == [2]
    await early.commit()
    await outbox.relay_batch(relay, broker)
    assert broker.numbers == [1, 2]
    await slow.close()
    await relay.close()


async def test_the_backlog_tells_how_much_and_how_old(pool: Pool) -> None:
    async with transaction(pool) as tx:
        assert await outbox.measure_backlog(tx) == outbox.Backlog(0, 0.0)
        await outbox.publish(tx, [SomethingHappened(number=1)])
        await tx.execute("UPDATE outbox SET recorded_at = now() - interval '90 seconds'")
        backlog = await outbox.measure_backlog(tx)
    assert backlog.rows == 1
    assert backlog.oldest_seconds == pytest.approx(90, abs=1)
