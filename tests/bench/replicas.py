"""Replicas: the same midnight through one web process, and through three side by side."""

import asyncio
import os
from statistics import median

from tests.bench import midnight
from tests.bench.load import Answer, Crowd, Load
from tests.bench.midnight import Night
from tests.bench.report import Figure, Ratio, Report
from tests.servers import Servers

PROCESSES = 3
ROUNDS = 3


async def run(servers: Servers) -> Report:
    crowds = [Crowd() for _ in range(PROCESSES)]
    alone, together = [], []
    async with midnight.night(servers, processes=PROCESSES) as tonight:
        await _claim(crowds, tonight)
        for _ in range(ROUNDS):
            alone.append((await midnight.claim(crowds[0], tonight, areas=midnight.AREAS)).rate)
            together.append(await _claim(crowds, tonight))
    for crowd in crowds:
        crowd.close()
    return Report(
        "replicas",
        f"{midnight.PEOPLE:,} people claim a place each, on a machine of {os.cpu_count()} cores "
        "that database and load share",
        [
            Figure("claims through one process", median(alone), "claims/s"),
            Figure(f"claims through {PROCESSES} side by side", median(together), "claims/s"),
        ],
        [Ratio(f"{PROCESSES} processes to one", median(together) / median(alone))],
    )


async def _claim(crowds: list[Crowd], tonight: Night) -> float:
    """Let everybody claim, a share of them at each process; return claims a second in all."""
    await tonight.open_anew()
    shares = []
    for number, web in enumerate([tonight.web, *tonight.others]):
        wishes = tonight.wishes(areas=midnight.AREAS, url=web.url)
        shares.append((web.url, list(range(number, len(wishes), PROCESSES)), wishes))
    loads = await asyncio.gather(
        *(
            crowd.send(
                url,
                [wishes[who] for who in mine],
                connections=midnight.CONNECTIONS // PROCESSES,
            )
            for crowd, (url, mine, wishes) in zip(crowds, shares, strict=True)
        )
    )
    answers = [
        Answer(mine[answer.number], answer.status, answer.location, answer.seconds)
        for load, (_, mine, _) in zip(loads, shares, strict=True)
        for answer in load.answers
    ]
    whole = Load(answers, max(load.seconds for load in loads), 0)
    await midnight.check(tonight, whole, capacity=None)
    assert len(whole.told(303)) == midnight.PEOPLE
    return whole.rate
