"""A whole site as one machine runs it, and visitors with real browsers."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from deploy.all_in_one import ENTRIES
from deploy.one_machine.ports import any_free
from services.identity import accounts
from services.identity.passwords import Passwords
from shared import bus, db
from shared.auth import Role
from tests.browsers import open_browser
from tests.eventually import eventually
from tests.journeys.devices import Devices
from tests.journeys.visitor import Visitor
from tests.sandbox import CREDENTIALS
from tests.servers import Servers
from tests.site import SECRET

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys run in one event loop, for they share a browser, which lives in it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="package"), append=False)


@dataclass(frozen=True)
class Place:
    """Where the site is, and who may sign in there."""

    url: str
    people: dict[str, dict[str, str]]
    environment: dict[str, str]

    async def add_staff(self, role: str) -> tuple[str, str]:
        """Open a staff account; return its address and password."""
        return await self._open_account("周書豪", role)

    def add_staff_by_command(self, role: str) -> tuple[str, str]:
        """The same as an operator does it."""
        email, password = _new_account()
        words = ("--name", "周書豪", "--role", role, "--password-from-stdin")
        self.run("staff", "add", email, *words, typed=password)
        return email, password

    async def add_candidate(self) -> tuple[str, str]:
        """Open an account; from one network nobody opens as many by letter as these tests need."""
        return await self._open_account("王大同")

    async def _open_account(self, person: str, *roles: str) -> tuple[str, str]:
        email, password = _new_account()
        connection = await db.connect(
            self.environment["IDENTITY_DATABASE_URL"], application="journeys"
        )
        async with connection.transaction():
            await accounts.open_(
                connection,
                email=email,
                person=person,
                language="zh-Hant-TW",
                password_hash=await Passwords(workers=1).hash(password),
                roles=[Role(role) for role in roles],
                actor="journeys",
                now=datetime.now(UTC),
            )
        await connection.close()
        return email, password

    def run(self, *words: str, typed: str = "") -> str:
        """Run a command of identity; return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "services.identity.app", *words],
            cwd=ROOT,
            env=self.environment,
            input=typed.encode(),
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()


def _new_account() -> tuple[str, str]:
    return f"{uuid4().hex[:10]}@exam.example", "a sentence of my own"


@pytest.fixture(scope="package")
def place(running: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start all five services in one process, on databases of their own."""
    port, sandbox_port = any_free(), any_free()
    databases = {entry.name: f"journey_{entry.name}_{uuid4().hex[:8]}" for entry in ENTRIES}
    url = f"http://localhost:{port}"
    parts = urlsplit(running.postgres_url)
    environment = {
        "PATH": os.environ["PATH"],
        "EXAMHALL_AMQP_URL": running.amqp_url,
        "EXAMHALL_PUBLIC_URL": url,
        "EXAMHALL_PORT": str(port),
        "EXAMHALL_SECRET_KEY": SECRET,
        "NOTIFY_CHANNEL": "mailbox",
        "ENROLLMENT_DOCUMENTS_URL": tmp_path_factory.mktemp("documents").as_uri(),
        "SANDBOX_PORT": str(sandbox_port),
        "SANDBOX_URL": f"http://localhost:{sandbox_port}",
        "SANDBOX_SLIP_DELAY_SECONDS": "0",  # stores report slips days later; nobody waits here
        "SANDBOX_OIDC_REDIRECT": f"{url}/identity/google/callback",
        "IDENTITY_OIDC_ISSUER": f"http://localhost:{sandbox_port}/oidc",
        "IDENTITY_OIDC_CLIENT_ID": "examhall",
        "IDENTITY_OIDC_CLIENT_SECRET": "known to everybody",
        "PAYMENTS_ECPAY_URL": f"http://localhost:{sandbox_port}/ecpay",
        "PAYMENTS_LINE_PAY_URL": f"http://localhost:{sandbox_port}/line-pay",
        **{f"PAYMENTS_{name.upper()}": value for name, value in CREDENTIALS.items()},
    } | {
        f"{service.upper()}_DATABASE_URL": parts._replace(path=f"/{name}").geturl()
        for service, name in databases.items()
    }
    asyncio.run(_prepare(running, databases))
    log = tmp_path_factory.mktemp("site") / "log"
    module = [sys.executable, "-m", "deploy.all_in_one"]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in ("migrate", "demo"):
            done = subprocess.run(
                [*module, command], cwd=ROOT, env=environment, capture_output=True, check=True
            )
        people = {p["who"]: p for p in map(json.loads, done.stdout.decode().splitlines())}
        with log.open("wb") as out:
            for words in (module, [sys.executable, "-m", "deploy.sandbox"]):
                process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
                started.append(process)
        _until_ready(f"{url}/readyz", started[0], log)
        _until_ready(f"http://localhost:{sandbox_port}/healthz", started[1], log)
        asyncio.run(_until_sessions_are_read(running, databases))
        yield Place(url, people, environment)
    finally:
        for process in started:
            process.terminate()
            process.wait(timeout=30)
        asyncio.run(_remove(running, databases))


async def _prepare(servers: Servers, databases: dict[str, str]) -> None:
    connection = await asyncpg.connect(servers.postgres_url)
    for name in databases.values():
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    await _remove_queues(servers, databases)  # what other tests left in queues of the same names


async def _remove(servers: Servers, databases: dict[str, str]) -> None:
    connection = await asyncpg.connect(servers.postgres_url)
    for name in databases.values():
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
    await _remove_queues(servers, databases)


async def _remove_queues(servers: Servers, databases: dict[str, str]) -> None:
    async with await bus.connect(servers.amqp_url, name="journeys") as connection:
        channel = await connection.channel()
        for service in databases:
            await channel.queue_delete(service)
            await channel.queue_delete(bus.dead_queue_name(service))


def _until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the site did not start:\n{log.read_text()[-3000:]}")


async def _until_sessions_are_read(servers: Servers, databases: dict[str, str]) -> None:
    """Nobody signs in within the second in which word of the first key is still on its way."""
    parts = urlsplit(servers.postgres_url)
    for name in databases.values():
        connection = await asyncpg.connect(parts._replace(path=f"/{name}").geturl())

        async def has_a_key(connection: asyncpg.Connection = connection) -> bool:
            return bool(await connection.fetchval("SELECT count(*) FROM session_keys"))

        await eventually(has_a_key, seconds=START_SECONDS)
        await connection.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def devices() -> AsyncIterator[Devices]:
    """Of one browser for all journeys: starting it costs as much as a short one."""
    async with open_browser() as browser:
        yield Devices(browser)


Arrive = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture(loop_scope="package")
async def arrive(devices: Devices, place: Place) -> AsyncIterator[Arrive]:
    """Open a window that shares nothing with any other: another device."""

    async def arrive(language: str = "zh-Hant-TW", *, script: bool = True) -> Visitor:
        return await Visitor.arrive(devices, place.url, language=language, script=script)

    yield arrive
    await devices.take_back()
