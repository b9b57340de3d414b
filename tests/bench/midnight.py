"""Midnight: signed-in candidates claim places over HTTP at one instant, and each is told the truth.

Everything is on that production has: sessions, the check against foreign forms, validation, a log
line and figures for each request, and a commit on disk before the answer.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psutil

from shared import db, migrate
from shared.db import Pool
from tests.bench import ground, one_each
from tests.bench.load import Answer, Crowd, Load, post
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess, run_module
from tests.enrollment import world
from tests.servers import Servers
from tests.sessions import trust
from tests.site import SECRET

PEOPLE = 16_000
CONNECTIONS = 256
AREAS = 16
ROUNDS = 3
SCARCE = 500
# Longer than any benchmark takes; nobody's session runs out meanwhile.
LONGEST_NIGHT = timedelta(hours=6)
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Night:
    """A web process of enrollment, its database, and people who are signed in."""

    web: WebProcess
    others: Sequence[WebProcess]
    database_url: str
    pool: Pool
    people: Sequence[UUID]
    sign: Callable[[UUID], str]
    cookies: list[str]

    def sign_in_anew(self) -> None:
        self.cookies[:] = map(self.sign, self.people)

    def wishes(self, *, areas: int, url: str = "") -> list[bytes]:
        """Everybody's form: one place each, in one of so many areas."""
        return [
            post(
                url or self.web.url,
                "/enrollment/registrations/",
                urlencode({"sitting": "m1", "area": f"area-{number % areas + 1}"}).encode(),
                headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"},
                content_type=FORM,
            )
            for number, cookie in enumerate(self.cookies)
        ]

    async def open_anew(self, capacity: int | None = None) -> None:
        """Forget all claims of the night; what earlier years left stays."""
        await self.pool.execute("DELETE FROM registrations WHERE sitting = 'm1'")
        await self.pool.execute("DELETE FROM outbox")
        await self.pool.execute(
            "UPDATE places SET taken = 0, capacity = $1 WHERE sitting = 'm1'", capacity
        )
        await self.pool.execute("VACUUM (ANALYZE) places, outbox, registrations")
        await self.pool.execute("CHECKPOINT")


@asynccontextmanager
async def night(
    servers: Servers,
    *,
    people: int = PEOPLE,
    processes: int = 1,
    flush: timedelta = timedelta(),
) -> AsyncIterator[Night]:
    async with ground.new_database(servers, flush=flush) as url:
        await migrate.migrate(url, ground.ROOT / "services" / "enrollment" / "migrations")
        pool = await db.create_pool(url, application="bench", size=4)
        await world.add_programme(pool)
        areas = {f"area-{number}": None for number in range(1, AREAS + 1)}
        await world.add_sitting(pool, "m1", areas)
        ids = [uuid4() for _ in range(people)]
        environment = {
            "ENROLLMENT_DATABASE_URL": url,
            "EXAMHALL_SECRET_KEY": SECRET,
            "ENROLLMENT_DOCUMENTS_URL": "file:///nowhere",  # nobody uploads any
        }
        sign = await trust(pool, lasts=LONGEST_NIGHT)
        async with AsyncExitStack() as stack:
            webs = [
                await stack.enter_async_context(
                    WebProcess.start("enrollment", environment, servers.amqp_url)
                )
                for _ in range(processes)
            ]
            yield Night(webs[0], webs[1:], url, pool, ids, sign, [*map(sign, ids)])
        await pool.close()


async def check(night: Night, load: Load, *, capacity: int | None) -> None:
    """Hold what everybody was told against what is in the database."""
    rows = await night.pool.fetch(
        "SELECT id, account_id, area FROM registrations WHERE sitting = 'm1'"
    )
    held = {row["account_id"]: row["id"] for row in rows}
    assert len(held) == len(rows), "somebody holds two places"
    told = {night.people[answer.number]: _registration(answer) for answer in load.told(303)}
    assert told == held, "somebody was told one thing, and the database says another"
    counted = Counter(row["area"] for row in rows)
    for place in await night.pool.fetch("SELECT area, taken FROM places WHERE sitting = 'm1'"):
        assert place["taken"] == counted[place["area"]], place
        assert capacity is None or place["taken"] <= capacity, "oversold"
    announced = await night.pool.fetchval("SELECT sum(jsonb_array_length(body::jsonb)) FROM outbox")
    assert announced == len(rows), "a claim was not announced"


def _registration(answer: Answer) -> UUID:
    return UUID(answer.location.rpartition("/")[2])


async def bare_rate(crowd: Crowd) -> float:
    """Ask a bare server as often, for a JSON answer to a JSON body."""
    async with run_module("tests.bench.bare_web") as url:
        body = b'{"sitting": "m1", "area": "area-1"}'
        request = post(url, "/", body, headers={}, content_type="application/json")
        load = await crowd.send(url, [request] * PEOPLE, connections=CONNECTIONS)
        assert len(load.told(200)) == PEOPLE
        return load.rate


