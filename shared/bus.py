"""RabbitMQ: the one topology, valid on 3.10 and 4.x, and the way messages are put on it."""

import asyncio
from collections.abc import Sequence

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractQueue
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError

from shared.events import CONTENT_TYPE
from shared.outbox import Message

EVENTS = "examhall.events"  # topic exchange; the routing key is the event's name
DEAD = "examhall.dead"  # direct exchange; the routing key is the service whose queue gave up

CONNECT_SECONDS = 10
HEARTBEAT_SECONDS = 15
# A confirm that takes longer has an unknown outcome: the messages are sent again.
CONFIRM_SECONDS = 20
# Deliveries that ended in a lost connection, so a message that kills its reader stops doing so.
DELIVERY_LIMIT = 20
# Looking at a dead letter counts as a delivery; it must never be lost by being looked at.
DEAD_DELIVERY_LIMIT = 1_000_000

# What a broken or absent broker looks like from here.
BROKER_ERRORS = (AMQPError, ChannelInvalidStateError, OSError)  # TimeoutError is an OSError


async def connect(url: str, *, name: str) -> AbstractConnection:
    """Open a plain connection. Whoever opens it reopens it: a "robust" one hides lost messages."""
    # aio-pika's own timeout does not cover every step of the handshake.
    async with asyncio.timeout(CONNECT_SECONDS):
        return await aio_pika.connect(
            url, heartbeat=HEARTBEAT_SECONDS, client_properties={"connection_name": name}
        )


async def open_channel(connection: AbstractConnection) -> AbstractChannel:
    """Open a channel on which every publication is confirmed, and a returned one is an error."""
    async with asyncio.timeout(CONNECT_SECONDS):
        return await connection.channel(publisher_confirms=True, on_return_raises=True)


def dead_queue_name(service: str) -> str:
    return f"{service}.dead"


async def declare_exchanges(channel: AbstractChannel) -> tuple[AbstractExchange, AbstractExchange]:
    events = await channel.declare_exchange(EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
    dead = await channel.declare_exchange(DEAD, aio_pika.ExchangeType.DIRECT, durable=True)
    return events, dead


async def declare_topology(
    channel: AbstractChannel, *, service: str, names: Sequence[str]
) -> AbstractQueue:
    """Declare a service's queue, its dead-letter queue and the events it listens to.

    The only place that declares queues: declaring one again with other arguments is an error that
    closes the channel for good.
    """
    events, dead = await declare_exchanges(channel)
    dead_queue = await channel.declare_queue(
        dead_queue_name(service),
        durable=True,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT},
    )
    await dead_queue.bind(dead, routing_key=service)
    queue = await channel.declare_queue(
        service,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": service,
            # At-least-once dead-lettering works only on a queue that refuses rather than drops.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    for name in names:
        await queue.bind(events, routing_key=name)
    return queue


class Publisher:
    """A connection on which batches of messages are sent and confirmed."""

    def __init__(self, connection: AbstractConnection, events: AbstractExchange) -> None:
        self._connection = connection
        self._events = events

    @classmethod
    async def open(cls, url: str, *, service: str) -> "Publisher":
        connection = await connect(url, name=f"{service} relay")
        try:
            channel = await open_channel(connection)
            async with asyncio.timeout(CONNECT_SECONDS):
                events, _ = await declare_exchanges(channel)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, events)

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Send all, wait for all confirms; per message None, or why the broker would not take it.

        Any other error means that the outcome is unknown.
        """
        async with asyncio.timeout(CONFIRM_SECONDS):
            return await asyncio.gather(*(self._send_one(message) for message in messages))

    async def _send_one(self, message: Message) -> str | None:
        try:
            await self._events.publish(
                aio_pika.Message(
                    message.body.encode(),
                    content_type=CONTENT_TYPE,
                    message_id=str(message.message_id),
                    type=message.name,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    headers={"traceparent": message.trace} if message.trace else None,
                ),
                routing_key=message.name,
                mandatory=True,
            )
        except DeliveryError as error:
            return f"{type(error).__name__}: {error}"
        return None

    async def close(self) -> None:
        await close_quietly(self._connection)


async def close_quietly(connection: AbstractConnection) -> None:
    """Close a connection that may be broken already; what was unconfirmed stays unconfirmed."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.close()
    except BROKER_ERRORS:
        pass
