"""Results: candidates who are signed in look at their results in a crowd, and take statements away.

Everything is on that production has: sessions, whose result it is and whether it is out by the
clock of the database, the page in full, a log line and figures for each request.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit
from uuid import UUID

import psutil

from shared import db, migrate
from tests.bench import ground
from tests.bench.load import Crowd, Load
from tests.bench.midnight import LONGEST_NIGHT, bare_rate
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess
from tests.scoring import world
from tests.servers import Servers
from tests.sessions import trust
from tests.site import SECRET

CONNECTIONS = 256
ROUNDS = 3
PEOPLE = 4_000
DOCUMENTS = 400


@dataclass(frozen=True)
class Morning:
    """A web process of scoring, and the pages of people whose results are out."""

    web: WebProcess
    people: Sequence[UUID]
    paths: Sequence[str]
    sign: Callable[[UUID], str]
    cookies: list[str]

    @property
    def pages(self) -> list[bytes]:
        return [*map(self._get, self.paths, self.cookies)]

    @property
    def documents(self) -> list[bytes]:
        paths = (f"{path}/statement.pdf" for path in self.paths)
        return [*map(self._get, paths, self.cookies)]

    def sign_in_anew(self) -> None:
        self.cookies[:] = map(self.sign, self.people)

    def cpu_seconds(self) -> float:
        times = psutil.Process(self.web.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        return float(psutil.Process(self.web.pid).memory_info().rss / 2**20)

    def _get(self, path: str, cookie: str) -> bytes:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {urlsplit(self.web.url).netloc}",
            f"Cookie: {cookie}",
            "Accept-Language: zh-TW",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _points(number: int) -> Sequence[str]:
    """Points of the three papers: hardly anybody has the same ones as another."""
    return tuple(str(number * step % most) for step, most in ((7, 31), (11, 51), (13, 21)))


@asynccontextmanager
async def morning(servers: Servers) -> AsyncIterator[Morning]:
    async with ground.new_database(servers) as url:
        await migrate.migrate(url, ground.ROOT / "services" / "scoring" / "migrations")
        pool = await db.create_pool(url, application="bench", size=4)
        await world.prepare(pool, PEOPLE, but={number: _points(number) for number in range(PEOPLE)})
        await world.release_at_once(pool)
        await pool.execute("VACUUM (ANALYZE)")
        people = [world.account_of(number) for number in range(PEOPLE)]
        sign = await trust(pool, lasts=LONGEST_NIGHT)
        rows = await pool.fetch(
            "SELECT account_id, results.id FROM results JOIN holders USING (entry_id)"
        )
        found = {row["account_id"]: row["id"] for row in rows}
        environment = {"SCORING_DATABASE_URL": url, "EXAMHALL_SECRET_KEY": SECRET}
        async with WebProcess.start("scoring", environment, servers.amqp_url) as web:
            paths = [f"/scoring/results/{found[person]}" for person in people]
            yield Morning(web, people, paths, sign, [*map(sign, people)])
        await pool.close()


async def run(servers: Servers) -> Report:
    crowd = Crowd()
    bare, looks, papers = list[float](), list[Load](), list[Load]()
    page_cpu, paper_cpu = list[float](), list[float]()
    async with morning(servers) as today:
        await send(crowd, today, today.pages)  # everything is loaded, every session known
        memory_of_pages = today.memory_mb()
        await send(crowd, today, today.documents[:DOCUMENTS])
        for number in range(ROUNDS):
            bare.append(await bare_rate(crowd))
            before = today.cpu_seconds()
            looks.append(await send(crowd, today, today.pages))
            page_cpu.append((today.cpu_seconds() - before) / PEOPLE * 1e3)
            before = today.cpu_seconds()
            start = (number + 1) * DOCUMENTS  # nobody's document is made twice
            papers.append(await send(crowd, today, today.documents[start : start + DOCUMENTS]))
            paper_cpu.append((today.cpu_seconds() - before) / DOCUMENTS * 1e3)
        memory = today.memory_mb()
    crowd.close()
    rate = median(load.rate for load in looks)
    return Report(
        "results",
        f"{PEOPLE:,} signed-in people look at their results over {CONNECTIONS} connections",
        [
            Figure("bare aiohttp, JSON in, JSON out", median(bare), "answers/s"),
            Figure("result pages", rate, "pages/s"),
            Figure("CPU of a page", median(page_cpu), "ms"),
            Figure("median", median(load.percentile(50) for load in looks) * 1e3, "ms"),
            Figure("p99", median(load.percentile(99) for load in looks) * 1e3, "ms"),
            Figure("statements as PDF", median(load.rate for load in papers), "documents/s"),
            Figure("CPU of a statement, the request included", median(paper_cpu), "ms"),
            Figure("a core's share that making the load took",
                   max(load.busy for load in looks), ""),
            Figure("memory of the web process before its first document", memory_of_pages, "MB"),
            Figure("memory of the web process afterwards", memory, "MB"),
        ],
        [
            Ratio("result pages to bare aiohttp", rate / median(bare), at_least=0.3),
            Ratio("CPU of a statement in units of 5 ms", median(paper_cpu) / 5, at_most=1),
        ],
    )  # fmt: skip


async def send(crowd: Crowd, today: Morning, requests: Sequence[bytes]) -> Load:
    # A queue of documents has an end: more at once are told to come back.
    connections = min(CONNECTIONS, len(requests) // 8)
    load = await crowd.send(today.web.url, requests, connections=connections)
    assert len(load.told(200)) == len(requests), Counter(answer.status for answer in load.answers)
    return load
