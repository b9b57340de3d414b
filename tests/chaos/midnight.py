"""Midnight under fire: web process, worker, database and broker are killed while people claim.

Everybody asks again until they are told yes or no, as people do. At the end what each was told is
held against the database, and what the database says against what was announced.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from deploy.one_machine import ports
from services.enrollment import app
from services.enrollment.consumers import HANDLERS
from shared import bus, db, migrate
from shared.db import Pool
from shared.events import decode
from shared.events.enrollment import PlaceClaimed
from shared.worker import SHARED_HANDLERS
from tests.chaos.claimants import People
from tests.chaos.plan import BROKER, DATABASE, Blow
from tests.chaos.targets import Process, Targets, opened, patience
from tests.chaos.verdict import show
from tests.enrollment import world
from tests.eventually import eventually
from tests.sessions import sign_in
from tests.site import SECRET

WEB, WORKER = "web", "worker"
TARGETS = (WEB, WEB, WORKER, BROKER, DATABASE)
WITNESS = "witness"  # a queue that only this run reads
SHORTEST_GAP, LONGEST_GAP, LONGEST_ABSENCE = 0.5, 2.0, 1.0
SETTLING_SECONDS = 60
LONGEST_SECONDS = 600
# Two areas; in the small one, two of three are told that it is full.
SHARE_OF_SMALL_AREA = 0.5


@dataclass(frozen=True)
class Verdict:
    """What everybody was told, and what is true."""

    people: int
    seconds: float
    faults: Counter[str]
    asked: int
    told_yes: int
    told_full: int
    placed: int
    announced: int
    wrong: Sequence[str]

    @property
    def is_good(self) -> bool:
        return (
            not self.wrong
            and self.told_yes + self.told_full == self.people
            and self.told_yes == self.placed == self.announced
        )

    def print(self) -> None:
        show("midnight", vars(self), good=self.is_good, in_words="everybody was told the truth")


class House(Targets):
    """Servers and enrollment's two processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = ports.any_free()

    @property
    def database_url(self) -> str:
        return self.postgres.database_url("enrollment")

    async def open(self) -> None:
        await super().open()
        admin = await asyncpg.connect(self.postgres.url)
        await admin.execute("CREATE DATABASE enrollment")
        await admin.close()
        await migrate.migrate(self.database_url, app.HERE / "migrations")
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = [event.name for event in (*HANDLERS, *SHARED_HANDLERS)]
            await bus.declare_topology(channel, service="enrollment", names=names)
            await bus.declare_topology(channel, service=WITNESS, names=[PlaceClaimed.name])

    async def start_processes(self) -> None:
        for role, port in ((WEB, self.port), (WORKER, ports.any_free())):
            environment = {
                **os.environ,
                "ENROLLMENT_DATABASE_URL": self.database_url,
                "ENROLLMENT_DOCUMENTS_URL": f"file://{self.folder}/documents",
                "EXAMHALL_AMQP_URL": self.amqp_url,
                "EXAMHALL_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
                "EXAMHALL_SECRET_KEY": SECRET,
                "EXAMHALL_PORT": str(port),
            }
            words = ("services.enrollment.app", role)
            self.processes[role] = Process(role, self.folder, environment, words)
            await self.processes[role].start()


async def run(*, people: int, seed: int) -> Verdict:
    """Let everybody claim, strike meanwhile, then count."""
    print(f"midnight under fire: {people} people, seed {seed}", flush=True)
    dice = random.Random(seed)
    faults: Counter[str] = Counter()
    began = time.monotonic()
    async with opened(House) as house:
        pool = await db.create_pool(house.database_url, application="chaos", size=1)
        await world.add_programme(pool)
        small = int(people * SHARE_OF_SMALL_AREA / 3)
        await world.add_sitting(pool, "m1", {"large": None, "small": small})
        ids = [uuid4() for _ in range(people)]
        areas = ["small" if dice.random() < SHARE_OF_SMALL_AREA else "large" for _ in range(people)]
        crowd = People(f"http://127.0.0.1:{house.port}", ids, await sign_in(pool, ids), areas, dice)
        await house.start_processes()
        claiming = asyncio.create_task(crowd.claim_all())
        while not claiming.done() and time.monotonic() - began < LONGEST_SECONDS:
            # On a slow machine a process takes long to come back: some progress lies between blows.
            answered = crowd.answered
            await asyncio.wait([claiming], timeout=dice.uniform(SHORTEST_GAP, LONGEST_GAP))
            if answered < crowd.answered < people * 0.95:
                target, absence = dice.choice(TARGETS), dice.uniform(0, LONGEST_ABSENCE)
                await house.strike(target, Blow.KILL, absence)
                faults[target] += 1
        try:
            async with asyncio.timeout(SETTLING_SECONDS):
                await claiming
        except TimeoutError:
            crowd.wrong.append("people still wait for an answer")
        announced = await _hear(house, pool)
        await house.end(WEB, WORKER)
        placed = await _look(pool, crowd)
        pool.terminate()
    if announced != set(placed.values()):
        crowd.wrong.append("what was announced is not what is there")
    return Verdict(
        people=people,
        seconds=round(time.monotonic() - began, 1),
        faults=faults,
        asked=crowd.asked,
        told_yes=len(crowd.yes),
        told_full=len(crowd.full),
        placed=len(placed),
        announced=len(announced),
        wrong=[*house.misbehaved, *crowd.wrong],
    )


async def _hear(house: House, pool: Pool) -> set[UUID]:
    """Wait until everything has left the outbox; return which places were announced."""

    async def is_empty() -> bool:
        with patience():
            return not await pool.fetchval("SELECT count(*) FROM outbox")
        return False

    await eventually(is_empty, seconds=SETTLING_SECONDS)
    heard: set[UUID] = set()
    async with await bus.connect(house.amqp_url, name="chaos") as connection:
        queue = await (await connection.channel()).get_queue(WITNESS)
        while message := await queue.get(no_ack=True, fail=False):
            heard |= {event.registration_id for event in decode(PlaceClaimed, message.body)}
    return heard


async def _look(pool: Pool, crowd: People) -> dict[UUID, UUID]:
    """Hold what everybody was told against the database; return who holds which place."""
    rows = await pool.fetch("SELECT id, account_id FROM registrations")
    held = {row["account_id"]: row["id"] for row in rows}
    if len(held) != len(rows):
        crowd.wrong.append("somebody holds two places")
    if held != crowd.yes:
        crowd.wrong.append("somebody was told one thing, and the database says another")
    for area in ("large", "small"):
        await world.taken(pool, "m1", area)  # raises unless the counter says what the rows say
    return held
