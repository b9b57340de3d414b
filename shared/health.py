"""Health: alive when the loop turns, ready when the database is there and migrated."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from shared import migrate
from shared.db import Pool

# A probe asks every few seconds; an answer later than this is no answer.
READY_SECONDS = 2


@dataclass
class Database:
    """A database that must be there and migrated."""

    service: str
    migrations: Path
    pool: Callable[[], Pool | None]  # asked late: it is opened after the first probe may come
    # Migrations of a running database do not go back: once at head is enough.
    migrated: bool = False

    async def find_problem(self) -> str | None:
        pool = self.pool()
        if pool is None:
            return f"{self.service}: starting"
        try:
            async with asyncio.timeout(READY_SECONDS), pool.acquire() as connection:
                if self.migrated:
                    await connection.execute("SELECT 1")
                    return None
                waiting = await migrate.pending(connection, migrate.read(self.migrations))
        except Exception as error:
            return f"{self.service}: {type(error).__name__}"
        if waiting:
            return f"{self.service}: {len(waiting)} migrations to apply"
        self.migrated = True
        return None


@dataclass
class Readiness:
    """What must be in order before requests are sent here. The broker is not: the outbox waits."""

    databases: "list[Database]" = field(default_factory=list)
    draining: bool = False

    async def find_problems(self) -> list[str]:
        if self.draining:
            return ["shutting down"]
        problems = await asyncio.gather(*(database.find_problem() for database in self.databases))
        return [problem for problem in problems if problem]


READINESS = web.AppKey("readiness", Readiness)


async def healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def readyz(request: web.Request) -> web.Response:
    problems = await request.app[READINESS].find_problems()
    text = "\n".join(problems) or "ready"
    return web.Response(text=f"{text}\n", status=503 if problems else 200)
