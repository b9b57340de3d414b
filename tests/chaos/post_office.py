"""A house with a mail server, and notify workers that hand letters over to it."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import asyncpg

from deploy.one_machine import ports
from services.notify import app
from services.notify.consumers import HANDLERS
from shared import bus, migrate
from shared.events import Event
from shared.worker import SHARED_HANDLERS
from tests.chaos.targets import Process, Targets
from tests.eventually import eventually

SINK, RELAY = "mail server", "relay"


class PostOffice(Targets):
    """Servers, identity's outbox with its relay, notify, and a mail server with a journal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ports: list[int] = []
        self.smtp_url = f"smtp+plain://127.0.0.1:{self.choose_port()}"

    def choose_port(self) -> int:
        """Choose a port on which a process takes connections as soon as it is ready."""
        self._ports.append(ports.any_free())
        return self._ports[-1]

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def url(self, database: str) -> str:
        return self.postgres.database_url(database)

    async def add_database(self, name: str, migrations: Path) -> None:
        admin = await asyncpg.connect(self.url("postgres"))
        await admin.execute(f"CREATE DATABASE {name}")
        await admin.close()
        await migrate.migrate(self.url(name), migrations)

    async def add_queue(self, service: str, handled: Iterable[type[Event]]) -> None:
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = sorted({event.name for event in (*handled, *SHARED_HANDLERS)})
            await bus.declare_topology(channel, service=service, names=names)

    async def add_post(
        self, workers: Sequence[str], settings: Mapping[str, str], *sink: str
    ) -> None:
        """Prepare notify and what it needs; `sink` says how its mail server is."""
        await self.add_database("identity", self.folder / "migrations")
        await self.add_database("notify", app.HERE / "migrations")
        await self.add_queue("notify", HANDLERS)
        port = self.smtp_url.rpartition(":")[2]
        self._add(SINK, {}, "tests.smtp_sink", port, str(self.journal), *sink)
        for worker in workers:
            environment = {
                **settings,
                "NOTIFY_DATABASE_URL": self.url("notify"),
                "NOTIFY_SMTP_URL": self.smtp_url,
                "EXAMHALL_AMQP_URL": self.amqp_url,
                "EXAMHALL_PUBLIC_URL": "https://exam.example/",
                "EXAMHALL_PORT": str(self.choose_port()),
            }
            self._add(worker, environment, "services.notify.app", "worker")
        relaying = {
            "CHAOS_PUBLISHING": self.url("identity"),
            "CHAOS_HANDLING": self.url("notify"),
            "CHAOS_AMQP": self.amqp_url,
        }
        self._add(RELAY, relaying)

    def _add(self, name: str, environment: Mapping[str, str], *words: str) -> None:
        self.processes[name] = Process(name, self.folder, {**os.environ, **environment}, words)

    async def start_processes(self) -> None:
        for process in self.processes.values():
            await process.start()

    async def until_ready(self) -> None:
        """Wait until every process takes connections."""

        async def is_ready() -> bool:
            with suppress(OSError):
                for port in self._ports:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                return True
            return False

        await eventually(is_ready)

    async def close(self) -> None:
        await self.end(*(name for name in self.processes if name != SINK))
        await super().close()
