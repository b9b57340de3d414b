"""From the queue into tables, by one consumer; the yardstick reads and acknowledges plainly."""

import asyncio
import time
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

from shared import events, outbox
from shared.bus import Publisher
from shared.consumer import Consumer
from shared.db import Tx, transaction
from shared.outbox import Message
from shared.relay import Relay
from tests.bench import facts, ground, plain
from tests.bench.facts import RegistrationSubmitted
from tests.bench.ground import Ground
from tests.bench.report import Figure, Ratio, Report
from tests.eventually import eventually
from tests.servers import Servers

ROUNDS = 2
EVENTS_IN_FULL_MESSAGES = 60_000
EVENTS_IN_SINGLE_MESSAGES = 4_000
PLAIN_MESSAGES = 4_000
# A moderate rate: a transaction each, several of them a poll of the relay.
LATENCY_EVENTS = 1_000
LATENCY_PER_SECOND = 200


async def run(servers: Servers) -> Report:
    ways: dict[tuple[int, int], list[float]] = {way: [] for way in plain.WAYS_TO_CONSUME}
    full, single = [], []
    async with ground.prepare(servers) as place:
        for _ in range(ROUNDS):
            for way, found in ways.items():
                found.append(await _consume_plainly(place, *way))
            full.append(await _consume(place, EVENTS_IN_FULL_MESSAGES, outbox.EVENTS_PER_ROW))
            single.append(await _consume(place, EVENTS_IN_SINGLE_MESSAGES, 1))
        waits = await _measure_latency(place)
    # Consume-and-ack as every introduction has it; the other is what tuning makes of it.
    each = max(median(found) for way, found in ways.items() if way[1] == 1)
    yardstick = max(median(found) for found in ways.values())
    percentiles = quantiles(waits, n=100)
    return Report(
        "consume",
        "events from the queue into tables, one process",
        [
            *(
                Figure(
                    f"plain aio-pika, prefetch {prefetch}, "
                    f"{'ack each' if at_once == 1 else f'one ack for {at_once}'}",
                    median(found),
                    "events/s",
                )
                for (prefetch, at_once), found in ways.items()
            ),
            Figure("consumer, messages of 100 events", median(full), "events/s"),
            Figure("consumer, messages of one event", median(single), "events/s"),
            Figure("from commit to handled, median", percentiles[49] * 1000, "ms"),
            Figure("from commit to handled, 99 of 100", percentiles[98] * 1000, "ms"),
        ],
        [
            Ratio("consumer to plain consume-and-ack", median(full) / each, at_least=4),
            Ratio("consumer to plain with acknowledgements gathered", median(full) / yardstick),
            Ratio("consumer of single events to plain", median(single) / yardstick),
        ],
    )


async def _consume_plainly(place: Ground, prefetch: int, acknowledged_at_once: int) -> float:
    queue = f"{place.service}.plain"
    bodies = [events.encode(uuid4(), [event]).encode() for event in facts.make(PLAIN_MESSAGES)]
    try:
        await plain.publish(place.amqp_url, queue, bodies)
        return await plain.consume(
            place.amqp_url,
            queue,
            PLAIN_MESSAGES,
            prefetch=prefetch,
            acknowledged_at_once=acknowledged_at_once,
        )
    finally:
        await ground.remove_queues(place.amqp_url, queue)


async def _consume(place: Ground, count: int, events_per_message: int) -> float:
    """Fill the queue, then let the consumer empty it; return events a second."""
    made = facts.make(count)
    messages = []
    for start in range(0, count, events_per_message):
        message_id = uuid4()
        body = events.encode(message_id, made[start : start + events_per_message])
        messages.append(Message(message_id, RegistrationSubmitted.name, body, None))
    publisher = await Publisher.open(place.amqp_url, service=place.service)
    for start in range(0, len(messages), outbox.ROWS_PER_RELAY):
        await publisher.send(messages[start : start + outbox.ROWS_PER_RELAY])
    await publisher.close()
    total = len(messages)
    del made, messages  # a heap full of them would make the collector's rounds long
    await place.pool.execute("TRUNCATE inbox, handled")
    consumer = Consumer(
        service=place.service,
        pool=place.pool,
        amqp_url=place.amqp_url,
        handlers={RegistrationSubmitted: facts.on_registration_submitted},
    )
    started = time.perf_counter()
    running = asyncio.create_task(consumer.run())

    async def are_all_handled() -> bool:
        handled = await place.pool.fetchval("SELECT count(*) FROM inbox")
        return bool(handled == total)

    await eventually(are_all_handled, seconds=ground.LONGEST_SECONDS)
    consumer.stop()
    await running  # with the last acknowledgement
    seconds = time.perf_counter() - started
    assert await place.pool.fetchval("SELECT count(*) FROM handled") == count
    return count / seconds


class _TimedConsumer(Consumer):
    """Notes when the transaction that handled an event has committed."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(handlers={RegistrationSubmitted: self._take}, **arguments)
        self._taken: list[RegistrationSubmitted] = []
        self.handled_at: dict[UUID, float] = {}

    async def _take(self, tx: Tx, taken: list[RegistrationSubmitted]) -> None:
        await facts.on_registration_submitted(tx, taken)
        self._taken = taken

    async def _handle(self, *arguments: Any) -> Any:
        outcome = await super()._handle(*arguments)
        now = time.perf_counter()
        self.handled_at |= {event.registration_id: now for event in self._taken}
        return outcome


async def _measure_latency(place: Ground) -> list[float]:
    """Publish at a moderate rate through relay, broker and consumer; return seconds per event."""
    await place.pool.execute("TRUNCATE inbox, handled")
    consumer = _TimedConsumer(service=place.service, pool=place.pool, amqp_url=place.amqp_url)
    relay = Relay(service=place.service, database_url=place.database_url, amqp_url=place.amqp_url)
    running = [asyncio.create_task(part.run()) for part in (consumer, relay)]
    committed_at: dict[UUID, float] = {}
    began = time.perf_counter()
    for number, event in enumerate(facts.make(LATENCY_EVENTS)):
        await asyncio.sleep(began + number / LATENCY_PER_SECOND - time.perf_counter())
        async with transaction(place.pool) as tx:
            await outbox.publish(tx, [event])
        committed_at[event.registration_id] = time.perf_counter()

    async def are_all_handled() -> bool:
        return len(consumer.handled_at) == LATENCY_EVENTS

    await eventually(are_all_handled, seconds=ground.LONGEST_SECONDS)
    for part in (consumer, relay):
        part.stop()
    await asyncio.gather(*running)
    return [consumer.handled_at[key] - at for key, at in committed_at.items()]
