"""Where the tests' PostgreSQL and RabbitMQ come from."""

import asyncio
import contextlib
import gc
import os
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from deploy.one_machine import ports, processes
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.rabbitmq import RabbitMQ

PATIENCE_SECONDS = 90
PASSWORD = "for-tests"
# Says which process a container belongs to, so that one that was killed leaves nothing behind.
LABEL = "examhall.tests"
# The same of embedded servers: the number of their process follows.
FOLDERS = "examhall-test-"
ENVIRONMENT = "the environment"


@dataclass(frozen=True)
class Servers:
    """Addresses of servers that tests may fill with what they like."""

    postgres_url: str  # of a superuser
    amqp_url: str
    origin: str

    @property
    def is_ours(self) -> bool:
        """Whether they were started for this run, and end with it."""
        return self.origin != ENVIRONMENT


@contextmanager
def start() -> Iterator[Servers]:
    """Use the servers named in the environment, else start containers, else our own.

    EXAMHALL_TEST_SERVERS=containers or =embedded leaves no choice.
    """
    wanted = os.environ.get("EXAMHALL_TEST_SERVERS")
    postgres, amqp = (os.environ.get(f"EXAMHALL_TEST_{n}") for n in ("POSTGRES", "AMQP"))
    if wanted not in {None, "containers", "embedded"}:
        raise ValueError(f"EXAMHALL_TEST_SERVERS is {wanted!r}, neither containers nor embedded")
    if not wanted and postgres and amqp:
        yield Servers(postgres, amqp, ENVIRONMENT)
    elif wanted == "containers" or (not wanted and _an_engine_answers()):
        with _containers() as servers:
            yield servers
    else:
        with _embedded() as servers:
            yield servers


def _an_engine_answers() -> bool:
    import docker
    from docker.errors import DockerException

    with warnings.catch_warnings():
        # A client that finds no engine forgets its socket, which would fail the first test.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with contextlib.closing(docker.from_env(timeout=5)) as engine:
                return bool(engine.ping())
        except DockerException:
            pass
        gc.collect()
    return False


@contextmanager
def _containers() -> Iterator[Servers]:
    # We remove what we start ourselves; the helper that would do it is one more image to fetch.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    if "DOCKER_HOST" not in os.environ:  # else the servers' ports are where the engine is
        os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
        os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
    from testcontainers.core.container import DockerContainer

    label = {LABEL: f"{socket.gethostname()}/{os.getpid()}"}
    _remove_left_behind()
    with ExitStack() as stack:
        postgres = (
            DockerContainer("postgres:17")
            .with_env("POSTGRES_PASSWORD", PASSWORD)
            .with_command("postgres -c max_connections=300 -c fsync=off -c jit=off")
            .with_exposed_ports(5432)
            .with_tmpfs_mount("/var/lib/postgresql/data")
            .with_kwargs(labels=label)
        )
        rabbitmq = (
            DockerContainer("rabbitmq:4-management")
            .with_env("RABBITMQ_DEFAULT_USER", "test")
            .with_env("RABBITMQ_DEFAULT_PASS", PASSWORD)
            .with_exposed_ports(5672)
            .with_kwargs(labels=label)
        )
        stack.enter_context(postgres)
        stack.enter_context(rabbitmq)
        host = postgres.get_container_host_ip()
        port = int(postgres.get_exposed_port(5432))
        postgres_url = f"postgresql://postgres:{PASSWORD}@{host}:{port}/postgres"
        broker_port = int(rabbitmq.get_exposed_port(5672))
        _wait(lambda: _takes_connections(postgres_url), "PostgreSQL", postgres)
        _wait(lambda: _greets(host, broker_port), "RabbitMQ", rabbitmq)
        yield Servers(postgres_url, f"amqp://test:{PASSWORD}@{host}:{broker_port}/", "containers")


def _remove_left_behind() -> None:
    """Remove containers of test runs on this machine that were killed."""
    import docker

    with contextlib.closing(docker.from_env()) as engine:
        for container in engine.containers.list(all=True, filters={"label": LABEL}):
            machine, _, process = container.labels[LABEL].rpartition("/")
            if machine == socket.gethostname() and not processes.look_up(int(process)):
                container.remove(force=True, v=True)


def _wait(is_ready: Callable[[], bool], name: str, container: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_ready():
        if time.monotonic() > deadline:
            told = b"".join(container.get_logs()).decode(errors="replace")
            raise TimeoutError(f"{name} was not ready in {PATIENCE_SECONDS} s:\n{told[-2000:]}")
        time.sleep(0.1)


def _takes_connections(url: str) -> bool:
    async def connect() -> None:
        connection = await asyncpg.connect(url, timeout=2)
        await connection.close()

    try:
        asyncio.run(connect())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def _greets(host: str, port: int) -> bool:
    """A broker that is ready begins its handshake; until then the engine's proxy hangs up."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


@contextmanager
def _embedded() -> Iterator[Servers]:
    end_left_behind()
    with tempfile.TemporaryDirectory(prefix=f"{FOLDERS}{os.getpid()}-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers run as users of their own where root starts them
        with ExitStack() as stack:
            postgres, rabbitmq = _in_folder(folder)
            stack.callback(rabbitmq.remove)
            stack.callback(postgres.remove)
            postgres.start()
            rabbitmq.start()
            postgres.wait_ready()
            rabbitmq.wait_ready()
            yield Servers(postgres.url, rabbitmq.url, "embedded servers")


def _in_folder(folder: Path) -> tuple[Postgres, RabbitMQ]:
    return (
        Postgres(folder / "postgres", ports.any_free()),
        RabbitMQ(folder / "rabbitmq", ports.any_free()),
    )


def end_left_behind() -> None:
    """End the embedded servers of test runs that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*-*"):
        process = left.name.removeprefix(FOLDERS).partition("-")[0]
        if not processes.look_up(int(process)):
            for server in _in_folder(left):
                server.kill()
            shutil.rmtree(left, ignore_errors=True)  # somebody else may be doing the same
