"""Soak: the same crowds come again and again, and what they leave behind in memory is watched.

Claims and refusals at enrollment, result pages and statements at scoring, and notices at payments,
each at a web process of its own, as long as one likes.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack

import psutil

from shared.auth import REMEMBERED_SESSIONS
from tests.bench import midnight, results, settle
from tests.bench.load import Crowd
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess
from tests.servers import Servers

MINUTES = 60
PEOPLE = 4_000
# Everybody signs in anew for each round. By then everything is loaded, every pool is full, and as
# many sessions are remembered as ever will be.
ROUNDS_BEFORE = REMEMBERED_SESSIONS // PEOPLE + 2


async def run(servers: Servers, *, minutes: float = MINUTES) -> Report:
    crowd = Crowd()
    memory = defaultdict[str, list[float]](list)
    requests = 0
    async with AsyncExitStack() as stack:
        tonight = await stack.enter_async_context(midnight.night(servers, people=PEOPLE))
        today = await stack.enter_async_context(results.morning(servers))
        till = await stack.enter_async_context(settle.till(servers))
        webs = {"enrollment": tonight.web, "scoring": today.web, "payments": till.web}
        began, number = time.monotonic(), 0
        while number <= ROUNDS_BEFORE or time.monotonic() - began < minutes * 60:
            number += 1
            tonight.sign_in_anew()
            today.sign_in_anew()
            await midnight.claim(crowd, tonight, areas=midnight.AREAS)
            await midnight.claim(crowd, tonight, areas=1, capacity=midnight.SCARCE)
            await results.send(crowd, today, today.pages)
            await results.send(crowd, today, today.documents[: results.DOCUMENTS])
            await settle.settle(crowd, till, f"S{number}N")
            requests += 2 * PEOPLE + results.PEOPLE + results.DOCUMENTS + 2 * settle.NOTICES
            if number > ROUNDS_BEFORE:
                _weigh(webs, memory)
        passed = (time.monotonic() - began) / 60
    crowd.close()
    return Report(
        "soak",
        f"{requests:,} requests in {passed:.0f} minutes, {number} rounds of the same crowds",
        [
            figure
            for service, weights in memory.items()
            for figure in (
                Figure(f"{service}: memory of the web process at first", weights[0], "MB"),
                Figure(f"{service}: at the end", weights[-1], "MB"),
                Figure(f"{service}: at most", max(weights), "MB"),
            )
        ],
        [
            Ratio(f"{service}: memory at the end to memory at first",
                  weights[-1] / weights[0], at_most=1.05)
            for service, weights in memory.items()
        ],
    )  # fmt: skip


def _weigh(webs: Mapping[str, WebProcess], memory: Mapping[str, list[float]]) -> None:
    for service, web in webs.items():
        memory[service].append(psutil.Process(web.pid).memory_info().rss / 2**20)
