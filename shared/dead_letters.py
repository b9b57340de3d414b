"""Dead letters: what a service could not handle, looked at and replayed by an operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared import bus
from shared.consumer import REASON

# More than anyone reads; what is beyond is still in the queue.
SHOWN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, why, and by which service."""

    message_id: str
    name: str
    service: str
    reason: str
    body: str


@asynccontextmanager
async def open_(amqp_url: str, service: str) -> AsyncIterator[AbstractChannel]:
    connection = await bus.connect(amqp_url, name=f"{service} dead letters")
    try:
        yield await bus.open_channel(connection)
    finally:
        # What was read and not acknowledged goes back to the queue.
        await bus.close_quietly(connection)


def _read(service: str, message: AbstractIncomingMessage) -> DeadLetter:
    headers = message.headers
    # The broker itself buries a message whose readers keep dying; then it alone knows why.
    reason = headers.get(REASON) or headers.get("x-first-death-reason") or "unknown"
    return DeadLetter(
        message_id=message.message_id or "",
        name=message.type or "",
        service=service,
        reason=str(reason),
        body=message.body.decode(errors="replace"),
    )


async def _take(
    channel: AbstractChannel, service: str, *, at_most: int
) -> AsyncIterator[AbstractIncomingMessage]:
    queue = await channel.get_queue(bus.dead_queue_name(service))
    for _ in range(at_most):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield message


async def list_(amqp_url: str, service: str) -> list[DeadLetter]:
    async with open_(amqp_url, service) as channel:
        letters = _take(channel, service, at_most=SHOWN_AT_ONCE)
        return [_read(service, letter) async for letter in letters]


async def replay(amqp_url: str, service: str, message_ids: set[str] | None = None) -> int:
    """Give letters (all, or the named ones) back to the queue they died in; return how many."""
    replayed = 0
    async with open_(amqp_url, service) as channel:
        # Those that are here now: what dies again meanwhile is for another time.
        here = await count(channel, service)
        async for message in _take(channel, service, at_most=here):
            if message_ids is not None and message.message_id not in message_ids:
                continue
            headers = {
                name: value for name, value in message.headers.items() if not name.startswith("x-")
            }
            # To the one queue, not to the exchange: the other services had theirs.
            await channel.default_exchange.publish(
                aio_pika.Message(
                    message.body,
                    content_type=message.content_type,
                    message_id=message.message_id,
                    type=message.type,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    headers=headers,
                ),
                routing_key=service,
                mandatory=True,
            )
            await message.ack()
            replayed += 1
    return replayed


async def count(channel: AbstractChannel, service: str) -> int:
    queue = await channel.declare_queue(bus.dead_queue_name(service), passive=True)
    return queue.declaration_result.message_count or 0
