"""The relay: it carries what was published, and comes back by itself when it was cut off."""

from collections.abc import AsyncIterator

import pytest
import structlog.testing

from shared import outbox
from shared.db import transaction
from shared.relay import POLL_SECONDS, Relay
from tests.cable import Cable, lay
from tests.effects import NumberAnnounced
from tests.eventually import eventually
from tests.shared.conftest import Line, running


@pytest.fixture
async def broker(line: Line) -> AsyncIterator[Cable]:
    async with lay(line.amqp_url) as cable:
        yield cable


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Cable]:
    async with lay(database_url) as cable:
        yield cable


@pytest.fixture
def relay(line: Line, broker: Cable, database: Cable) -> Relay:
    return Relay(service=line.service, database_url=database.url, amqp_url=broker.url)


async def publish(line: Line, *numbers: int) -> None:
    async with transaction(line.pool) as tx:
        await outbox.publish(tx, [NumberAnnounced(number=number) for number in numbers])


async def see_arrived(line: Line, messages: int) -> None:
    async def have_arrived() -> bool:
        return await line.waiting() >= messages

    await eventually(have_arrived)


async def test_what_was_published_arrives(line: Line, relay: Relay) -> None:
    async with running(relay):
        await publish(line, 1)
        await publish(line, 2, 3)
        await see_arrived(line, 2)
    assert await line.pool.fetchval("SELECT count(*) FROM outbox") == 0
    assert await line.waiting() == 2


@pytest.mark.parametrize("broken", ["broker", "database"])
async def test_the_relay_comes_back_when_a_connection_was_cut(
    line: Line, relay: Relay, broken: str, request: pytest.FixtureRequest
) -> None:
    cable: Cable = request.getfixturevalue(broken)
    with structlog.testing.capture_logs() as lines:
        async with running(relay):
            await publish(line, 1)
            await see_arrived(line, 1)
            await cable.cut()
            await publish(line, 2)

            async def was_noticed() -> bool:
                return any(entry["event"] == "relay interrupted" for entry in lines)

            await eventually(was_noticed)
            await cable.mend()
            await see_arrived(line, 2)


async def test_each_interruption_is_followed_by_a_short_pause_first(
    line: Line, relay: Relay, broker: Cable
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with running(relay):
            for time in range(1, 4):
                await publish(line, time)
                await see_arrived(line, time)
                before = len(lines)
                await broker.cut()

                async def was_noticed(before: int = before) -> bool:
                    return len(lines) > before

                await publish(line, 100 + time)
                await eventually(was_noticed)
                assert lines[before]["again_in_seconds"] == POLL_SECONDS
                await line.pool.execute("TRUNCATE outbox")
                await broker.mend()


async def test_what_was_published_last_still_leaves(line: Line, relay: Relay) -> None:
    async with running(relay):
        await publish(line, 1)
        await see_arrived(line, 1)
        await publish(line, 2)  # and stop at once
    assert await line.waiting() == 2


async def test_the_relay_ends_when_asked_though_the_broker_is_away(
    line: Line, relay: Relay, broker: Cable
) -> None:
    await broker.cut()
    await publish(line, 1)
    with structlog.testing.capture_logs() as lines:
        async with running(relay):

            async def was_noticed() -> bool:
                return bool(lines)

            await eventually(was_noticed)
    assert await line.pool.fetchval("SELECT count(*) FROM outbox") == 1
