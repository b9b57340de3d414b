"""Letters under fire: workers, mail server, broker and database are killed while they go out."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from shared import db, outbox
from shared.events.identity import PasswordChanged
from tests.chaos.plan import BROKER, DATABASE, Blow
from tests.chaos.post_office import SINK, PostOffice
from tests.chaos.targets import opened, patience
from tests.chaos.verdict import show
from tests.eventually import eventually

WORKERS = ("worker-1", "worker-2")
TARGETS = (*WORKERS, *WORKERS, SINK, SINK, BROKER, DATABASE)
CONNECTIONS = 4  # of each worker
EVENTS_TOGETHER = (1, 1, 1, 7, 100)
SHORTEST_GAP, LONGEST_GAP, LONGEST_ABSENCE = 0.5, 2.5, 1.5
# The mail server waits this long, at most, between its disk and its yes: when it is struck then,
# nobody but its disk knows.
LONGEST_DAWDLE = 0.1
SETTLING_SECONDS = 120
SETTINGS = {
    "NOTIFY_CONNECTIONS": str(CONNECTIONS),
    "NOTIFY_SMTP_TIMEOUT_SECONDS": "1.5",
    "NOTIFY_LEASE_SECONDS": "6",
    "NOTIFY_FIRST_RETRY_SECONDS": "0.5",
}


@dataclass(frozen=True)
class Verdict:
    """What became of every letter."""

    letters: int
    seconds: float
    faults: Counter[str]
    written: int
    arrived: int
    sent_by_the_register: int
    duplicates: int
    duplicates_nobody_can_exclude: int  # one for each kill and connection
    misbehaved: Sequence[str]

    @property
    def is_good(self) -> bool:
        whole = {self.letters} == {self.written, self.arrived, self.sent_by_the_register}
        few = self.duplicates <= self.duplicates_nobody_can_exclude
        return whole and few and not self.misbehaved

    def print(self) -> None:
        show("letters", vars(self), good=self.is_good, in_words="each arrived, none was lost")


class House(PostOffice):
    """A mail server, two notify workers, and a relay that brings them identity's events."""

    async def open(self) -> None:
        await super().open()
        await self.add_post(WORKERS, SETTINGS, "--dawdle", str(LONGEST_DAWDLE))
        await self.start_processes()

    def arrived(self) -> Counter[str]:
        """How often each letter is in the mail server's journal."""
        return Counter(self.journal.read_text().split())


async def _owe(url: str, count: int, dice: random.Random) -> None:
    """Let identity say that so many letters are owed."""
    pool = await db.create_pool(url, application="chaos", size=1)
    left = count
    while left:
        together = min(left, dice.choice(EVENTS_TOGETHER))
        events = [
            PasswordChanged(
                request_id=uuid4(),
                email=f"candidate{left - number}@exam.example",
                person="王大同",
                language="zh-Hant-TW",
                changed_at=datetime.now(UTC),
            )
            for number in range(together)
        ]
        async with db.transaction(pool) as tx:
            await outbox.publish(tx, events)
        left -= together
    pool.terminate()


async def run(*, count: int, seed: int) -> Verdict:
    """Let letters go out, strike until the last is on record, then count."""
    print(f"letters under fire: {count}, seed {seed}", flush=True)
    dice = random.Random(seed)
    began = time.monotonic()
    faults: Counter[str] = Counter()
    async with opened(House) as house:
        await _owe(house.url("identity"), count, dice)
        pool = await asyncpg.create_pool(house.url("notify"), min_size=0, max_size=1)

        async def is_over(share: float = 1.0) -> bool:
            sent = 0
            with patience():
                sent = await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'")
            return bool(sent >= count * share)

        # The last tenth is left in peace, so that what was struck last is seen to recover.
        async with asyncio.TaskGroup() as strikes:
            while not await is_over(0.9):
                await asyncio.sleep(dice.uniform(SHORTEST_GAP, LONGEST_GAP))
                target = dice.choice(TARGETS)
                strikes.create_task(
                    _strike(house, target, dice.uniform(0, LONGEST_ABSENCE), faults)
                )
        try:
            await eventually(is_over, seconds=SETTLING_SECONDS)
        except TimeoutError:
            house.misbehaved.append(f"not settled after {SETTLING_SECONDS} seconds")
        seconds = time.monotonic() - began
        written = await pool.fetchval("SELECT count(*) FROM letters")
        sent = await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'")
        arrived = house.arrived()
        pool.terminate()
    return Verdict(
        letters=count,
        seconds=round(seconds, 1),
        faults=faults,
        written=written,
        arrived=len(arrived),
        sent_by_the_register=sent,
        duplicates=arrived.total() - len(arrived),
        duplicates_nobody_can_exclude=count_doubtful(faults),
        misbehaved=house.misbehaved,
    )


def count_doubtful(faults: Counter[str]) -> int:
    """How many letters may have arrived without anybody knowing it: one for each connection that a
    blow cut. No blow but these cuts any."""
    cut = dict.fromkeys(WORKERS, CONNECTIONS)
    cut |= dict.fromkeys((SINK, DATABASE), CONNECTIONS * len(WORKERS))
    return sum(cut.get(target, 0) * times for target, times in faults.items())


async def _strike(house: House, target: str, absence: float, faults: Counter[str]) -> None:
    if await house.strike(target, Blow.KILL, absence):
        faults[target] += 1
