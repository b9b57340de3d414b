"""Migrations: plain numbered SQL, forward only, each applied once under a lock."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.db import Connection, Tx, connect

log = structlog.get_logger()

SHARED_MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_239_841  # any number, as long as nobody else uses it
# A migration that cannot get its lock gives up rather than stop the service behind it.
LOCK_TIMEOUT = "5s"

_HISTORY = """
CREATE TABLE IF NOT EXISTS migrations (
    name       text        PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationsDiffer(Exception):
    """The database was migrated by files that differ from these."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file. Its name begins with where it comes from: shared, or the service."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(folder: Path) -> list[Migration]:
    """Read the shared migrations, then the service's own."""
    found = []
    for origin, place in (("shared", SHARED_MIGRATIONS), (folder.parent.name, folder)):
        files = sorted(place.glob("*.sql"))
        for number, file in enumerate(files, start=1):
            if not re.fullmatch(rf"{number:04}_[a-z0-9_]+\.sql", file.name):
                raise ValueError(f"{file.name}: migrations are numbered 0001, 0002 … without gaps")
            found.append(Migration(f"{origin}/{file.stem}", file.read_text()))
    return found


async def pending(tx: Tx, migrations: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied; raise when what was applied has changed since."""
    if not await tx.fetchval("SELECT to_regclass('migrations') IS NOT NULL"):
        return list(migrations)
    rows = await tx.fetch("SELECT name, checksum FROM migrations")
    applied = {row["name"]: row["checksum"] for row in rows}
    changed = [m.name for m in migrations if applied.get(m.name, m.checksum) != m.checksum]
    if changed:
        raise MigrationsDiffer(f"changed after it was applied: {', '.join(changed)}")
    return [m for m in migrations if m.name not in applied]


async def migrate(database_url: str, folder: Path) -> list[str]:
    """Bring a database to head; return the names of what was applied."""
    connection = await connect(database_url, application="migrate")
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(_HISTORY)
        return [await _apply(connection, m) for m in await pending(connection, read(folder))]
    finally:
        await connection.close()


async def _apply(connection: Connection, migration: Migration) -> str:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migrations (name, checksum) VALUES ($1, $2)",
            migration.name,
            migration.checksum,
        )
    log.info("migrated", name=migration.name)
    return migration.name
