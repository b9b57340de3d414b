"""The bus: what the broker does not take comes back, and a broker that is gone is noticed."""

from collections.abc import AsyncIterator

import pytest

from shared import bus, outbox
from shared.bus import Publisher
from shared.db import Pool, connect, transaction
from tests.cable import lay
from tests.effects import NumberAnnounced
from tests.shared.conftest import Line, Unheard, message, unheard


@pytest.fixture
async def publisher(line: Line) -> AsyncIterator[Publisher]:
    publisher = await Publisher.open(line.amqp_url, service=line.service)
    yield publisher
    await publisher.close()


async def test_a_message_nobody_listens_to_comes_back(publisher: Publisher) -> None:
    heard, returned = await publisher.send([message(1), unheard()])
    assert heard is None
    assert returned is not None
    assert "NO_ROUTE" in returned


async def test_a_returned_message_stays_in_the_outbox_with_the_reason(
    line: Line, publisher: Publisher, database_url: str
) -> None:
    async with transaction(line.pool) as tx:
        await outbox.publish(tx, [NumberAnnounced(number=1), Unheard()])
    connection = await connect(database_url, application="test")
    relayed = await outbox.relay_batch(connection, publisher.send)
    await connection.close()
    assert relayed == outbox.Relayed(confirmed=1, failed=1)
    rows = await line.pool.fetch("SELECT name, attempts, last_error FROM outbox")
    assert [(row["name"], row["attempts"]) for row in rows] == [(Unheard.name, 1)]
    assert "NO_ROUTE" in rows[0]["last_error"]
    assert await line.waiting() == 1


async def test_a_message_a_full_queue_refuses_comes_back(line: Line) -> None:
    async with await bus.connect(line.amqp_url, name="test") as connection:
        channel = await bus.open_channel(connection)
        full = await channel.declare_queue(
            arguments={"x-max-length": 1, "x-overflow": "reject-publish"}, exclusive=True
        )
        events, _ = await bus.declare_exchanges(channel)
        await full.bind(events, routing_key=Unheard.name)
        outcomes = await Publisher(connection, events).send([unheard() for _ in range(5)])
    assert outcomes[0] is None
    assert outcomes[-1] is not None


async def test_a_message_says_what_it_is(line: Line, publisher: Publisher) -> None:
    sent = message(1, 2)
    await publisher.send([sent])
    async with await bus.connect(line.amqp_url, name="test") as connection:
        channel = await bus.open_channel(connection)
        got = await (await channel.get_queue(line.service)).get()
        assert got is not None
        assert (got.message_id, got.type) == (str(sent.message_id), NumberAnnounced.name)
        assert (got.routing_key, got.exchange) == (NumberAnnounced.name, bus.EVENTS)
        assert got.content_type == "application/cloudevents-batch+json"
        assert got.delivery_mode == 2, "survives a restart of the broker"
        assert got.body == sent.body.encode()


async def test_old_and_new_code_may_declare_the_topology_in_turn(
    line: Line, publisher: Publisher
) -> None:
    async with await bus.connect(line.amqp_url, name="test") as connection:
        for names in ([NumberAnnounced.name], [NumberAnnounced.name, Unheard.name], []):
            channel = await bus.open_channel(connection)
            await bus.declare_topology(channel, service=line.service, names=names)
    assert await publisher.send([message(1), unheard()]) == [None, None]
    assert await line.waiting() == 2


async def test_publishing_fails_when_the_broker_is_gone(line: Line) -> None:
    async with lay(line.amqp_url) as cable:
        publisher = await Publisher.open(cable.url, service=line.service)
        await cable.cut()
        with pytest.raises(bus.BROKER_ERRORS):
            await publisher.send([message(1)])
        await publisher.close()


async def test_publishing_to_a_broker_that_hangs_is_given_up(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lay(line.amqp_url) as cable:
        publisher = await Publisher.open(cable.url, service=line.service)
        cable.hold()
        for bound in ("CONFIRM_SECONDS", "CONNECT_SECONDS"):
            monkeypatch.setattr(bus, bound, 0.2)
        with pytest.raises(TimeoutError):
            await publisher.send([message(1)])
        await publisher.close()


async def test_a_broker_that_hangs_is_not_waited_for(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "CONNECT_SECONDS", 0.2)
    async with lay(line.amqp_url) as cable:
        cable.hold()
        with pytest.raises(TimeoutError):
            await bus.connect(cable.url, name="test")


async def test_an_outbox_keeps_what_a_broken_broker_may_have_got(
    line: Line, database_url: str, pool: Pool
) -> None:
    async with transaction(pool) as tx:
        await outbox.publish(tx, [NumberAnnounced(number=1)])
    connection = await connect(database_url, application="test")
    async with lay(line.amqp_url) as cable:
        publisher = await Publisher.open(cable.url, service=line.service)
        await cable.cut()
        with pytest.raises(bus.BROKER_ERRORS):
            await outbox.relay_batch(connection, publisher.send)
        await publisher.close()
    await connection.close()
    assert await pool.fetchval("SELECT attempts FROM outbox") == 0
