"""A worker has connections for all its jobs, and reports what was given up over a lasting one."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aio_pika.abc import AbstractConnection

from shared import bus, worker
from shared.db import Pool, transaction
from shared.jobs import Job
from shared.metrics import DEAD_LETTERS
from shared.settings import ServiceSettings
from shared.worker import Worker
from tests.eventually import eventually
from tests.shared.conftest import Line, message


def settings_of(line: Line, database_url: str) -> ServiceSettings:
    return ServiceSettings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": line.amqp_url,
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
        }
    )


async def test_dead_letters_are_counted_over_one_connection_and_the_next_when_it_breaks(
    line: Line, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(line, database_url)
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


async def test_all_jobs_may_be_at_work_at_once(line: Line, database_url: str) -> None:
    """Each holds a connection for its lock while its work takes another."""
    settings = settings_of(line, database_url)
    at_work, enough = set[str](), asyncio.Event()

    def job(name: str) -> Job:
        async def work(pool: Pool, now: datetime) -> int:
            async with transaction(pool):
                at_work.add(name)
                await enough.wait()
            return 0

        return Job(name, timedelta(hours=1), work)

    jobs = [job(f"job {number}") for number in range(8)]
    made = Worker(line.service, settings, folder=Path(), handlers={}, jobs=jobs)
    running = asyncio.create_task(made.run())
    try:
        await eventually(lambda: len(at_work) == len(jobs))
    finally:
        enough.set()
        made.stop()
        await running
