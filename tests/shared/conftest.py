"""A service that counts numbers, from the publishing end to the effects."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol
from uuid import UUID, uuid4

import aio_pika
import pytest

from shared import bus, dead_letters, events
from shared.consumer import Consumer
from shared.db import Pool
from shared.dead_letters import DeadLetter
from shared.events import Event
from shared.inbox import Handler
from shared.outbox import Message
from tests.effects import EFFECTS, NumberAnnounced, list_effects, on_number_announced
from tests.eventually import PATIENCE_SECONDS, eventually


class Runs(Protocol):
    """The relay and the consumer alike."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


@asynccontextmanager
async def running(part: Runs) -> AsyncIterator["asyncio.Task[None]"]:
    """Run it meanwhile; at the end stop it, and see that it ends."""
    task = asyncio.create_task(part.run())
    try:
        yield task
    finally:
        part.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


def message(*numbers: NumberAnnounced | int, message_id: UUID | None = None) -> Message:
    """One message with these events."""
    message_id = message_id or uuid4()
    batch = [n if isinstance(n, Event) else NumberAnnounced(number=n) for n in numbers]
    return Message(message_id, NumberAnnounced.name, events.encode(message_id, batch), None)


class Unheard(Event):
    """An event that nobody listens to."""

    name: ClassVar[str] = "test.unheard.v1"


def unheard() -> Message:
    message_id = uuid4()
    return Message(message_id, Unheard.name, events.encode(message_id, [Unheard()]), None)


@dataclass(frozen=True)
class Line:
    """The way of a message: a queue, the service that reads it, its database."""

    service: str
    amqp_url: str
    pool: Pool

    def consumer(
        self,
        *,
        pool: Pool | None = None,
        amqp_url: str | None = None,
        handlers: Mapping[type[Event], Handler] | None = None,
    ) -> Consumer:
        return Consumer(
            service=self.service,
            pool=pool or self.pool,
            amqp_url=amqp_url or self.amqp_url,
            handlers=handlers or {NumberAnnounced: on_number_announced},
        )

    async def send(self, *messages: Message) -> None:
        """Put messages on the queue."""
        await self.put(
            *(
                aio_pika.Message(
                    message.body.encode(), message_id=str(message.message_id), type=message.name
                )
                for message in messages
            )
        )

    async def put(self, *messages: aio_pika.Message) -> None:
        """Put messages on the queue, as strange as they may be."""
        async with await bus.connect(self.amqp_url, name="test") as connection:
            channel = await bus.open_channel(connection)
            for message in messages:
                await channel.default_exchange.publish(message, routing_key=self.service)

    async def effects(self) -> dict[int, int]:
        return await list_effects(self.pool)

    async def see(self, *numbers: int) -> None:
        """Wait until just these numbers took effect, once each."""

        async def are_seen() -> bool:
            return await self.effects() == dict.fromkeys(sorted(numbers), 1)

        await eventually(are_seen)

    async def dead(self) -> list[DeadLetter]:
        return await dead_letters.list_(self.amqp_url, self.service)

    async def see_dead(self, count: int) -> list[DeadLetter]:
        """Wait until so many letters are dead."""

        async def are_dead() -> bool:
            return len(await self.dead()) == count

        await eventually(are_dead)
        return await self.dead()

    async def exhaust_deliveries(self) -> None:
        """Take the next message and give it back until the broker has had enough of it."""
        async with await bus.connect(self.amqp_url, name="test") as connection:
            queue = await (await connection.channel()).get_queue(self.service)
            for _ in range(bus.DELIVERY_LIMIT + 1):
                got = await queue.get()
                assert got is not None
                await got.nack(requeue=True)

    async def waiting(self) -> int:
        """How many messages lie in the queue and are with nobody."""
        async with await bus.connect(self.amqp_url, name="test") as connection:
            queue = await (await connection.channel()).declare_queue(self.service, passive=True)
            return queue.declaration_result.message_count or 0


async def _lay_out(service: str, amqp_url: str, pool: Pool) -> Line:
    async with await bus.connect(amqp_url, name="test") as connection:
        channel = await bus.open_channel(connection)
        await bus.declare_topology(channel, service=service, names=[NumberAnnounced.name])
    return Line(service, amqp_url, pool)


@pytest.fixture
async def line(service_name: str, amqp_url: str, pool: Pool) -> Line:
    await pool.execute(EFFECTS)
    return await _lay_out(service_name, amqp_url, pool)


@pytest.fixture
async def other_line(line: Line) -> AsyncIterator[Line]:
    """A second service that listens to the same events."""
    other = await _lay_out(f"{line.service}_other", line.amqp_url, line.pool)
    yield other
    async with await bus.connect(line.amqp_url, name="test") as connection:
        channel = await connection.channel()
        await channel.queue_delete(other.service)
        await channel.queue_delete(bus.dead_queue_name(other.service))
