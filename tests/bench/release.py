"""Release: a hundred thousand results appear at one instant, and whoever registered is written to.

Everything runs as in production, each part in a process of its own: scoring's pages and its worker
with the relay, notify's worker, and a mail server. They have servers of their own, since there is
one queue for each service, which a running site reads.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import ClassVar

import psutil

from services.notify.settings import Settings
from tests.bench.letters import send_bare, write_one
from tests.bench.report import Figure, Ratio, Report
from tests.chaos.post_office import RELAY, SINK
from tests.chaos.results_house import Night, ResultsHouse
from tests.chaos.targets import opened
from tests.eventually import eventually
from tests.scoring import crowd
from tests.servers import Servers

CANDIDATES = 100_000
REGISTERED = 0.9
AHEAD = timedelta(seconds=3)
BARE_ROUNDS = 3
# No release takes longer; one that does is stuck.
LONGEST_SECONDS = 900
(NOTIFY,) = ResultsHouse.workers
LOOKS_A_SECOND = 2


class House(ResultsHouse):
    """A mail server that only counts: how fast it is, is nothing to us."""

    sink: ClassVar[Sequence[str]] = ("--quick",)


class Memory:
    """The most that each process took."""

    def __init__(self, house: ResultsHouse) -> None:
        self._processes = {
            name: psutil.Process(process.pid)
            for name, process in house.processes.items()
            if name not in {SINK, RELAY}
        }
        self.most: dict[str, float] = dict.fromkeys(self._processes, 0.0)

    def look(self) -> None:
        for name, process in self._processes.items():
            self.most[name] = max(self.most[name], process.memory_info().rss / 2**20)


async def run(_: Servers, *, candidates: int = CANDIDATES) -> Report:
    registered = int(candidates * REGISTERED)
    async with opened(House) as house, Night(house, candidates=candidates) as night:
        await night.enter(registered=registered)
        await house.start_processes()
        await house.until_ready()
        memory = Memory(house)
        bare = await _measure_bare(house, night)
        computing = await _time(night.compute())
        approving = await _time(night.approve())
        instant = await night.order(AHEAD)
        watching = asyncio.create_task(night.watch(0))

        async def is_over() -> bool:
            memory.look()
            await asyncio.sleep(1 / LOOKS_A_SECOND)
            return await night.count_sent() >= registered and await night.is_told()

        await eventually(is_over, seconds=LONGEST_SECONDS)
        watching.cancel()
        arrived = house.arrived()
        told_at, queued_at = await _ask(night)
    _check(arrived, registered, instant, night.viewed_at[0])
    began = instant.timestamp()
    viewed = night.viewed_at[0] - began
    told, queued = (told_at - instant).total_seconds(), (queued_at - instant).total_seconds()
    handed_over = max(times[0] for times in arrived.values()) - began
    rate = registered / handed_over
    return Report(
        "release",
        f"{candidates:,} results at one instant, {registered:,} who had registered",
        [
            Figure("bare aiosmtplib, send_message(the letter)", bare, "letters/s"),
            Figure("from the click to computed", computing, "s"),
            Figure("from the click to approved", approving, "s"),
            Figure("from the instant to the first view", viewed, "s"),
            Figure("to everybody told, in scoring's outbox", told, "s"),
            Figure("to the last letter queued", queued, "s"),
            Figure("to the last letter handed over", handed_over, "s"),
            Figure("letters handed over", rate, "letters/s"),
            *(Figure(f"most memory of {name}", most, "MB") for name, most in memory.most.items()),
        ],
        [
            Ratio("first view in units of a second", viewed, at_most=1),
            Ratio("last letter queued in units of 30 s for 100,000",
                  queued / 30 * CANDIDATES / candidates, at_most=1),
            Ratio("letters handed over to bare", rate / bare, at_least=0.5),
        ],
    )  # fmt: skip


async def _measure_bare(house: ResultsHouse, night: Night) -> float:
    """Send letters to the same server with nothing but aiosmtplib, over as many connections."""
    settings = Settings.model_validate(
        {
            "database_url": house.url("notify"),
            "EXAMHALL_AMQP_URL": house.amqp_url,
            "EXAMHALL_PUBLIC_URL": "https://exam.example/",
            "smtp_url": house.smtp_url,
        }
    )
    mail = await write_one(night.notify, settings)
    port = int(house.smtp_url.rpartition(":")[2])
    rates = [
        await send_bare(mail, port, settings.connections, ready_made=False)
        for _ in range(BARE_ROUNDS)
    ]
    house.journal.write_text("")
    return median(rates)


async def _time(work: Coroutine[None, None, None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def _ask(night: Night) -> tuple[datetime, datetime]:
    """When the last was told, and when the last letter was queued."""
    told_at = await night.scoring.fetchval("SELECT max(told_at) FROM told")
    queued_at = await night.notify.fetchval("SELECT max(written_at) FROM letters")
    return told_at, queued_at


def _check(
    arrived: Mapping[str, Sequence[float]], registered: int, instant: datetime, viewed_at: float
) -> None:
    assert arrived.keys() == {crowd.address_of(number) for number in range(registered)}
    assert all(len(times) == 1 for times in arrived.values()), "somebody was written to twice"
    first = min(times[0] for times in arrived.values())
    assert min(first, viewed_at) >= instant.timestamp(), "somebody knew before the instant"
