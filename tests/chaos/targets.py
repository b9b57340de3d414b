"""What can be struck: servers and processes that end at a blow and begin again."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from deploy.one_machine import ports
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.rabbitmq import RabbitMQ
from shared import bus, db
from tests.chaos.plan import BROKER, DATABASE, Blow

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

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

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


class Targets:
    """PostgreSQL, RabbitMQ and processes, each of which can be struck by its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres", ports.any_free())
        self.rabbitmq = RabbitMQ(folder / "rabbitmq", ports.any_free())
        self._servers: dict[str, Postgres | RabbitMQ] = {
            DATABASE: self.postgres,
            BROKER: self.rabbitmq,
        }
        self.processes: dict[str, Process] = {}
        self._absent: set[str] = set()
        self.misbehaved: list[str] = []

    @property
    def amqp_url(self) -> str:
        return self.rabbitmq.url

    async def open(self) -> None:
        await asyncio.to_thread(self._start_servers)

    def _start_servers(self) -> None:
        for server in self._servers.values():
            server.start()
        for server in self._servers.values():
            server.wait_ready()

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

    async def count_waiting(self, queue: str) -> int:
        """How many messages are in a queue and with nobody."""
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            found = await (await connection.channel()).declare_queue(queue, passive=True)
            return found.declaration_result.message_count or 0

    async def close(self) -> None:
        for process in self.processes.values():
            if process.is_running:
                await process.strike(Blow.KILL)
        for server in reversed(self._servers.values()):
            await asyncio.to_thread(server.remove)


@contextmanager
def patience() -> Iterator[None]:
    """Bear that the database is away."""
    try:
        yield
    except Exception as error:
        if not db.is_unavailable(error):
            raise


Place = TypeVar("Place", bound=Targets)


@asynccontextmanager
async def opened(kind: type[Place]) -> AsyncIterator[Place]:
    """A place in a temporary folder, taken down at the end."""
    with tempfile.TemporaryDirectory(prefix="examhall-chaos-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - the servers run under accounts of their own
        place = kind(Path(folder))
        try:
            await place.open()
            yield place
        finally:
            await place.close()
