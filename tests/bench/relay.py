"""From the outbox to confirmed in the broker, by one relay; the yardstick publishes plainly."""

import asyncio
import time
from statistics import median
from uuid import uuid4

from shared import events, outbox
from shared.db import transaction
from shared.relay import Relay
from tests.bench import facts, ground, plain
from tests.bench.ground import Ground
from tests.bench.report import Figure, Ratio, Report
from tests.eventually import eventually
from tests.servers import Servers

ROUNDS = 3
EVENTS_IN_FULL_ROWS = 100_000
EVENTS_IN_SINGLE_ROWS = 5_000
PLAIN_MESSAGES = 5_000
PLAIN_ONE_BY_ONE = 500


async def run(servers: Servers) -> Report:
    many, one_by_one, full, single = [], [], [], []
    async with ground.prepare(servers) as place:
        for _ in range(ROUNDS):
            bodies = [
                events.encode(uuid4(), [event]).encode() for event in facts.make(PLAIN_MESSAGES)
            ]
            queue = f"{place.service}.plain"
            try:
                many.append(await plain.publish(place.amqp_url, queue, bodies))
                one_by_one.append(
                    await plain.publish_one_by_one(place.amqp_url, queue, bodies[:PLAIN_ONE_BY_ONE])
                )
            finally:
                await ground.remove_queues(place.amqp_url, queue)
            full.append(await _relay(place, EVENTS_IN_FULL_ROWS, outbox.EVENTS_PER_ROW))
            single.append(await _relay(place, EVENTS_IN_SINGLE_ROWS, 1))
    yardstick = max(median(many), median(one_by_one))
    return Report(
        "relay",
        "events from the outbox to confirmed in the broker, one process",
        [
            Figure("size of an event on the wire", len(bodies[0]), "bytes"),
            Figure(
                f"plain aio-pika, {plain.OUTSTANDING} outstanding confirms",
                median(many),
                "events/s",
            ),
            Figure("plain aio-pika, one by one", median(one_by_one), "events/s"),
            Figure("relay, rows of 100 events", median(full), "events/s"),
            Figure("relay, rows of one event", median(single), "events/s"),
        ],
        [
            Ratio("relay to plain", median(full) / yardstick, at_least=4),
            Ratio("relay of single events to plain", median(single) / yardstick),
        ],
    )


async def _relay(place: Ground, count: int, events_per_row: int) -> float:
    """Fill the outbox, then let the relay empty it; return events a second."""
    made = facts.make(count)
    async with transaction(place.pool) as tx:
        for start in range(0, count, events_per_row):
            await outbox.publish(tx, made[start : start + events_per_row])
    del made  # a heap full of them would make the collector's rounds long
    await place.pool.execute("VACUUM ANALYZE outbox")
    relay = Relay(service=place.service, database_url=place.database_url, amqp_url=place.amqp_url)
    started = time.perf_counter()
    running = asyncio.create_task(relay.run())

    async def is_empty() -> bool:
        return not await place.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")

    await eventually(is_empty, seconds=ground.LONGEST_SECONDS)
    seconds = time.perf_counter() - started
    relay.stop()
    await running
    # What was sent is of no use to the next round, and would make the broker slower.
    await ground.remove_queues(place.amqp_url, place.service)
    await ground.declare(place.amqp_url, place.service)
    return count / seconds
