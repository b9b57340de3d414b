"""The house of a chaos run: its own servers, two databases, five processes."""

import os
from pathlib import Path

import asyncpg

from shared import bus, migrate
from tests.chaos.part import PUBLISHED, SERVICE
from tests.chaos.plan import CONSUMERS, PUBLISHER, RELAYS
from tests.chaos.targets import Process, Targets
from tests.effects import EFFECTS, NumberAnnounced


class House(Targets):
    """One service that publishes, and one that handles."""

    async def open(self) -> None:
        await super().open()
        await self._make_databases()
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = [NumberAnnounced.name]
            await bus.declare_topology(channel, service=SERVICE, names=names)
        environment = os.environ | {
            "CHAOS_PUBLISHING": self.publishing,
            "CHAOS_HANDLING": self.handling,
            "CHAOS_AMQP": self.amqp_url,
        }
        for name in (*CONSUMERS, *RELAYS, PUBLISHER):
            self.processes[name] = Process(name, self.folder, environment)
            await self.processes[name].start()

    @property
    def publishing(self) -> str:
        return self.postgres.database_url("publishing")

    @property
    def handling(self) -> str:
        return self.postgres.database_url("handling")

    @property
    def logs(self) -> list[Path]:
        return [process.log for process in self.processes.values()]

    async def _make_databases(self) -> None:
        admin = await asyncpg.connect(self.postgres.url)
        for url, tables in ((self.publishing, PUBLISHED), (self.handling, EFFECTS)):
            await admin.execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
            await migrate.migrate(url, Path(__file__).with_name("migrations"))
            connection = await asyncpg.connect(url)
            await connection.execute(tables)
            await connection.close()
        await admin.close()