@dataclass(frozen=True)
class Rounds:
    """What was measured on one disk: the yardsticks of the database, and claims beside them."""

    each: list[float] = field(default_factory=list)
    one_row: list[float] = field(default_factory=list)
    spread: list[Load] = field(default_factory=list)
    crowded: list[Load] = field(default_factory=list)

    async def add(self, crowd: Crowd, tonight: Night) -> None:
        self.each.append(await _pgbench(tonight, rooms=AREAS, clients=8))
        self.one_row.append(await _pgbench(tonight, rooms=1, clients=32))
        self.spread.append(await claim(crowd, tonight, areas=AREAS))
        self.crowded.append(await claim(crowd, tonight, areas=1))

    @property
    def claims(self) -> float:
        return median(load.rate for load in self.spread)

    @property
    def one_area(self) -> float:
        return median(load.rate for load in self.crowded)

    @property
    def p99(self) -> float:
        return median(load.percentile(99) for load in self.spread)

    def tell(self, disk: str) -> list[Figure]:
        return [
            Figure(f"pgbench, one each, 16 areas, {disk}", median(self.each), "claims/s"),
            Figure(f"pgbench, one each, one area, {disk}", median(self.one_row), "claims/s"),
            Figure(f"claims, 16 areas, {disk}", self.claims, "claims/s"),
            Figure(f"claims, everybody in one area, {disk}", self.one_area, "claims/s"),
            Figure(f"p99, {disk}", self.p99 * 1e3, "ms"),
        ]


async def run(servers: Servers) -> Report:
    crowd = Crowd()
    bare, here, slower, full = list[float](), Rounds(), Rounds(), list[Load]()
    async with night(servers) as tonight:
        await warm_up(crowd, tonight)
        for _ in range(ROUNDS):
            bare.append(await bare_rate(crowd))
            await here.add(crowd, tonight)
            full.append(await claim(crowd, tonight, areas=1, capacity=SCARCE))
        memory = psutil.Process(tonight.web.pid).memory_info().rss / 2**20
    async with night(servers, flush=ground.FLUSH) as tonight:
        await warm_up(crowd, tonight)
        for _ in range(ROUNDS):
            await slower.add(crowd, tonight)
    crowd.close()
    refusals = median(load.rate for load in full)
    return Report(
        "midnight",
        f"{PEOPLE:,} signed-in people claim a place each over {CONNECTIONS} connections",
        [
            Figure("bare aiohttp, JSON in, JSON out", median(bare), "answers/s"),
            *here.tell("this disk"),
            *slower.tell("1 ms a flush"),
            Figure(f"answers when {SCARCE} of them get a place", refusals, "answers/s"),
            Figure("median", median(load.percentile(50) for load in here.spread) * 1e3, "ms"),
            Figure("p99 when nearly all are refused",
                   median(load.percentile(99) for load in full) * 1e3, "ms"),
            Figure("a core's share that making the load took",
                   max(load.busy for load in [*here.spread, *here.crowded, *full]), ""),
            Figure("memory of the web process afterwards", memory, "MB"),
            Figure("oversold, lost, doubled", 0, "places"),
        ],
        [
            Ratio("claims to pgbench, one each, this disk", here.claims / median(here.each)),
            Ratio("claims to pgbench, one each, 1 ms a flush",
                  slower.claims / median(slower.each), at_least=2.5),
            Ratio("one area to pgbench, one row, this disk",
                  here.one_area / median(here.one_row)),
            Ratio("one area to pgbench, one row, 1 ms a flush",
                  slower.one_area / median(slower.one_row), at_least=8),
            Ratio("claims to bare aiohttp", here.claims / median(bare), at_least=0.5),
            Ratio("p99 in units of 100 ms", here.p99 / 0.1, at_most=1),
            Ratio("refusals to claims", refusals / here.claims, at_least=1),
        ],
    )  # fmt: skip


async def claim(crowd: Crowd, tonight: Night, *, areas: int, capacity: int | None = None) -> Load:
    await tonight.open_anew(capacity)
    load = await crowd.send(tonight.web.url, tonight.wishes(areas=areas), connections=CONNECTIONS)
    expected = len(tonight.people) if capacity is None else capacity * areas
    assert len(load.told(303)) == expected, Counter(answer.status for answer in load.answers)
    await check(tonight, load, capacity=capacity)
    return load


async def warm_up(crowd: Crowd, tonight: Night) -> None:
    """Let everybody look at the page before: so they do, and then their session is known."""
    await claim(crowd, tonight, areas=AREAS)


async def _pgbench(tonight: Night, *, rooms: int, clients: int) -> float:
    await tonight.open_anew()
    return await one_each.claim(tonight.database_url, rooms=rooms, clients=clients)
