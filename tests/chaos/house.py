"""The house of a chaos run: its own servers, two databases, five processes."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.one_machine import ports
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.rabbitmq import RabbitMQ
from shared import bus, migrate
from tests.chaos.part import PUBLISHED, SERVICE
from tests.chaos.plan import BROKER, CONSUMERS, DATABASE, PUBLISHER, RELAYS, Blow
from tests.effects import EFFECTS, NumberAnnounced

ROOT = Path(__file__).parents[2]
# A process asked to end has this long, as in production.
PATIENCE_SECONDS = 20


class Process:
    """One of ours, started again as often as it is struck."""

    def __init__(
        self, name: str, folder: Path, environment: dict[str, str], words: Sequence[str] = ()
    ) -> None:
        self.name = name
        self._words = words or ("tests.chaos.part", name.partition("-")[0])
        self.log = folder / f"{name}.log"
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._words),
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def strike(self, blow: Blow) -> bool:
        """End it; tell whether it ended as it should."""
        if self._process is None or self._process.returncode is not None:
            return False  # it had ended by itself
        self._process.send_signal(signal.SIGKILL if blow is Blow.KILL else signal.SIGTERM)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return False
        # Before it listens to signals, SIGTERM ends it on the spot.
        return blow is Blow.KILL or code in (0, -signal.SIGTERM)


class House:
    """Everything that can be struck, by name."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder / "postgres", ports.any_free())
        self.rabbitmq = RabbitMQ(folder / "rabbitmq", ports.any_free())
        self._servers: dict[str, Postgres | RabbitMQ] = {
            DATABASE: self.postgres,
            BROKER: self.rabbitmq,
        }
        self._folder = folder
        self.processes: dict[str, Process] = {}
        self._absent: set[str] = set()
        self.misbehaved: list[str] = []

    async def open(self) -> None:
        await asyncio.to_thread(self._start_servers)
        await self._make_databases()
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = [NumberAnnounced.name]
            await bus.declare_topology(channel, service=SERVICE, names=names)
        environment = os.environ | {
            "CHAOS_PUBLISHING": self.publishing,
            "CHAOS_HANDLING": self.handling,
            "CHAOS_AMQP": self.amqp_url,
        }
        for name in (*CONSUMERS, *RELAYS, PUBLISHER):
            self.processes[name] = Process(name, self._folder, environment)
            await self.processes[name].start()

    @property
    def publishing(self) -> str:
        return self.postgres.database_url("publishing")

    @property
    def handling(self) -> str:
        return self.postgres.database_url("handling")

    @property
    def amqp_url(self) -> str:
        return self.rabbitmq.url

    @property
    def logs(self) -> list[Path]:
        return [process.log for process in self.processes.values()]

    def _start_servers(self) -> None:
        for server in self._servers.values():
            server.start()
        for server in self._servers.values():
            server.wait_ready()

    async def _make_databases(self) -> None:
        admin = await asyncpg.connect(self.postgres.url)
        for url, tables in ((self.publishing, PUBLISHED), (self.handling, EFFECTS)):
            await admin.execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
            await migrate.migrate(url, Path(__file__).with_name("migrations"))
            connection = await asyncpg.connect(url)
            await connection.execute(tables)
            await connection.close()
        await admin.close()

    async def strike(self, target: str, blow: Blow, absence: float) -> bool:
        """End something and start it again; False when it is down already."""
        if target in self._absent:
            return False
        self._absent.add(target)
        if process := self.processes.get(target):
            if not await process.strike(blow):
                self.misbehaved.append(f"{target} did not end as it should by {blow}")
            await asyncio.sleep(absence)
            await process.start()
        else:
            server = self._servers[target]
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(absence)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(server.wait_ready)
        self._absent.remove(target)
        return True

    async def end(self, *names: str) -> None:
        """End processes in good order."""
        for name in names:
            if not await self.processes[name].strike(Blow.TERM):
                self.misbehaved.append(f"{name} did not end as it should at the end")

    async def close(self) -> None:
        for process in self.processes.values():
            if process.is_running:
                await process.strike(Blow.KILL)
        await asyncio.to_thread(self.rabbitmq.remove)
        await asyncio.to_thread(self.postgres.remove)


@asynccontextmanager
async def opened() -> AsyncIterator[House]:
    """A house in a temporary folder, taken down at the end."""
    with tempfile.TemporaryDirectory(prefix="examhall-chaos-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - the servers run under accounts of their own
        house = House(Path(folder))
        try:
            await house.open()
            yield house
        finally:
            await house.close()
