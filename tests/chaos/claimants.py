"""People who want a place, and ask again until they are told yes or no."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

AT_ONCE = 32
PAUSE_SECONDS = 0.2
# People do not come as fast as they could: the night is to be long enough for blows.
LONGEST_PAUSE_BETWEEN = 0.4


@dataclass
class People:
    """A crowd that asks until it is told yes or no, and sometimes once more after that."""

    url: str
    ids: Sequence[UUID]
    cookies: Sequence[str]
    areas: Sequence[str]
    dice: random.Random
    yes: dict[UUID, UUID] = field(default_factory=dict)
    full: set[UUID] = field(default_factory=set)
    asked: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.yes) + len(self.full)

    async def claim_all(self) -> None:
        waiting = iter(range(len(self.ids)))
        connector = TCPConnector(limit=AT_ONCE)
        timeout = ClientTimeout(total=10)
        async with (
            ClientSession(connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(AT_ONCE):
                tasks.create_task(self._claim_each(session, waiting))

    async def _claim_each(self, session: ClientSession, waiting: Iterator[int]) -> None:
        for number in waiting:
            await self._claim(session, number)
            if self.dice.random() < 0.2:
                await self._claim(session, number)
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_BETWEEN))

    async def _claim(self, session: ClientSession, number: int) -> None:
        who = self.ids[number]
        while True:
            self.asked += 1
            try:
                async with session.post(
                    f"{self.url}/enrollment/registrations/",
                    data={"sitting": "m1", "area": self.areas[number]},
                    headers={"Cookie": self.cookies[number], "Sec-Fetch-Site": "same-origin"},
                    allow_redirects=False,
                ) as answer:
                    status, location = answer.status, answer.headers.get("Location", "")
            except (ClientError, TimeoutError, OSError):
                status, location = 0, ""
            if status == 303 and location.startswith("/enrollment/registrations/"):
                held = UUID(location.rpartition("/")[2])
                if self.yes.setdefault(who, held) != held or who in self.full:
                    self.wrong.append(f"{who} was told two things")
                return
            if status == 409:
                if who in self.yes:
                    self.wrong.append(f"{who} was told yes and then no")
                self.full.add(who)
                return
            # Down, busy, or it does not know its sessions yet: people come back.
            await asyncio.sleep(PAUSE_SECONDS)
