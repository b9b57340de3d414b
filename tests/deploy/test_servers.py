"""The private servers: real ones, killed as by a power cut and started again."""

import os
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from aiormq.abc import FieldTable

from deploy.one_machine import ports, processes
from deploy.one_machine.postgres import Postgres
from deploy.one_machine.problems import Problem
from deploy.one_machine.rabbitmq import RabbitMQ


async def _note(url: str, word: str) -> list[str]:
    """Write a word and read all that were written."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS notes (word text)")
        await connection.execute("INSERT INTO notes VALUES ($1)", word)
        return [row["word"] for row in await connection.fetch("SELECT word FROM notes")]
    finally:
        await connection.close()


async def test_postgres_keeps_what_was_committed_when_all_of_it_is_killed(
    postgres: Postgres,
) -> None:
    assert await _note(postgres.url, "before") == ["before"]
    postgres.kill()
    postgres.start()
    postgres.wait_ready()
    assert await _note(postgres.url, "after") == ["before", "after"]


async def test_postgres_starts_again_when_only_its_first_process_was_killed(
    postgres: Postgres,
) -> None:
    process = postgres.program.process
    assert process
    processes.end([process])
    postgres.start()
    postgres.wait_ready()
    assert await _note(postgres.url, "once more")


async def test_postgres_survives_a_stale_pid_file(postgres: Postgres) -> None:
    postgres.kill()
    pid_file = postgres.folder / "data" / "postmaster.pid"
    pid_file.write_text(
        pid_file.read_text().replace(pid_file.read_text().split()[0], str(os.getpid()), 1)
    )
    postgres.start()
    postgres.wait_ready()
    assert await _note(postgres.url, "stale")


def test_a_second_start_changes_nothing(postgres: Postgres) -> None:
    first = postgres.program.process
    postgres.start()
    again = postgres.program.process
    assert first
    assert again
    assert first.pid == again.pid


async def test_postgres_wants_the_password(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            postgres.url.replace(":", ":x", 2).replace("postgresql:x", "postgresql:")
        )


@pytest.fixture
def another(tmp_path: Path, postgres: Postgres) -> Iterator[Postgres]:
    """A PostgreSQL that has been started once and stopped."""
    assert postgres.program.process, "there is a PostgreSQL on this machine"
    server = Postgres(tmp_path / "another", ports.any_free())
    server.start()
    server.wait_ready()
    server.stop()
    yield server
    server.remove()
    assert not server.folder.exists()


def test_data_of_a_version_that_is_gone_are_named(another: Postgres) -> None:
    (another.folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Problem, match="made by PostgreSQL 9"):
        another.start()


def test_a_half_made_data_folder_is_made_again(another: Postgres) -> None:
    data = another.folder / "data"
    (data / "global" / "pg_control").unlink()
    data.rename(data.with_name("data.new"))
    another.start()
    another.wait_ready()


async def test_rabbitmq_keeps_confirmed_messages_when_all_of_it_is_killed(
    rabbitmq: RabbitMQ,
) -> None:
    quorum: FieldTable = {"x-queue-type": "quorum"}
    connection = await aio_pika.connect(rabbitmq.url)
    channel = await connection.channel()
    await channel.declare_queue("kept", durable=True, arguments=quorum)
    await connection.close()
    # RabbitMQ 3.10 writes a new queue's place down within a second; killed before, it stays dumb
    rabbitmq.stop()
    rabbitmq.start()
    rabbitmq.wait_ready()
    connection = await aio_pika.connect(rabbitmq.url)
    channel = await connection.channel(publisher_confirms=True)
    message = aio_pika.Message(b"word", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    await channel.default_exchange.publish(message, "kept")
    await connection.close()
    rabbitmq.kill()
    rabbitmq.start()
    rabbitmq.wait_ready()
    connection = await aio_pika.connect(rabbitmq.url)
    channel = await connection.channel()
    queue = await channel.declare_queue("kept", durable=True, arguments=quorum)
    received = await queue.get(timeout=10)
    assert received.body == b"word"
    await received.ack()
    await connection.close()


async def test_rabbitmq_knows_no_guest(rabbitmq: RabbitMQ) -> None:
    with pytest.raises(aio_pika.exceptions.AMQPConnectionError):
        await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}/")
    assert rabbitmq.control("-q", "list_users").split()[2:] == ["examhall", "[administrator]"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give away")
def test_started_by_root_no_server_runs_as_root(postgres: Postgres, rabbitmq: RabbitMQ) -> None:
    for program in (postgres.program, rabbitmq.program):
        process = program.process
        assert process
        for member in processes.family(process):
            assert Path(f"/proc/{member.pid}").stat().st_uid != 0
