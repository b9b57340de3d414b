"""One process of a chaos run: the publisher, a relay or a consumer."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import Sequence
from typing import Protocol
from unittest import mock

import structlog
import uvloop
from aio_pika.abc import AbstractIncomingMessage

from shared import bus, db, outbox
from shared.consumer import Consumer
from shared.inbox import Handled
from shared.outbox import Message
from shared.relay import Relay
from tests.effects import NumberAnnounced, on_number_announced

SERVICE = "chaos"
PUBLISHED = """
CREATE TABLE published (
    number    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    is_poison boolean NOT NULL  -- in a message that cannot be handled before the repair
)
"""
# Mostly single events, now and then a crowd that fills several rows.
SIZES, WEIGHTS = (1, 3, 20, 250), (60, 25, 12, 3)
SECONDS_BETWEEN = 0.003
ROLLED_BACK = 0.05
LONGEST_DAWDLE = 0.1


class Part(Protocol):
    """What a process runs until it is told to stop."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


class _RolledBack(Exception):
    """The transaction is given up after it published."""


async def publish(tx: db.Tx, *, count: int, is_poison: bool = False) -> None:
    """Note numbers as published, and publish them, in one transaction."""
    rows = await tx.fetch(
        "INSERT INTO published (is_poison) SELECT $1 FROM generate_series(1, $2) RETURNING number",
        is_poison,
        count,
    )
    # One poisonous event is enough to spoil the message for the others in it.
    events = [
        NumberAnnounced(number=row["number"], is_poison=is_poison and row is rows[-1])
        for row in rows
    ]
    await outbox.publish(tx, events)


class Publisher:
    """Publishes a steady stream of numbers; what committed is the truth."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._is_stopping = False

    def stop(self) -> None:
        self._is_stopping = True

    async def run(self) -> None:
        pool = await db.create_pool(self._database_url, application="publisher", size=1)
        while not self._is_stopping:
            try:
                with contextlib.suppress(_RolledBack):
                    await self._publish_some(pool)
            except Exception as error:
                if not db.is_unavailable(error):
                    raise
            await asyncio.sleep(SECONDS_BETWEEN)
        pool.terminate()

    @staticmethod
    async def _publish_some(pool: db.Pool) -> None:
        async with db.transaction(pool) as tx:
            await publish(tx, count=random.choices(SIZES, WEIGHTS)[0])
            if random.random() < ROLLED_BACK:
                raise _RolledBack


async def _dawdle() -> None:
    """Stretch an instant at which a process must not die, as a slow disk does."""
    await asyncio.sleep(random.uniform(0, LONGEST_DAWDLE))


class _SlowBus(bus.Publisher):
    """Dawdles between the broker's confirm and the relay's commit."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        outcomes = await super().send(messages)
        await _dawdle()
        return outcomes


class _SlowConsumer(Consumer):
    """Dawdles between the commit of the effects and the acknowledgement."""

    async def _handle(self, name: str, messages: Sequence[AbstractIncomingMessage]) -> Handled:
        handled = await super()._handle(name, messages)
        await _dawdle()
        return handled


class _Reader:
    """A consumer with its pool."""

    def __init__(self, database_url: str, amqp_url: str) -> None:
        self._database_url = database_url
        self._amqp_url = amqp_url
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        pool = await db.create_pool(self._database_url, application="consumer")
        consumer = _SlowConsumer(
            service=SERVICE,
            pool=pool,
            amqp_url=self._amqp_url,
            handlers={NumberAnnounced: on_number_announced},
        )
        running = asyncio.create_task(consumer.run())
        await self._stopping.wait()
        consumer.stop()
        await running
        pool.terminate()


def _make(role: str) -> Part:
    publishing, handling, amqp_url = (
        os.environ[f"CHAOS_{name}"] for name in ("PUBLISHING", "HANDLING", "AMQP")
    )
    match role:
        case "publisher":
            return Publisher(publishing)
        case "relay":
            mock.patch("shared.relay.Publisher", _SlowBus).start()
            return Relay(service=SERVICE, database_url=publishing, amqp_url=amqp_url)
        case "consumer":
            return _Reader(handling, amqp_url)
    raise ValueError(role)


async def _run(role: str) -> None:
    part = _make(role)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, part.stop)
    await part.run()


def main() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
    )
    for chatty in ("aiormq", "aio_pika"):  # they tell of every broken connection, at length
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    uvloop.run(_run(sys.argv[1]))


if __name__ == "__main__":
    main()
