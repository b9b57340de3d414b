"""One chaos run: a stream of events, faults on the way, then silence, then the reckoning."""

import asyncio
import time
from collections import Counter

import asyncpg

from shared import db, dead_letters, events
from shared.db import Pool
from tests.chaos import logs, plan
from tests.chaos.house import House
from tests.chaos.part import SERVICE, publish
from tests.chaos.plan import CONSUMERS, PUBLISHER, RELAYS, Fault
from tests.chaos.targets import opened
from tests.chaos.verdict import Verdict, compare
from tests.effects import NumberAnnounced, list_effects, repair
from tests.eventually import eventually

# After the faults everything in flight must arrive within this time.
SETTLING_SECONDS = 120
# The lines that a handler's repair gives back take no longer.
REPLAY_SECONDS = 60
POISONOUS_MESSAGES = 2
EVENTS_WITH_THE_POISON = 3


class Run:
    """A house, its two databases, and what is asked of them."""

    def __init__(self, place: House, publishing: Pool, handling: Pool) -> None:
        self._house = place
        self._publishing = publishing
        self._handling = handling
        self.faults: Counter[str] = Counter()

    async def strike_all(self, faults: list[Fault], seconds: float) -> None:
        """Let the faults happen at their time, several at once if it comes to that."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(POISONOUS_MESSAGES):
                tasks.create_task(self._poison(began + seconds * (number + 0.5) / 3))
            for fault in faults:
                await asyncio.sleep(began + fault.at - time.monotonic())
                tasks.create_task(self._strike(fault))
            await asyncio.sleep(began + seconds - time.monotonic())

    async def _strike(self, fault: Fault) -> None:
        if await self._house.strike(fault.target, fault.blow, fault.absence):
            self.faults[fault.kind] += 1

    async def _poison(self, at: float) -> None:
        """Publish a message that cannot be handled yet; again, until the database takes it."""
        await asyncio.sleep(at - time.monotonic())

        async def is_published() -> bool:
            try:
                async with db.transaction(self._publishing) as tx:
                    await publish(tx, count=EVENTS_WITH_THE_POISON, is_poison=True)
            except Exception as error:
                if not db.is_unavailable(error):
                    raise
                return False
            return True

        await eventually(is_published)

    async def settle(self) -> float:
        """Wait until nothing is on its way any more; return the seconds it took."""
        await self._house.end(PUBLISHER)
        began = time.monotonic()
        good = await self.published(is_poison=False)

        async def is_settled() -> bool:
            return (
                await self.left_in_outbox() == 0
                and await self._handling.fetchval("SELECT count(*) FROM effects") >= len(good)
                and await self._house.count_waiting(SERVICE) == 0
            )

        try:
            await eventually(is_settled, seconds=SETTLING_SECONDS)
        except TimeoutError:
            self._house.misbehaved.append(f"not settled after {SETTLING_SECONDS} seconds")
        return time.monotonic() - began

    async def published(self, *, is_poison: bool) -> set[int]:
        rows = await self._publishing.fetch(
            "SELECT number FROM published WHERE is_poison = $1", is_poison
        )
        return {row["number"] for row in rows}

    async def left_in_outbox(self) -> int:
        return int(await self._publishing.fetchval("SELECT count(*) FROM outbox"))

    async def messages(self) -> int:
        return int(await self._handling.fetchval("SELECT count(*) FROM inbox"))

    async def effects(self) -> dict[int, int]:
        return await list_effects(self._handling)

    async def end(self) -> int:
        """End everything in good order; return what is left in the queue then."""
        await self._house.end(*RELAYS, *CONSUMERS)
        return await self._house.count_waiting(SERVICE)

    async def judge_dead_letters(self) -> tuple[int, int]:
        """How many numbers are missing from the dead letters, and how many have no place there."""
        letters = await dead_letters.list_(self._house.amqp_url, SERVICE)
        dead: set[int] = set()
        unexpected = 0
        for letter in letters:
            numbers = {e.number for e in events.decode(NumberAnnounced, letter.body)}
            if letter.reason.startswith("Poisonous("):
                dead |= numbers  # a letter may lie there twice: its burier was killed too
            else:
                unexpected += len(numbers)
        poison = await self.published(is_poison=True)
        return len(poison - dead), unexpected + len(dead - poison)

    async def replay(self) -> None:
        """Repair the handler and give the dead letters back, until they have taken effect."""
        await repair(self._handling)
        poison = await self.published(is_poison=True)

        async def have_taken_effect() -> bool:
            await dead_letters.replay(self._house.amqp_url, SERVICE)
            return poison <= (await self.effects()).keys()

        try:
            await eventually(have_taken_effect, seconds=REPLAY_SECONDS)
        except TimeoutError:
            self._house.misbehaved.append("replayed dead letters took no effect")


async def run(*, seed: int, seconds: float) -> Verdict:
    """Run it once."""
    print(f"chaos: {seconds:.0f} seconds of faults, seed {seed}", flush=True)
    began = time.monotonic()
    async with (
        opened(House) as place,
        asyncpg.create_pool(place.publishing, max_size=2, min_size=0) as publishing,
        asyncpg.create_pool(place.handling, max_size=2, min_size=0) as handling,
    ):
        attempt = Run(place, publishing, handling)
        await attempt.strike_all(plan.draw(seed, seconds), seconds)
        settled = await attempt.settle()
        poison = await attempt.published(is_poison=True)
        missing, unexpected = await attempt.judge_dead_letters()
        await attempt.replay()
        left_in_queue = await attempt.end()
        published = await attempt.published(is_poison=False) | poison
        return Verdict(
            seed=seed,
            seconds=round(time.monotonic() - began, 1),
            settled_after_seconds=round(settled, 1),
            faults=attempt.faults,
            events_published=len(published),
            messages=await attempt.messages(),
            duplicates_seen=logs.count_duplicates(place.logs),
            comparison=compare(published, await attempt.effects()),
            left_in_outbox=await attempt.left_in_outbox(),
            left_in_queue=left_in_queue,
            dead_letters_expected=len(poison),
            dead_letters_missing=missing,
            dead_letters_unexpected=unexpected,
            misbehaved=place.misbehaved,
            surprises=logs.find_surprises(place.logs),
        )
