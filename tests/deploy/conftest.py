"""Real servers in folders of their own, for as long as one module's tests run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.one_machine import ports
from deploy.one_machine.installed import find_postgres, find_rabbitmq
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.rabbitmq import RabbitMQ


@pytest.fixture(scope="module")
def closed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose owner alone may enter it: for root a place its servers cannot reach."""
    outer = tmp_path_factory.mktemp("closed")
    outer.chmod(0o700)
    inner = outer / "with a space"
    inner.mkdir()
    return inner


@pytest.fixture(scope="module")
def postgres(closed_folder: Path) -> Iterator[Postgres]:
    if not find_postgres():
        pytest.skip("PostgreSQL is not installed on this machine")
    server = Postgres(closed_folder / "postgres", ports.any_free())
    server.start()
    server.wait_ready()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def rabbitmq(closed_folder: Path) -> Iterator[RabbitMQ]:
    if not find_rabbitmq():
        pytest.skip("RabbitMQ is not installed on this machine")
    server = RabbitMQ(closed_folder / "rabbitmq", ports.any_free())
    server.start()
    server.wait_ready()
    yield server
    server.remove()
