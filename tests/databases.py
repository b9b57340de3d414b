"""Databases lent to tests: migrated once for each service, washed between two tests.

Making a database copies some hundred files; washing one takes a blink, over a connection that is
kept for it: a new one costs as much again, since it knows no table yet. A database that a test has
built on, altered, or filled with very much is thrown away instead.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from shared import db, migrate
from shared.db import Pool
from tests.eventually import eventually

SERVICES = Path(__file__).parents[1] / "services"
MIGRATED = "migrations"  # what has been migrated: the one table that is not empty at first
KEPT_UP_TO_BYTES = 40_000_000

# Whoever builds or alters leaves a note. Washing itself goes unnoticed: it acts as a replica does,
# for which no trigger fires, neither this nor one that refuses to delete.
WATCH = """
CREATE SCHEMA watch;
CREATE TABLE watch.built (what text);
CREATE FUNCTION watch.note() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO watch.built VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER watch_building ON ddl_command_end EXECUTE FUNCTION watch.note();
"""
TABLES = f"""
SELECT format('%I', relname) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '{MIGRATED}'
"""
END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
USED = """
SELECT EXISTS (SELECT FROM watch.built) AS is_built_on,
       pg_database_size(current_database()) AS size
"""
WASH = """
DO $$
DECLARE found regclass;
BEGIN
    FOR found IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migrations'
    LOOP EXECUTE format('DELETE FROM %s', found); END LOOP;
    FOR found IN SELECT seqrelid FROM pg_sequence LOOP
        PERFORM setval(found, seqstart, false) FROM pg_sequence WHERE seqrelid = found;
    END LOOP;
END $$
"""


def on(admin_url: str, database: str) -> str:
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@dataclass
class Databases:
    """All that tests of this run were lent, on one server."""

    admin_url: str
    templates: dict[str, str]
    free: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    # By database: over which it is washed.
    made: "dict[str, asyncpg.Connection[asyncpg.Record] | None]" = field(default_factory=dict)

    async def lend(self, service: str) -> str:
        """Return the name of a database with what migrations leave behind, and nothing else."""
        if self.free[service]:
            return self.free[service].pop()
        name = f"t_{uuid4().hex}"
        template = self.templates[service]
        await execute(self.admin_url, f"CREATE DATABASE {name} TEMPLATE {template}")
        self.made[name] = None
        return name

    async def take_back(self, service: str, name: str) -> None:
        try:
            is_clean = await self._wash(name)
        except Exception as error:
            if not db.is_unavailable(error):
                raise
            is_clean = False  # a test that ended every connection to its database ended ours
        if is_clean:
            self.free[service].append(name)
        else:
            await self.drop(name)

    async def _wash(self, name: str) -> bool:
        """Empty every table; say whether the database is as new."""
        connection = self.made[name]
        if connection is None:
            connection = self.made[name] = await asyncpg.connect(on(self.admin_url, name))
            await connection.execute("SET session_replication_role = replica")
        await connection.execute(END_OTHERS)
        used = await connection.fetchrow(USED)
        assert used
        if used["is_built_on"] or used["size"] > KEPT_UP_TO_BYTES:
            return False
        await connection.execute(WASH)
        return True

    async def drop(self, name: str) -> None:
        if connection := self.made.pop(name):
            connection.terminate()
        await execute(self.admin_url, f"DROP DATABASE {name} WITH (FORCE)")

    async def drop_all(self) -> None:
        for name in [*self.made]:
            await self.drop(name)
        for name in self.templates.values():
            await execute(self.admin_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def open_databases(admin_url: str) -> AsyncIterator[Databases]:
    templates = {
        service.name: f"template_{service.name}_{uuid4().hex[:8]}"
        for service in sorted(SERVICES.iterdir())
        if (service / "app.py").exists()
    }
    databases = Databases(admin_url, templates)
    await _build(databases)
    yield databases
    await databases.drop_all()


async def _build(databases: Databases) -> None:
    for service, name in databases.templates.items():
        await execute(databases.admin_url, f"CREATE DATABASE {name}")
        url = on(databases.admin_url, name)
        await migrate.migrate(url, SERVICES / service / "migrations")
        connection = await asyncpg.connect(url)
        try:
            for (table,) in await connection.fetch(TABLES):
                if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                    raise ValueError(f"a migration of {service} fills {table}: it would be washed")
            await connection.execute(WATCH)
        finally:
            await connection.close()


async def until_somebody_waits_for_a_lock(pool: Pool) -> None:
    """Wait until a statement in this database is held up by another transaction."""
    waiting = """
        SELECT EXISTS (
            SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'
        )
    """
    await eventually(lambda: pool.fetchval(waiting))
