"""Sign-ins per second and core against bare argon2, and other pages meanwhile; what times tell."""

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from statistics import median, quantiles

import uvloop
from aiohttp import ClientSession, CookieJar, TCPConnector

from services.identity import accounts, keys
from services.identity.passwords import HASHER
from services.identity.sessions import CANDIDATE_SESSION_LASTS
from services.identity.settings import Settings
from shared import db, migrate
from shared.db import transaction
from tests.bench import ground
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess
from tests.servers import Servers
from tests.site import PASSWORD, SECRET

PEOPLE = 400
ROUNDS = 4
SECONDS = 3.0
AT_ONCE = 8
# Pages asked for per second while passwords are hashed.
PAGES_PER_SECOND = 50
TIMED = 60
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


async def run(servers: Servers) -> Report:
    async with ground.new_database(servers) as database_url:
        await prepare(database_url, people=PEOPLE)
        environment = {
            "IDENTITY_DATABASE_URL": database_url,
            "IDENTITY_PASSWORD_WORKERS": "1",
            "EXAMHALL_SECRET_KEY": SECRET,
        }
        async with WebProcess.start("identity", environment, servers.amqp_url) as web:
            alone, meanwhile, sign_ins, bare = [], [], [], []
            # From a process of its own: what times the pages must not be busy with it.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(others, _sign_in_for, web.url, 0.5)
                # In turns, so that whatever else the machine does disturbs all of them alike.
                for _ in range(ROUNDS):
                    bare.append(await _hash_bare(SECONDS))
                    alone += await _ask_pages(web.url, seconds=SECONDS)
                    signing_in = loop.run_in_executor(others, _sign_in_for, web.url, SECONDS + 1)
                    await asyncio.sleep(0.5)
                    meanwhile += await _ask_pages(web.url, seconds=SECONDS)
                    sign_ins.append(await signing_in)
            known = await _time_wrong(web.url, "p{}@exam.example")
            unknown = await _time_wrong(web.url, "nobody{}@exam.example")
            known_reset = await _time_reset(web.url, "p{}@exam.example")
            unknown_reset = await _time_reset(web.url, "nobody{}@exam.example")
    return Report(
        "login",
        "sign-ins through one web process that hashes on one core",
        [
            Figure("bare argon2, one core", median(bare), "hashes/s"),
            Figure("sign-ins, one core", median(sign_ins), "sign-ins/s"),
            Figure("a page, nobody signing in, median", median(alone) * 1e3, "ms"),
            Figure("a page meanwhile, median", median(meanwhile) * 1e3, "ms"),
            Figure("a page, nobody signing in, p95", quantiles(alone, n=20)[-1] * 1e3, "ms"),
            Figure("a page meanwhile, p95", quantiles(meanwhile, n=20)[-1] * 1e3, "ms"),
            Figure("wrong password, known address, median", median(known) * 1e3, "ms"),
            Figure("wrong password, unknown address, median", median(unknown) * 1e3, "ms"),
            Figure("forgotten password, known address, median", median(known_reset) * 1e3, "ms"),
            Figure(
                "forgotten password, unknown address, median", median(unknown_reset) * 1e3, "ms"
            ),
        ],
        [
            Ratio("sign-ins to bare argon2", median(sign_ins) / median(bare), at_least=0.85),
            Ratio(
                "a page meanwhile to alone, median", median(meanwhile) / median(alone), None, 1.2
            ),
            Ratio("wrong password, known to unknown", median(known) / median(unknown)),
            Ratio(
                "forgotten password, known to unknown", median(known_reset) / median(unknown_reset)
            ),
        ],
    )


async def prepare(database_url: str, *, people: int) -> None:
    """Make identity's tables, its first key, and so many accounts."""
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
            "EXAMHALL_SECRET_KEY": SECRET,
        }
    )
    await migrate.migrate(database_url, ground.ROOT / "services" / "identity" / "migrations")
    pool = await db.create_pool(database_url, application="bench")
    now = datetime.now(UTC)
    hashed = HASHER.hash(PASSWORD)
    async with transaction(pool) as tx:
        await keys.rotate(tx, vault=settings.vault, now=now, sessions_last=CANDIDATE_SESSION_LASTS)
        for number in range(people):
            await accounts.open_(
                tx,
                email=f"p{number}@exam.example",
                person=f"Person {number}",
                language="en",
                password_hash=hashed,
                roles=(),
                actor="bench",
                now=now,
            )
    await pool.close()


async def _hash_bare(seconds: float) -> float:
    """Verify passwords on one thread as fast as it goes."""
    hashed = HASHER.hash(PASSWORD)

    def verify() -> float:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            HASHER.verify(hashed, PASSWORD)
            count += 1
        return count / (time.perf_counter() - began)

    with ThreadPoolExecutor(1) as executor:
        return await asyncio.get_running_loop().run_in_executor(executor, verify)


def _session(url: str) -> ClientSession:
    return ClientSession(
        url,
        cookie_jar=CookieJar(unsafe=True),
        connector=TCPConnector(limit=0),
        headers=FROM_OUR_PAGE,
    )


def _sign_in_for(url: str, seconds: float) -> float:
    """Sign in as many as it takes, from several browsers at once; return how many a second."""
    return uvloop.run(_sign_in(url, seconds))


async def _sign_in(url: str, seconds: float) -> float:
    numbers = iter(range(10**9))
    count, began = 0, time.perf_counter()

    async def keep_signing_in() -> None:
        nonlocal count
        while time.perf_counter() - began < seconds:
            async with _session(url) as session:
                email = f"p{next(numbers) % PEOPLE}@exam.example"
                answer = await session.post(
                    "/identity/sign-in",
                    data={"email": email, "password": PASSWORD},
                    allow_redirects=False,
                )
                assert answer.status == 303, answer.status
                count += 1

    await asyncio.gather(*(keep_signing_in() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - began)


async def _ask_pages(url: str, *, seconds: float) -> list[float]:
    """Ask for a page at an even rate; return how long each answer took."""
    spent = []
    async with _session(url) as session:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            asked = time.perf_counter()
            async with session.get("/identity/terms") as answer:
                await answer.read()
            spent.append(time.perf_counter() - asked)
            await asyncio.sleep(max(0.0, 1 / PAGES_PER_SECOND - spent[-1]))
    return spent


async def _time(url: str, path: str, email: str, **more: str) -> list[float]:
    spent = []
    async with _session(url) as session:
        for number in range(TIMED):
            began = time.perf_counter()
            async with session.post(
                path, data={"email": email.format(number), **more}, allow_redirects=False
            ) as answer:
                await answer.read()
            spent.append(time.perf_counter() - began)
    return spent


async def _time_wrong(url: str, email: str) -> list[float]:
    return await _time(url, "/identity/sign-in", email, password="not the password")


async def _time_reset(url: str, email: str) -> list[float]:
    return await _time(url, "/identity/forgotten-password", email)
