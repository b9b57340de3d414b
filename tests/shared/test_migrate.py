"""Migrations: each applied once, in order, by one; a changed file is noticed."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared import db, migrate
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "someservice" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_things.sql").write_text("CREATE TABLE things (id integer);")
    return folder


async def test_a_new_file_is_applied_once(database_url: str, folder: Path, pool: Pool) -> None:
    assert await migrate.migrate(database_url, folder) == ["someservice/0001_things"]
    assert await migrate.migrate(database_url, folder) == []
    (folder / "0002_more.sql").write_text("ALTER TABLE things ADD name text;")
    async with transaction(pool) as tx:
        waiting = await migrate.pending(tx, migrate.read(folder))
    assert [migration.name for migration in waiting] == ["someservice/0002_more"]
    assert await migrate.migrate(database_url, folder) == ["someservice/0002_more"]


async def test_many_at_once_apply_it_once(database_url: str, folder: Path) -> None:
    runs = await asyncio.gather(*(migrate.migrate(database_url, folder) for _ in range(5)))
    assert sorted(map(len, runs)) == [0, 0, 0, 0, 1]


async def test_a_file_changed_after_it_was_applied_is_refused(
    database_url: str, folder: Path
) -> None:
    await migrate.migrate(database_url, folder)
    (folder / "0001_things.sql").write_text("CREATE TABLE things (id bigint);")
    with pytest.raises(migrate.MigrationsDiffer, match="someservice/0001_things"):
        await migrate.migrate(database_url, folder)


async def test_a_migration_that_fails_leaves_nothing(
    database_url: str, folder: Path, pool: Pool
) -> None:
    (folder / "0002_broken.sql").write_text("CREATE TABLE half (id integer); SELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate.migrate(database_url, folder)
    assert await pool.fetchval("SELECT to_regclass('half')") is None
    assert await pool.fetchval("SELECT to_regclass('things')") is not None, "the one before holds"


async def test_a_migration_that_cannot_get_its_lock_gives_up(
    database_url: str, folder: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    (folder / "0002_outbox.sql").write_text("ALTER TABLE outbox ADD extra text;")
    async with transaction(pool) as tx:
        await tx.execute("LOCK TABLE outbox IN ACCESS SHARE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await migrate.migrate(database_url, folder)


def test_a_gap_in_the_numbers_is_refused(folder: Path) -> None:
    (folder / "0003_gap.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match="0003_gap"):
        migrate.read(folder)


@pytest.mark.parametrize("service", ["identity", "enrollment", "payments", "scoring", "notify"])
async def test_every_service_migrates_an_empty_database(
    service: str, make_database: MakeDatabase
) -> None:
    connection = await db.connect(await make_database(service), application="test")
    folder = ROOT / "services" / service / "migrations"
    assert await migrate.pending(connection, migrate.read(folder)) == []
    await connection.close()
