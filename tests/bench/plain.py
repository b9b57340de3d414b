"""The yardsticks: what plain aio-pika does with a durable quorum queue, one event per message."""

import asyncio
import time
from collections.abc import Iterator, Sequence

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

OUTSTANDING = 100
# Ways to read a queue: how many messages are held, and whether each is acknowledged by itself.
WAYS_TO_CONSUME = ((100, 1), (500, 1), (500, 50))


async def _open(
    amqp_url: str, queue: str
) -> tuple[aio_pika.abc.AbstractConnection, AbstractChannel]:
    connection = await aio_pika.connect(amqp_url)
    channel = await connection.channel(publisher_confirms=True)
    await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
    return connection, channel


def _message(body: bytes) -> aio_pika.Message:
    return aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)


async def publish_one_by_one(amqp_url: str, queue: str, bodies: Sequence[bytes]) -> float:
    """Publish, wait for the confirm, publish the next; return messages a second."""
    connection, channel = await _open(amqp_url, queue)
    async with connection:
        started = time.perf_counter()
        for body in bodies:
            await channel.default_exchange.publish(_message(body), routing_key=queue)
        return len(bodies) / (time.perf_counter() - started)


async def publish(amqp_url: str, queue: str, bodies: Sequence[bytes]) -> float:
    """Publish with OUTSTANDING confirms awaited at any time; return messages a second."""
    connection, channel = await _open(amqp_url, queue)
    async with connection:
        waiting = iter(bodies)
        started = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(OUTSTANDING):
                tasks.create_task(_publish_all(channel.default_exchange, queue, waiting))
        return len(bodies) / (time.perf_counter() - started)


async def _publish_all(exchange: AbstractExchange, queue: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        await exchange.publish(_message(body), routing_key=queue)


async def consume(
    amqp_url: str, queue: str, count: int, *, prefetch: int, acknowledged_at_once: int
) -> float:
    """Read and acknowledge; return messages a second."""
    connection, channel = await _open(amqp_url, queue)
    async with connection:
        await channel.set_qos(prefetch_count=prefetch)
        seen, done = 0, asyncio.Event()

        async def take(message: AbstractIncomingMessage) -> None:
            nonlocal seen
            seen += 1
            if seen % acknowledged_at_once == 0 or seen == count:
                await message.ack(multiple=acknowledged_at_once > 1)
            if seen == count:
                done.set()

        started = time.perf_counter()
        await (await channel.get_queue(queue)).consume(take)
        async with asyncio.timeout(60):
            await done.wait()
        return count / (time.perf_counter() - started)
