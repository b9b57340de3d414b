"""Guessing one account's password over HTTP, ten thousand times, while its owner uses it.

Strangers come over many connections, from many networks, with no device, all with one device they
made up, or each with another; every fiftieth knows the password. Only the owner's device is known.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
from aiohttp import ClientSession, CookieJar, DummyCookieJar

from services.identity.pages.proving import LOCKED
from services.identity.pages.signing_in import WRONG
from services.identity.tries import ALLOWED
from tests.bench import ground, login
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess
from tests.servers import Servers
from tests.site import FROM_OUR_PAGE, PASSWORD, SECRET

TRIES = 10_000
CONNECTIONS = 20
# Of the strangers, and when all that may be tried has long been tried.
ONE_IN_SO_MANY_KNOWS = 50
OWNER_SIGNS_IN = 10
IN = "303"
OWNER = "p0@exam.example"
# Tries that are looked at: as many wrong ones as are allowed, and the one that locks.
LOOKS = ALLOWED + 1


@dataclass(frozen=True)
class Found:
    """What came of it."""

    seconds: float
    answers_to_strangers: Counter[str]
    answers_to_those_who_know: Counter[str]
    answers_to_the_owner: Counter[str]
    passwords_found_wrong: int  # as identity counted them
    locks: int  # in the audit log


async def run(servers: Servers) -> Report:
    async with ground.new_database(servers) as database_url:
        found = await attack(database_url, servers.amqp_url, tries=TRIES)
    looks = found.answers_to_strangers[WRONG]
    assert looks == found.passwords_found_wrong, found
    assert found.answers_to_strangers.total() == looks + found.answers_to_strangers[LOCKED], found
    assert found.answers_to_those_who_know.keys() == {LOCKED}, found
    assert found.locks == 1, found
    return Report(
        "attack",
        f"wrong passwords for one account through one web process, {CONNECTIONS} connections",
        [
            Figure("tries", TRIES, "tries"),
            Figure("tries answered", TRIES / found.seconds, "tries/s"),
            Figure("passwords looked at", looks, "passwords"),
            Figure(
                "strangers with the right password, turned away",
                found.answers_to_those_who_know[LOCKED],
                "strangers",
            ),
            Figure(
                "the owner's sign-ins meanwhile, let in", found.answers_to_the_owner[IN], "sign-ins"
            ),
        ],
        [
            Ratio("passwords looked at to the rule's", looks / LOOKS, at_most=1),
            Ratio(
                "the owner's sign-ins", found.answers_to_the_owner[IN] / OWNER_SIGNS_IN, at_least=1
            ),
        ],
    )


async def attack(database_url: str, amqp_url: str, *, tries: int) -> Found:
    """Attack a web process of its own on this database."""
    await login.prepare(database_url, people=1)
    environment = {
        "IDENTITY_DATABASE_URL": database_url,
        "EXAMHALL_SECRET_KEY": SECRET,
        "EXAMHALL_TRUSTED_PROXIES": "127.0.0.1",
    }
    async with WebProcess.start("identity", environment, amqp_url) as web:
        to_strangers, to_those_who_know, to_owner = Counter[str](), Counter[str](), Counter[str]()
        numbers, at_home = iter(range(1, tries + 1)), asyncio.Lock()
        owner = ClientSession(web.url, cookie_jar=CookieJar(unsafe=True), headers=FROM_OUR_PAGE)
        strangers = ClientSession(web.url, cookie_jar=DummyCookieJar(), headers=FROM_OUR_PAGE)

        async def keep_trying() -> None:
            for number in numbers:
                if number % ONE_IN_SO_MANY_KNOWS:
                    to_strangers[await _try(strangers, f"guess {number}", number)] += 1
                else:
                    to_those_who_know[await _try(strangers, PASSWORD, number)] += 1
                if number % (tries // OWNER_SIGNS_IN) == 0:
                    async with at_home:
                        to_owner[await _answer(owner, PASSWORD)] += 1

        async with owner, strangers:
            assert await _answer(owner, PASSWORD) == IN, "before anything was tried"
            began = time.perf_counter()
            await asyncio.gather(*(keep_trying() for _ in range(CONNECTIONS)))
            seconds = time.perf_counter() - began
    connection = await asyncpg.connect(database_url)
    wrong = await connection.fetchval(
        "SELECT sum(count)::int FROM counters WHERE name = 'wrong passwords'"
    )
    locks = await connection.fetchval("SELECT count(*) FROM audit_lines WHERE act = 'locked_out'")
    await connection.close()
    return Found(seconds, to_strangers, to_those_who_know, to_owner, wrong, locks)


async def _try(strangers: ClientSession, password: str, number: int) -> str:
    """Be a stranger: from one of 200 networks, each under one counted by itself."""
    headers = {"X-Forwarded-For": f"198.18.{number % 200}.7"}
    device = ("", "made-up", uuid4().hex)[number % 3]
    if device:
        headers["Cookie"] = f"device={device}"
    return await _answer(strangers, password, headers)


async def _answer(
    session: ClientSession, password: str, headers: dict[str, str] | None = None
) -> str:
    async with session.post(
        "/identity/sign-in",
        data={"email": OWNER, "password": password},
        headers={"Accept-Language": "en", **(headers or {})},
        allow_redirects=False,
    ) as answer:
        page = await answer.text()
        return next((words for words in (WRONG, LOCKED) if words in page), str(answer.status))
