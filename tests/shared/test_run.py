"""A service's process: how it begins, how it ends, what its commands answer."""

import asyncio
import os
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from deploy.one_machine.ports import any_free
from shared import db, dead_letters, outbox
from shared.db import transaction
from shared.dead_letters import DeadLetter
from shared.events.audit import LogSealed
from shared.run import _dead_letters
from shared.settings import EX_CONFIG
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
GRACE_SECONDS = 20


@dataclass
class Running:
    """A process of a service, and where it answers."""

    process: asyncio.subprocess.Process
    url: str

    async def answer(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def until_ready(self) -> None:
        async with asyncio.timeout(30):
            while self.process.returncode is None:
                try:
                    if (await self.answer("/readyz"))[0] == 200:
                        return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"ended with {self.process.returncode}")

    async def end(self) -> int:
        """Ask it to end, as an orchestrator does; past the grace it would be killed."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE_SECONDS):
            return await self.process.wait()


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def environment(make_database: MakeDatabase, amqp_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NOTIFY_CHANNEL": "mailbox",
        "NOTIFY_DATABASE_URL": await make_database("notify"),
        "EXAMHALL_AMQP_URL": amqp_url,
        "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
    }


@pytest.fixture
async def start(environment: dict[str, str]) -> AsyncIterator[Start]:
    started: list[asyncio.subprocess.Process] = []

    async def start(*words: str, **more: str) -> Running:
        port = str(any_free())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.notify.app", *words),
            cwd=ROOT,
            env={**environment, "EXAMHALL_PORT": port, **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return Running(process, f"http://127.0.0.1:{port}")

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_a_role_starts_answers_its_probes_and_ends_in_time(role: str, start: Start) -> None:
    running = await start(role)
    await running.until_ready()
    assert await running.answer("/healthz") == (200, "alive\n")
    assert "examhall_" in (await running.answer("/metrics"))[1]
    assert await running.end() == 0


async def test_a_missing_broker_leaves_the_service_ready(start: Start) -> None:
    for role in ("web", "worker"):
        running = await start(role, EXAMHALL_AMQP_URL="amqp://nobody@127.0.0.1:1/")
        await running.until_ready()
        assert await running.end() == 0


async def test_a_missing_database_leaves_the_service_alive_but_not_ready(start: Start) -> None:
    for role in ("web", "worker"):
        away = "postgresql://nobody@127.0.0.1:1/none"
        running = await start(role, NOTIFY_DATABASE_URL=away)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert (await running.answer("/healthz"))[0] == 200
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        assert (await running.answer("/readyz"))[0] == 503
        if role == "web":
            assert (await running.answer("/notify/"))[0] == 200, "a page that needs no database"
        assert await running.end() == 0


async def test_a_request_under_way_is_answered_before_the_process_ends(start: Start) -> None:
    running = await start("web", EXAMHALL_DRAIN_SECONDS="1")
    await running.until_ready()
    running.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        while (await running.answer("/readyz"))[0] == 200:
            await asyncio.sleep(0.01)
    assert (await running.answer("/notify/"))[0] == 200, "the gateway may not have noticed yet"
    async with asyncio.timeout(GRACE_SECONDS):
        assert await running.process.wait() == 0


async def test_what_the_outbox_holds_leaves_while_a_worker_runs(
    start: Start, environment: dict[str, str]
) -> None:
    running = await start("worker")
    await running.until_ready()
    pool = await db.create_pool(environment["NOTIFY_DATABASE_URL"], application="test")
    async with transaction(pool) as tx:
        await outbox.publish(tx, [LogSealed(service="somebody", position=7, digest="00" * 32)])
    async with asyncio.timeout(20):
        while not await pool.fetchval("SELECT position = 7 FROM audit_witness"):
            await asyncio.sleep(0.05)
    assert await running.end() == 0
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
    await pool.close()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "usage:"),
        (("dance",), 2, "usage:"),
        (("dead-letters",), 2, "usage:"),
        (("dead-letters", "replay"), 2, "usage:"),
        (("dead-letters", "show", "nothing"), 1, "no dead letter nothing"),
        (("dead-letters", "list"), 0, ""),
    ],
)
async def test_a_command_answers_by_its_exit_code(
    words: tuple[str, ...], code: int, said: str, start: Start
) -> None:
    await (await start("migrate")).process.communicate()
    running = await start(*words)
    _, error = await running.process.communicate()
    assert running.process.returncode == code
    assert said in error.decode()


async def test_a_dead_letter_is_one_line_in_the_list_and_shown_even_if_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def list_(amqp_url: str, service: str) -> list[DeadLetter]:
        return [
            DeadLetter("1", "a.b_c.v1", service, "2 errors:\n  one\n  two", "[]x"),
            DeadLetter("2", "a.b_c.v1", service, "boom", '[{"a":"王"}]'),
        ]

    monkeypatch.setattr(dead_letters, "list_", list_)
    assert await _dead_letters("notify", "", Namespace(action="list")) == 0
    assert capsys.readouterr().out.splitlines() == [
        "notify  1  a.b_c.v1  2 errors: one two",
        "notify  2  a.b_c.v1  boom",
    ]
    assert await _dead_letters("notify", "", Namespace(action="show", message_id="1")) == 0
    assert capsys.readouterr().out.endswith("two\n[]x\n")
    assert await _dead_letters("notify", "", Namespace(action="show", message_id="2")) == 0
    assert '    "a": "王"\n' in capsys.readouterr().out


async def test_a_process_without_its_settings_says_which(start: Start) -> None:
    running = await start("web", NOTIFY_DATABASE_URL="nonsense")
    _, error = await running.process.communicate()
    assert running.process.returncode == EX_CONFIG
    assert error.decode().startswith("setting NOTIFY_DATABASE_URL: ")


async def test_migrating_twice_is_harmless(start: Start) -> None:
    for _ in range(2):
        running = await start("migrate")
        await running.process.communicate()
        assert running.process.returncode == 0
