"""Money under fire: payments, sandbox, broker and database are killed while orders are paid.

People pay in all ways, some twice, some not at all; the providers misbehave towards some. At the
end every dollar that the providers took is held against the captures, the ledger and the orders.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
from aiohttp import ClientSession

from deploy.one_machine import ports
from services.payments import app
from services.payments.consumers import HANDLERS
from shared import bus, db, migrate, outbox
from shared.db import Pool
from shared.events import all_events
from shared.events.enrollment import RegistrationSubmitted
from shared.worker import SHARED_HANDLERS
from tests.chaos.payers import Payers, Person
from tests.chaos.plan import BROKER, DATABASE, Blow
from tests.chaos.reckoning import WITNESS, Verdict, judge
from tests.chaos.targets import Process, Targets, opened, patience
from tests.eventually import eventually
from tests.payments.till import TITLES
from tests.sandbox import CREDENTIALS, Sandbox
from tests.sessions import trust
from tests.site import SECRET

WEB, WORKER, SANDBOX, RELAY = "web", "worker", "sandbox", "relay"
TARGETS = (WEB, WORKER, SANDBOX, BROKER, DATABASE)
SHORTEST_GAP, LONGEST_GAP, LONGEST_ABSENCE = 0.2, 2.0, 1.0
# So many at most, spread over the whole run: a person opens some 20 pages.
BLOWS, PAGES_OF_EACH = 150, 20
# Now and then two go down together.
STRUCK_TOGETHER = (1, 1, 1, 2)
SETTLING_SECONDS = 180
LONGEST_SECONDS = 3_600

WAYS = ("convenience_store/code", "convenience_store/slip", "atm", "card", "line_pay")
METHODS = ("convenience_store", "atm", "card", "line_pay")
AMOUNTS_TWD = (250, 400, 1_500)
SHARE_PAYING_TWICE = 0.08
SHARE_TROUBLED = 0.25
SHARE_IMPATIENT = 0.5
# Beside those who pay, one in so many takes a code and goes away.
PAYING_FOR_EACH_OTHER = 20
SUBMITTED_TOGETHER = (1, 1, 1, 7, 40)
# So many orders are there before their people come.
AHEAD = 100


class House(Targets):
    """Servers, payments' two processes, the providers, and enrollment's relay."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = ports.any_free()
        self.sandbox_url = f"http://127.0.0.1:{ports.any_free()}"

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, database: str) -> str:
        return self.postgres.database_url(database)

    async def open(self) -> None:
        await super().open()
        admin = await asyncpg.connect(self.postgres.url)
        for name, folder in (("enrollment", self.folder), ("payments", app.HERE)):
            await admin.execute(f"CREATE DATABASE {name}")
            await migrate.migrate(self.url(name), folder / "migrations")
        await admin.close()
        async with await bus.connect(self.amqp_url, name="chaos") as connection:
            channel = await bus.open_channel(connection)
            names = [event.name for event in (*HANDLERS, *SHARED_HANDLERS)]
            await bus.declare_topology(channel, service="payments", names=names)
            told = [one.name for one in all_events() if one.name.startswith("payments.")]
            await bus.declare_topology(channel, service=WITNESS, names=told)

    async def start_processes(self) -> None:
        payments = {
            "PAYMENTS_DATABASE_URL": self.url("payments"),
            "PAYMENTS_ECPAY_URL": f"{self.sandbox_url}/ecpay",
            "PAYMENTS_LINE_PAY_URL": f"{self.sandbox_url}/line-pay",
            **{f"PAYMENTS_{name.upper()}": value for name, value in CREDENTIALS.items()},
            "EXAMHALL_AMQP_URL": self.amqp_url,
            "EXAMHALL_PUBLIC_URL": self.site,
            "EXAMHALL_SECRET_KEY": SECRET,
        }
        sandbox = {
            "SANDBOX_PORT": self.sandbox_url.rpartition(":")[2],
            "SANDBOX_URL": self.sandbox_url,
            "SANDBOX_FOLDER": f"{self.folder}/sandbox",
            # Four times, as ECPay does, and then never again.
            "SANDBOX_NOTICE_RETRY_SECONDS": "[0.5, 1, 2, 4]",
            "SANDBOX_MOST_QUERIES_A_MINUTE": "1000000",  # for we ask sooner
        }
        relay = {
            "CHAOS_PUBLISHING": self.url("enrollment"),
            "CHAOS_HANDLING": self.url("payments"),
            "CHAOS_AMQP": self.amqp_url,
        }
        web = {**payments, "EXAMHALL_PORT": str(self.port)}
        worker = {**payments, "EXAMHALL_PORT": str(ports.any_free())}
        for name, words, environment in (
            (WEB, ("services.payments.app", "web"), web),
            (WORKER, ("services.payments.app", "worker"), worker),
            (SANDBOX, ("deploy.sandbox",), sandbox),
            (RELAY, (), relay),
        ):
            self.processes[name] = Process(name, self.folder, {**os.environ, **environment}, words)
            await self.processes[name].start()


