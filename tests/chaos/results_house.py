"""The house of a results night: scoring's two processes, notify, and a mail server."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar, Self, cast
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout

from services.scoring import app, errands, releases
from services.scoring.consumers import HANDLERS
from services.scoring.releases import AlreadyReleased
from shared import db
from shared.db import Pool, transaction
from tests.chaos.post_office import PostOffice
from tests.chaos.targets import patience
from tests.eventually import eventually
from tests.scoring import crowd
from tests.scoring.world import BASIC, EXAMINER, RELEASER
from tests.sessions import trust
from tests.site import SECRET

WORKER, WEB = "scoring worker", "scoring web"
# A hundred thousand are computed and approved in a minute, on a machine that does nothing else.
LONGEST_ERRAND_SECONDS = 300
PAUSE_SECONDS = 0.005


class ResultsHouse(PostOffice):
    """Servers and processes of a results night, each of which can be struck by its name."""

    workers: ClassVar[Sequence[str]] = ("notify worker",)
    settings: ClassVar[dict[str, str]] = {}
    sink: ClassVar[Sequence[str]] = ()

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site = f"http://127.0.0.1:{self.choose_port()}"

    async def open(self) -> None:
        await super().open()
        await self.add_database("scoring", app.HERE / "migrations")
        await self.add_queue("scoring", HANDLERS)
        await self.add_post(self.workers, self.settings, "--recipients", *self.sink)
        for name, role, port in (
            (WORKER, "worker", str(self.choose_port())),
            (WEB, "web", self.site.rpartition(":")[2]),
        ):
            environment = {
                "SCORING_DATABASE_URL": self.url("scoring"),
                "EXAMHALL_SECRET_KEY": SECRET,
                "EXAMHALL_AMQP_URL": self.amqp_url,
                "EXAMHALL_PUBLIC_URL": self.site,
                "EXAMHALL_PORT": port,
            }
            self._add(name, environment, "services.scoring.app", role)

    def arrived(self) -> dict[str, list[float]]:
        """When letters came to whom, by the mail server's journal."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for line in self.journal.read_text().splitlines():
            recipient, _, at = line.partition(" ")
            found[recipient].append(float(at))
        return found


class Night:
    """What is done with such a house, from scores to letters."""

    def __init__(self, house: ResultsHouse, *, candidates: int) -> None:
        self.house = house
        self.candidates = candidates
        self.viewed_at: list[float] = []  # when a candidate saw the result, each time
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        open_pool = self._stack.enter_async_context
        self.scoring = await open_pool(_pool(self.house.url("scoring")))
        self.notify = await open_pool(_pool(self.house.url("notify")))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def enter(self, *, registered: int) -> None:
        await crowd.enter(self.scoring, self.candidates, registered=registered)
        await crowd.give_addresses(self.notify, self.candidates)
        self._sign = await trust(self.scoring)

    async def compute(self) -> None:
        """Have a worker compute everything, as an examiner does by a click."""
        async with transaction(self.scoring) as tx:
            await errands.ask_to_compute(tx, code=BASIC, actor=EXAMINER, now=datetime.now(UTC))
        await self.until_done()

    async def ask_to_approve(self) -> None:
        async with transaction(self.scoring) as tx:
            await errands.ask_to_approve(
                tx, code=BASIC, number=1, actor=RELEASER, now=datetime.now(UTC)
            )

    async def approve(self) -> None:
        await self.ask_to_approve()
        await self.until_done()

    async def until_done(self) -> None:
        await eventually(self._is_done, seconds=LONGEST_ERRAND_SECONDS)

    async def _is_done(self) -> bool:
        with patience():
            async with transaction(self.scoring) as tx:
                newest = await errands.find_newest(tx, sitting=BASIC)
            assert newest
            assert newest.refusal is None, newest.refusal
            return not newest.is_open
        return False

    async def order(self, wait: timedelta) -> datetime:
        """Set the release some time ahead, as often as it takes; return the instant."""
        while True:
            with patience(), suppress(AlreadyReleased):  # by a try of which nobody heard
                now = datetime.now(UTC)
                async with transaction(self.scoring) as tx:
                    await releases.order(
                        tx, sitting=BASIC, released_at=now + wait, actor=RELEASER, now=now
                    )
            with patience():
                instant = await self.scoring.fetchval("SELECT released_at FROM releases")
                if instant is not None:
                    return cast("datetime", instant)
            await asyncio.sleep(PAUSE_SECONDS)

    async def watch(self, number: int) -> None:
        """Look at a result again and again, and note when it is seen."""
        headers = {"Cookie": self._sign(crowd.account_of(number))}
        page = f"{self.house.site}/scoring/results/{await self._find(number)}"
        async with ClientSession(timeout=ClientTimeout(total=5), headers=headers) as session:
            while True:
                with suppress(ClientError, TimeoutError, OSError):
                    async with session.get(page) as answer:
                        seen_at = time.time()
                        if answer.status == HTTPStatus.OK:
                            self.viewed_at.append(seen_at)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _find(self, number: int) -> UUID:
        """Find a result's id as soon as there is one."""
        found: UUID | None = None
        while found is None:
            with patience():
                found = await self.scoring.fetchval(
                    "SELECT id FROM results WHERE entry_id = $1", crowd.entry_of(number)
                )
            await asyncio.sleep(PAUSE_SECONDS)
        return found

    async def count_sent(self) -> int:
        with patience():
            return int(
                await self.notify.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'")
            )
        return 0

    async def is_told(self) -> bool:
        """Whether nobody is left to be told, and nothing on its way out."""
        with patience():
            return bool(
                await self.scoring.fetchval(
                    """
                    SELECT told_at IS NOT NULL AND NOT EXISTS (SELECT FROM outbox) FROM releases
                    """
                )
            )
        return False


@asynccontextmanager
async def _pool(url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(url, application="night", size=2)
    yield pool
    pool.terminate()
