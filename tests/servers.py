"""Where the tests' PostgreSQL and RabbitMQ come from."""

import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer


BROKER_SECONDS = 60


@dataclass(frozen=True)
class Servers:
    """Addresses of servers that tests may fill with what they like."""

    postgres_url: str  # of a superuser
    amqp_url: str
    origin: str


@contextmanager
def start() -> Iterator[Servers]:
    """Use the servers named in the environment, else start containers, else our own."""
    postgres, amqp = (os.environ.get(f"EXAMHALL_TEST_{n}") for n in ("POSTGRES", "AMQP"))
    if postgres and amqp:
        yield Servers(postgres, amqp, "the environment")
    elif _an_engine_answers():
        with _containers() as servers:
            yield servers
    else:
        with _embedded() as servers:
            yield servers


def _an_engine_answers() -> bool:
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return False
    return True


@contextmanager
def _containers() -> Iterator[Servers]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    # Before it listens to others it has been up for itself alone, to fill its data folder.
    is_up = LogMessageWaitStrategy(re.compile(r"listening on IPv4.*ready to accept", re.DOTALL))
    postgres = (
        DockerContainer("postgres:17")
        .with_env("POSTGRES_PASSWORD", "test")
        .with_command("postgres -c max_connections=300")
        .with_exposed_ports(5432)
        .waiting_for(is_up)
    )
    rabbitmq = (
        DockerContainer("rabbitmq:4")
        .with_env("RABBITMQ_DEFAULT_USER", "test")
        .with_env("RABBITMQ_DEFAULT_PASS", "test")
        .with_exposed_ports(5672)
    )
    with postgres, rabbitmq:
        _wait_for_broker(*_address(rabbitmq, 5672))
        yield Servers(
            f"postgresql://postgres:test@{':'.join(_address(postgres, 5432))}/postgres",
            f"amqp://test:test@{':'.join(_address(rabbitmq, 5672))}/",
            "containers",
        )


def _address(container: "DockerContainer", port: int) -> tuple[str, str]:
    return container.get_container_host_ip(), str(container.get_exposed_port(port))


def _wait_for_broker(host: str, port: str) -> None:
    """Wait for its handshake: its log does not reach every engine."""
    deadline = time.monotonic() + BROKER_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, int(port)), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                if connection.recv(1) == b"\x01":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"RabbitMQ was not ready after {BROKER_SECONDS} seconds")


@contextmanager
def _embedded() -> Iterator[Servers]:
    from deploy.one_machine import ports
    from deploy.one_machine.postgres import Postgres
    from deploy.one_machine.rabbitmq import RabbitMQ

    with tempfile.TemporaryDirectory(prefix="examhall-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers run under accounts of their own
        postgres = Postgres(folder / "postgres", ports.any_free())
        rabbitmq = RabbitMQ(folder / "rabbitmq", ports.any_free())
        try:
            postgres.start()
            rabbitmq.start()
            postgres.wait_ready()
            rabbitmq.wait_ready()
            yield Servers(postgres.url, rabbitmq.url, "our own")
        finally:
            rabbitmq.remove()
            postgres.remove()
