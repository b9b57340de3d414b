"""What both providers stand on: the store, the clock, the rules, notices, and calls under way."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from aiohttp import web

from deploy.sandbox.clock import Clock
from deploy.sandbox.notices import Sender
from deploy.sandbox.rules import STRICT, Rules
from deploy.sandbox.store import Store

T = TypeVar("T")
FILE = "sandbox.sqlite"


class Bank:
    """Everything the sandbox knows about money, in one folder."""

    def __init__(
        self, folder: Path, *, url: str, rules: Rules = STRICT, sends_by_itself: bool = True
    ) -> None:
        self.url = url.rstrip("/")
        self.rules = rules
        self.clock = Clock()
        self._folder = folder
        self._underway: set[tuple[str, str]] = set()
        self._sends_by_itself = sends_by_itself
        self._closing = asyncio.Event()

    async def open(self, _app: web.Application) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(self._folder / FILE)
        await self.store.run(self.clock.load)
        self.sender = Sender(self.store, self.clock, self.rules.retry_seconds)
        if self._sends_by_itself:
            self._sending = asyncio.create_task(self.sender.run())

    async def stop_waiting(self, _app: web.Application) -> None:
        """Let go of those who were never to be answered."""
        self._closing.set()

    async def close(self, _app: web.Application) -> None:
        if self._sends_by_itself:
            self._sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sending
        await self.sender.close()
        await asyncio.to_thread(self.store.close)

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do this durably, and send at once what is due because of it."""
        result = await self.store.run(work)
        self.sender.wake()
        return result

    async def wait(self, seconds: float) -> None:
        """Keep somebody waiting, but not longer than the sandbox lives."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    @contextlib.contextmanager
    def calling(self, call: str, number: str) -> Iterator[bool]:
        """Whether this is the only such call about the number at this moment."""
        key = (call, number)
        if key in self._underway:
            yield False
            return
        self._underway.add(key)
        try:
            yield True
        finally:
            self._underway.remove(key)


BANK = web.AppKey("bank", Bank)
