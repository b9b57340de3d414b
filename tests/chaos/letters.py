"""Letters under fire: workers, mail server, broker and database are killed while they go out."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg

from deploy.one_machine import ports
from services.notify import app
from services.notify.consumers import HANDLERS
from shared import bus, db, migrate, outbox
from shared.events.identity import PasswordChanged
from tests.chaos.plan import BROKER, DATABASE, Blow
from tests.chaos.targets import Process, Targets, opened
from tests.eventually import eventually

WORKERS = ("worker-1", "worker-2")
SINK, RELAY = "mail server", "relay"
TARGETS = (*WORKERS, *WORKERS, SINK, SINK, BROKER, DATABASE)
CONNECTIONS = 4  # of each worker
EVENTS_TOGETHER = (1, 1, 1, 7, 100)
SHORTEST_GAP, LONGEST_GAP, LONGEST_ABSENCE = 0.5, 2.5, 1.5
# The mail server waits this long, at most, between its disk and its yes: when it is struck then,
# nobody but its disk knows.
LONGEST_DAWDLE = 0.1
SETTLING_SECONDS = 120
SETTINGS = {
    "NOTIFY_CONNECTIONS": str(CONNECTIONS),
    "NOTIFY_SMTP_TIMEOUT_SECONDS": "1.5",
    "NOTIFY_LEASE_SECONDS": "6",
    "NOTIFY_FIRST_RETRY_SECONDS": "0.5",
}


@dataclass(frozen=True)
class Verdict:
    """What became of every letter."""

    letters: int
    seconds: float
    faults: Counter[str]
    written: int
    arrived: int
    sent_by_the_register: int
    duplicates: int
    duplicates_nobody_can_exclude: int  # one for each kill and connection
    misbehaved: Sequence[str]

    @property
    def is_good(self) -> bool:
        whole = {self.letters} == {self.written, self.arrived, self.sent_by_the_register}
        few = self.duplicates <= self.duplicates_nobody_can_exclude
        return whole and few and not self.misbehaved

    def print(self) -> None:
        """Print a table for people and, as the last line, one JSON object."""
        print("\nletters under fire")
        for target, times in sorted(self.faults.items()):
            print(f"  {f'kill -9 {target}':<40} {times:>10,}")
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in told.items():
            if name not in {"faults", "misbehaved"}:
                print(f"  {name.replace('_', ' '):<40} {value:>10,}")
        for sentence in self.misbehaved:
            print(f"  {sentence}")
        print(f"  {'each arrived, none was lost' if self.is_good else 'NOT GOOD'}")
        print(json.dumps({"name": "letters", **told, "good": self.is_good}))


class House(Targets):
    """A mail server, two notify workers, and a relay that brings them identity's events."""

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def url(self, database: str) -> str:
        return self.postgres.database_url(database)

    async def open(self) -> None:
        await super().open()
        admin = await asyncpg.connect(self.url("postgres"))
        for name, migrations in (("identity", self.folder), ("notify", app.HERE)):
            await admin.execute(f"CREATE DATABASE {name}")
            await migrate.migrate(self.url(name), migrations / "migrations")
        await admin.close()
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = [event.name for event in HANDLERS]
            await bus.declare_topology(channel, service="notify", names=names)
        smtp = ports.any_free()
        words: tuple[str, ...] = (
            "tests.smtp_sink",
            str(smtp),
            str(self.journal),
            "--dawdle",
            str(LONGEST_DAWDLE),
        )
        self.processes[SINK] = Process("sink", self.folder, {**os.environ}, words)
        for worker in WORKERS:
            environment = {
                **os.environ,
                **SETTINGS,
                "NOTIFY_DATABASE_URL": self.url("notify"),
                "NOTIFY_SMTP_URL": f"smtp+plain://127.0.0.1:{smtp}",
                "EXAMHALL_AMQP_URL": self.amqp_url,
                "EXAMHALL_PUBLIC_URL": "https://exam.example/",
                "EXAMHALL_PORT": str(ports.any_free()),
            }
            words = ("services.notify.app", "worker")
            self.processes[worker] = Process(worker, self.folder, environment, words)
        relaying = {
            **os.environ,
            "CHAOS_PUBLISHING": self.url("identity"),
            "CHAOS_HANDLING": self.url("notify"),
            "CHAOS_AMQP": self.amqp_url,
        }
        self.processes[RELAY] = Process(RELAY, self.folder, relaying)
        for process in self.processes.values():
            await process.start()

    async def close(self) -> None:
        await self.end(*(name for name in self.processes if name != SINK))
        await super().close()

    def arrived(self) -> Counter[str]:
        """How often each letter is in the mail server's journal."""
        return Counter(self.journal.read_text().split())


async def _owe(url: str, count: int, dice: random.Random) -> None:
    """Let identity say that so many letters are owed."""
    pool = await db.create_pool(url, application="chaos", size=1)
    left = count
    while left:
        together = min(left, dice.choice(EVENTS_TOGETHER))
        events = [
            PasswordChanged(
                request_id=uuid4(),
                email=f"candidate{left - number}@exam.example",
                person="王大同",
                language="zh-Hant-TW",
                changed_at=datetime.now(UTC),
            )
            for number in range(together)
        ]
        async with db.transaction(pool) as tx:
            await outbox.publish(tx, events)
        left -= together
    pool.terminate()


async def run(*, count: int, seed: int) -> Verdict:
    """Let letters go out, strike until the last is on record, then count."""
    print(f"letters under fire: {count}, seed {seed}", flush=True)
    dice = random.Random(seed)
    began = time.monotonic()
    faults: Counter[str] = Counter()
    async with opened(House) as house:
        await _owe(house.url("identity"), count, dice)
        pool = await asyncpg.create_pool(house.url("notify"), min_size=0, max_size=1)

        async def is_over(share: float = 1.0) -> bool:
            try:
                sent = await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'")
            except Exception as error:
                if not db.is_unavailable(error):
                    raise
                return False
            return bool(sent >= count * share)

        # The last tenth is left in peace, so that what was struck last is seen to recover.
        async with asyncio.TaskGroup() as strikes:
            while not await is_over(0.9):
                await asyncio.sleep(dice.uniform(SHORTEST_GAP, LONGEST_GAP))
                target = dice.choice(TARGETS)
                strikes.create_task(
                    _strike(house, target, dice.uniform(0, LONGEST_ABSENCE), faults)
                )
        try:
            await eventually(is_over, seconds=SETTLING_SECONDS)
        except TimeoutError:
            house.misbehaved.append(f"not settled after {SETTLING_SECONDS} seconds")
        seconds = time.monotonic() - began
        written = await pool.fetchval("SELECT count(*) FROM letters")
        sent = await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'")
        arrived = house.arrived()
        pool.terminate()
    return Verdict(
        letters=count,
        seconds=round(seconds, 1),
        faults=faults,
        written=written,
        arrived=len(arrived),
        sent_by_the_register=sent,
        duplicates=arrived.total() - len(arrived),
        duplicates_nobody_can_exclude=sum(
            CONNECTIONS * times * (1 if target in WORKERS else len(WORKERS))
            for target, times in faults.items()
            if target != BROKER
        ),
        misbehaved=house.misbehaved,
    )


async def _strike(house: House, target: str, absence: float, faults: Counter[str]) -> None:
    if await house.strike(target, Blow.KILL, absence):
        faults[target] += 1
