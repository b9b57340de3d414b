"""Three web processes side by side keep all promises: they share nothing but the database."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

from aiohttp import ClientSession

from shared.db import Pool
from tests.bench.web_process import WebProcess
from tests.enrollment import world
from tests.sessions import sign_in
from tests.site import SECRET

PEOPLE = 300
CAPACITY = 100


async def test_three_processes_sell_every_place_once(
    pool: Pool, database_url: str, amqp_url: str
) -> None:
    await world.add_sitting(pool, "n1", {"taoyuan": CAPACITY}, series="national")
    await world.add_sitting(pool, "n2", {"taoyuan": CAPACITY}, series="national", number=2)
    people = [uuid4() for _ in range(PEOPLE)]
    cookies = dict(zip(people, await sign_in(pool, people), strict=True))
    environment = {
        "ENROLLMENT_DATABASE_URL": database_url,
        "EXAMHALL_SECRET_KEY": SECRET,
        "ENROLLMENT_DOCUMENTS_URL": "file:///nowhere",
    }
    # Everybody tries both national sittings on all three processes, at once and in any order.
    tries = [(who, sitting, at) for who in people for sitting in ("n1", "n2") for at in range(3)]
    random.shuffle(tries)
    told: dict[UUID, set[str]] = {who: set() for who in people}
    statuses: Counter[int] = Counter()
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(WebProcess.start("enrollment", environment, amqp_url))
            for _ in range(3)
        ]
        session = await stack.enter_async_context(ClientSession())

        async def ask(who: UUID, sitting: str, at: int) -> None:
            async with session.post(
                f"{processes[at].url}/enrollment/registrations/",
                data={"sitting": sitting, "area": "taoyuan"},
                headers={"Cookie": cookies[who], "Sec-Fetch-Site": "same-origin"},
                allow_redirects=False,
            ) as answer:
                statuses[answer.status] += 1
                if answer.status == 303:
                    told[who].add(answer.headers["Location"].rpartition("/")[2])

        await asyncio.gather(*(ask(*one) for one in tries))
    assert set(statuses) == {303, 409}
    assert all(len(places) <= 1 for places in told.values()), "somebody was told two places"
    rows = await pool.fetch("SELECT id, account_id FROM registrations")
    assert {row["account_id"]: {str(row["id"])} for row in rows} == {
        who: places for who, places in told.items() if places
    }
    assert await world.taken(pool, "n1") == await world.taken(pool, "n2") == CAPACITY
