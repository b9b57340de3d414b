"""Lanes: group commits side by side, so that one writes while the other's commit is on its way."""

import asyncio
import zlib
from collections.abc import Coroutine
from typing import Any, Generic

from shared.group_commit import LONGEST_QUEUE, Answer, GroupCommit, Item, Look

# More would only make batches smaller: the database is never without work already.
LANES = 2


class Lanes(Generic[Item, Answer]):
    """Asked like one group commit, and told what each item is about: the same thing goes down the
    same lane always, so nobody waits there for the other."""

    def __init__(self, name: str, look: Look[Item, Answer], *, database_url: str) -> None:
        self._lanes = [
            GroupCommit(name, look, database_url=database_url, longest_queue=LONGEST_QUEUE // LANES)
            for _ in range(LANES)
        ]

    def ask(self, item: Item, *, about: bytes) -> Coroutine[Any, Any, Answer]:
        return self._lanes[zlib.crc32(about) % LANES].ask(item)

    async def run(self) -> None:
        await asyncio.gather(*(lane.run() for lane in self._lanes))

    def stop(self) -> None:
        for lane in self._lanes:
            lane.stop()
