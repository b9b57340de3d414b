"""Where the tests' PostgreSQL and RabbitMQ come from."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path


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
    from testcontainers.postgres import PostgresContainer
    from testcontainers.rabbitmq import RabbitMqContainer

    with ExitStack() as stack:
        postgres = stack.enter_context(
            PostgresContainer("postgres:17", driver=None).with_command(
                "postgres -c max_connections=300"
            )
        )
        rabbitmq = stack.enter_context(
            RabbitMqContainer("rabbitmq:4-management", username="test", password="test")
        )
        host, port = rabbitmq.get_container_host_ip(), rabbitmq.get_exposed_port(5672)
        yield Servers(
            postgres.get_connection_url(), f"amqp://test:test@{host}:{port}/", "containers"
        )


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