async def run(*, orders: int, seed: int) -> Verdict:
    """Let everybody pay, strike meanwhile, then count."""
    print(f"money under fire: {orders} orders, seed {seed}", flush=True)
    dice = random.Random(seed)
    began = time.monotonic()
    faults: Counter[str] = Counter()
    async with (
        opened(House) as house,
        asyncpg.create_pool(house.url("enrollment"), min_size=0, max_size=1) as enrollment,
        ClientSession() as session,
    ):
        pool = await db.create_pool(house.url("payments"), application="chaos", size=2)
        crowd = Payers(house.site, house.sandbox_url, _draw(orders, dice), dice, await trust(pool))
        await house.start_processes()
        async with asyncio.TaskGroup() as tasks:
            paying = tasks.create_task(crowd.pay_all())
            meanwhile = (
                tasks.create_task(_submit(enrollment, crowd, dice)),
                tasks.create_task(_hurry(pool)),
            )
            answered = 0
            # The last are left in peace, so that what was struck last is seen to recover.
            while len(crowd.told) < orders * 0.95 and time.monotonic() - began < LONGEST_SECONDS:
                await asyncio.sleep(dice.uniform(SHORTEST_GAP, LONGEST_GAP))
                # On a slow machine a process takes long to come back: some progress lies between.
                if crowd.answered > answered + orders * PAGES_OF_EACH // BLOWS:
                    await _strike(house, dice, faults)
                    answered = crowd.answered
            settling = time.monotonic()
            sandbox = Sandbox(house.sandbox_url, session)
            await _settle(house, pool, sandbox, crowd, paying)
            for task in meanwhile:
                task.cancel()
        settled = time.monotonic() - settling
        await crowd.look_once_more()
        await house.end(WORKER, RELAY, WEB)
        verdict = await judge(
            house,
            pool,
            sandbox,
            crowd,
            faults=faults,
            seconds=round(time.monotonic() - began, 1),
            settled_after_seconds=round(settled, 1),
        )
        pool.terminate()
    return verdict


def _draw(orders: int, dice: random.Random) -> Sequence[Person]:
    """Think of people: who owes what, and how they mean to pay."""
    others = max(2, orders // PAYING_FOR_EACH_OTHER)
    pays = [True] * orders + [False] * others
    dice.shuffle(pays)
    return [
        Person(
            account_id=uuid4(),
            registration_id=uuid4(),
            amount_twd=dice.choice(AMOUNTS_TWD),
            ways=dice.sample(WAYS, 2 if one_pays and dice.random() < SHARE_PAYING_TWICE else 1),
            pays=one_pays,
            is_troubled=dice.random() < SHARE_TROUBLED,
            is_impatient=dice.random() < SHARE_IMPATIENT,
        )
        for one_pays in pays
    ]


async def _submit(enrollment: Pool, crowd: Payers, dice: random.Random) -> None:
    """Let enrollment say what is owed, somewhat before everybody comes to pay it."""
    for several in _in_parts(crowd.people, dice):
        while several[0] > crowd.begun + AHEAD:
            await asyncio.sleep(0.05)
        events = [_submitted(person) for person in several[1]]
        is_said = False
        while not is_said:
            # What was perhaps said is said again: an order is opened once.
            with patience():
                async with db.transaction(enrollment) as tx:
                    await outbox.publish(tx, events)
                is_said = True
            await asyncio.sleep(0.05)


def _in_parts(
    people: Sequence[Person], dice: random.Random
) -> Iterator[tuple[int, Sequence[Person]]]:
    """Cut a crowd into parts of several sizes, each with where it begins."""
    begins = 0
    while begins < len(people):
        ends = begins + dice.choice(SUBMITTED_TOGETHER)
        yield begins, people[begins:ends]
        begins = ends


def _submitted(person: Person) -> RegistrationSubmitted:
    now = datetime.now(UTC)
    return RegistrationSubmitted(
        registration_id=person.registration_id,
        account_id=person.account_id,
        reference="HK-7Q4M-2XKD",
        sitting="m1",
        sitting_titles=TITLES,
        programme="hakka-115",
        exam_date=now.date() + timedelta(days=90),
        amount_twd=person.amount_twd,
        methods=list(METHODS),
        submitted_at=now,
        pay_by=now + timedelta(days=5),
    )


async def _hurry(pool: Pool) -> None:
    """Let the worker ask the providers after seconds, not hours: each second leaves a
    quarter of the wait."""
    while True:
        with patience():
            await pool.execute(
                """
                WITH later AS (
                    SELECT id FROM attempts WHERE ask_at > now()
                       FOR NO KEY UPDATE SKIP LOCKED
                )
                UPDATE attempts SET ask_at = now() + (ask_at - now()) / 4
                  FROM later WHERE attempts.id = later.id
                """
            )
        await asyncio.sleep(1)


async def _strike(house: House, dice: random.Random, faults: Counter[str]) -> None:
    """Kill one or two at random, and start them again after a while."""
    struck = dice.sample(TARGETS, dice.choice(STRUCK_TOGETHER))
    absences = [dice.uniform(0, LONGEST_ABSENCE) for _ in struck]
    async with asyncio.TaskGroup() as tasks:
        for target, absence in zip(struck, absences, strict=True):
            tasks.create_task(house.strike(target, Blow.KILL, absence))
    faults.update(struck)


async def _settle(
    house: House, pool: Pool, sandbox: Sandbox, crowd: Payers, paying: "asyncio.Task[None]"
) -> None:
    """Wait until nobody waits, and all that the providers know has arrived."""

    async def is_settled() -> bool:
        counted, on_the_way = None, True
        with patience():
            counted = await pool.fetchval("SELECT count(*) FROM captures")
            on_the_way = await pool.fetchval("SELECT count(*) > 0 FROM outbox")
        if on_the_way or not paying.done():
            return False
        taken = (await sandbox.captured())["payments"]
        return bool(counted == taken and not await sandbox.count_waiting())

    try:
        await eventually(is_settled, seconds=SETTLING_SECONDS)
        await paying
    except TimeoutError:
        house.misbehaved.append(f"not settled after {SETTLING_SECONDS} seconds")
        paying.cancel()
