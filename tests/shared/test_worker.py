"""A worker reports what was given up, over one connection for as long as it holds."""

import asyncio
from pathlib import Path

import pytest
from aio_pika.abc import AbstractConnection

from shared import bus, worker
from shared.metrics import DEAD_LETTERS
from shared.settings import ServiceSettings
from shared.worker import Worker
from tests.eventually import eventually
from tests.shared.conftest import Line, message


async def test_dead_letters_are_counted_over_one_connection_and_the_next_when_it_breaks(
    line: Line, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServiceSettings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": line.amqp_url,
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
        }
    )
    opened: list[AbstractConnection] = []
    connect = bus.connect

    async def connect_and_tell(url: str, *, name: str) -> AbstractConnection:
        connection = await connect(url, name=name)
        if name == f"{line.service} dead letters":
            opened.append(connection)
        return connection

    async def bury(*numbers: int) -> None:
        await line.send(*(message(number) for number in numbers))
        await line.exhaust_deliveries()

    def reported() -> float:
        return float(DEAD_LETTERS.labels(line.service)._value.get())

    monkeypatch.setattr(bus, "connect", connect_and_tell)
    monkeypatch.setattr(worker, "MEASURE_SECONDS", 0.01)
    await bury(1)
    made = Worker(line.service, settings, folder=Path(), handlers={})
    measuring = asyncio.create_task(made._measure_dead_letters())
    await eventually(lambda: reported() == 1)
    await bury(2)
    await eventually(lambda: reported() == 2)
    assert len(opened) == 1
    await opened[0].close()
    DEAD_LETTERS.labels(line.service).set(0)
    await eventually(lambda: reported() == 2)
    assert len(opened) == 2
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
    assert all(connection.is_closed for connection in opened)
