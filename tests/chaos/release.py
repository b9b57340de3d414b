"""A release under fire: scoring, notify, mail server, broker and database are killed meanwhile.

Most candidates had registered before the instant; of some of them scoring hears only after it.
Others register later, and some never. Who was written to stands in the mail server's journal.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared import db, outbox
from shared.events.identity import ResultsAccountOpened
from tests.chaos import letters
from tests.chaos.plan import BROKER, DATABASE, Blow
from tests.chaos.post_office import SINK
from tests.chaos.results_house import WEB, WORKER, Night, ResultsHouse
from tests.chaos.targets import opened, patience
from tests.chaos.verdict import show
from tests.eventually import eventually
from tests.scoring import crowd

TARGETS = (WORKER, WORKER, *letters.WORKERS, SINK, WEB, BROKER, DATABASE)
# Of all candidates: known before; registered before, of whom word comes late; registered after.
KNOWN, HEARD_OF_LATE, LATE = 0.85, 0.05, 0.05
TOLD_TOGETHER = (1, 7, 40)
WAIT = timedelta(seconds=2)
SHORTEST_GAP, LONGEST_GAP, LONGEST_ABSENCE = 0.4, 2.0, 1.5
# A release of few is over before many can recover.
CANDIDATES_FOR_A_BLOW = 40
SETTLING_SECONDS = 180
LONGEST_SECONDS = 3_600


class House(ResultsHouse):
    """Two notify workers, and a mail server that takes its time."""

    workers: ClassVar[Sequence[str]] = letters.WORKERS
    settings: ClassVar[dict[str, str]] = letters.SETTINGS
    sink: ClassVar[Sequence[str]] = ("--dawdle", str(letters.LONGEST_DAWDLE))


@dataclass(frozen=True)
class Verdict:
    """Who was to be told, and who was."""

    candidates: int
    had_registered: int
    seconds: float
    faults: Counter[str]
    approved: int
    told: int
    letters_written: int
    sent_by_the_register: int
    written_to: int  # of those who had registered
    strangers_written_to: int
    letters_before_the_instant: int
    views_before_the_instant: int
    views: int
    duplicates: int
    duplicates_nobody_can_exclude: int  # one for each kill and connection
    left_in_outboxes: int
    left_in_queues: int
    wrong: Sequence[str]

    @property
    def is_good(self) -> bool:
        told = {self.told, self.letters_written, self.sent_by_the_register, self.written_to}
        too_many = self.strangers_written_to or self.left_in_outboxes or self.left_in_queues
        return (
            self.approved == self.candidates
            and told == {self.had_registered}
            and self.views > 0
            and not (self.letters_before_the_instant or self.views_before_the_instant)
            and self.duplicates <= self.duplicates_nobody_can_exclude
            and not too_many
            and not self.wrong
        )

    def print(self) -> None:
        show("release", vars(self), good=self.is_good, in_words="everybody was told, and once")


class Run:
    """A night, and what strikes it."""

    def __init__(self, house: House, night: Night, dice: random.Random) -> None:
        self._house = house
        self._night = night
        self._dice = dice
        count = night.candidates
        self._known = int(count * KNOWN)
        self.registered = self._known + int(count * HEARD_OF_LATE)
        self._holders = self.registered + int(count * LATE)
        self.faults: Counter[str] = Counter()

    async def prepare(self) -> None:
        await self._night.enter(registered=self._known)
        await self._house.start_processes()
        await self._night.compute()
        await self._night.ask_to_approve()

    async def go(self) -> datetime:
        """Approve, release and tell under fire; return the instant."""
        watching = asyncio.create_task(self._night.watch(0))
        # All of an approval or nothing: it is begun again, and needs some seconds in peace.
        for target in (WORKER, DATABASE):
            await asyncio.sleep(self._dice.uniform(0, SHORTEST_GAP))
            await self._strike(target)
        await self._night.until_done()
        striking = asyncio.create_task(self._strike_all())
        instant = await self._night.order(WAIT)
        await self._tell_late(instant)
        await striking
        try:
            await eventually(self._is_over, seconds=SETTLING_SECONDS)
        except TimeoutError:
            self._house.misbehaved.append(f"not settled after {SETTLING_SECONDS} seconds")
        watching.cancel()
        return instant

    async def _strike_all(self) -> None:
        """Strike until nine of ten letters are sent: the last are left in peace, so that what was
        struck last is seen to recover."""
        until = time.monotonic() + LONGEST_SECONDS
        blows = self._night.candidates // CANDIDATES_FOR_A_BLOW
        async with asyncio.TaskGroup() as strikes:
            for _ in range(blows):
                await asyncio.sleep(self._dice.uniform(SHORTEST_GAP, LONGEST_GAP))
                if await self._is_nearly_over() or time.monotonic() > until:
                    break
                target = self._dice.choice(TARGETS)
                strikes.create_task(self._strike(target))

    async def _is_nearly_over(self) -> bool:
        return await self._night.count_sent() >= self.registered * 0.9

    async def _strike(self, target: str) -> None:
        absence = self._dice.uniform(0, LONGEST_ABSENCE)
        if await self._house.strike(target, Blow.KILL, absence):
            self.faults[target] += 1

    async def _tell_late(self, instant: datetime) -> None:
        """Have identity tell, from the instant on, who registered shortly before and after it."""
        identity = await db.create_pool(self._house.url("identity"), application="night", size=1)
        await eventually(lambda: time.time() > instant.timestamp())
        numbers = [*range(self._known, self._holders)]
        self._dice.shuffle(numbers)
        for some in _in_parts(numbers, self._dice):
            opened_now = [self._open_account(number, instant) for number in some]
            is_said = False
            while not is_said:  # what was perhaps said is said again: the first counts
                with patience():
                    async with db.transaction(identity) as tx:
                        await outbox.publish(tx, opened_now)
                    is_said = True
                await asyncio.sleep(0.02)
        identity.terminate()

    def _open_account(self, number: int, instant: datetime) -> ResultsAccountOpened:
        a_moment = timedelta(milliseconds=1 + number)
        had_registered = number < self.registered
        return ResultsAccountOpened(
            account_id=crowd.account_of(number),
            entry_id=crowd.entry_of(number),
            id_number=f"{number:06}HKC",
            registered_at=instant - a_moment if had_registered else instant + a_moment,
        )

    async def _is_over(self) -> bool:
        heard_of = 0
        with patience():
            heard_of = await self._night.scoring.fetchval("SELECT count(*) FROM holders")
        return (
            heard_of == self._holders
            and await self._night.is_told()
            and await self._night.count_sent() >= self.registered
        )


def _in_parts(numbers: Sequence[int], dice: random.Random) -> Iterator[Sequence[int]]:
    begins = 0
    while begins < len(numbers):
        ends = begins + dice.choice(TOLD_TOGETHER)
        yield numbers[begins:ends]
        begins = ends


async def run(*, candidates: int, seed: int) -> Verdict:
    """Release results, strike until the last letter is on record, then count."""
    print(f"release under fire: {candidates} candidates, seed {seed}", flush=True)
    async with opened(House) as house, Night(house, candidates=candidates) as night:
        attempt = Run(house, night, random.Random(seed))
        await attempt.prepare()
        began = time.monotonic()
        instant = await attempt.go()
        return await _judge(house, night, attempt, instant, seconds=time.monotonic() - began)


async def _judge(
    house: House, night: Night, attempt: Run, instant: datetime, *, seconds: float
) -> Verdict:
    arrived, begin = house.arrived(), instant.timestamp()
    owed = {crowd.address_of(number) for number in range(attempt.registered)}
    scoring, notify = night.scoring, night.notify
    states = await notify.fetch("SELECT state, count(*) AS number FROM letters GROUP BY state")
    by_state = {row["state"]: row["number"] for row in states}
    return Verdict(
        candidates=night.candidates,
        had_registered=attempt.registered,
        seconds=round(seconds, 1),
        faults=attempt.faults,
        approved=await scoring.fetchval("SELECT count(*) FROM results"),
        told=await scoring.fetchval("SELECT count(*) FROM told"),
        letters_written=sum(by_state.values()),
        sent_by_the_register=by_state.get("sent", 0),
        written_to=len(owed & arrived.keys()),
        strangers_written_to=len(arrived.keys() - owed),
        letters_before_the_instant=sum(at < begin for times in arrived.values() for at in times),
        views_before_the_instant=sum(at < begin for at in night.viewed_at),
        views=len(night.viewed_at),
        duplicates=sum(len(times) - 1 for times in arrived.values()),
        duplicates_nobody_can_exclude=letters.count_doubtful(attempt.faults),
        left_in_outboxes=sum(
            [await pool.fetchval("SELECT count(*) FROM outbox") for pool in (scoring, notify)]
        ),
        left_in_queues=sum(
            [
                await house.count_waiting(queue)
                for queue in ("scoring", "notify", "scoring.dead", "notify.dead")
            ]
        ),
        wrong=house.misbehaved,
    )
