"""A mail server, and a service that sends to it, one batch at a time or all day."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notify import letters, sender
from services.notify.app import create_writer
from services.notify.letters import Owed
from services.notify.sender import Sender
from services.notify.settings import Settings
from shared.db import Pool, Row, transaction
from tests.eventually import eventually
from tests.smtp_sink import Sink, running

CHANGED_AT = datetime(2026, 3, 1, 16, tzinfo=UTC)


def owed(number: int = 0, **changed: Any) -> Owed:
    """A letter without a link, to somebody whose number tells them from others."""
    fields: dict[str, Any] = {
        "cause": str(uuid4()),
        "template": "password_changed",
        "recipient": f"candidate{number}@exam.example",
        "person": "王大同",
        "language": "zh-Hant-TW",
        "context": {"changed_at": CHANGED_AT},
    }
    return Owed(**(fields | changed))


def with_link(**changed: Any) -> Owed:
    """A letter with a link that works for another hour."""
    expires_at = changed.pop("expires_at", datetime.now(UTC) + timedelta(hours=1))
    context = {"link": "https://exam.example/identity/letters/secret", "expires_at": expires_at}
    return owed(template="password_reset", context=context, useless_after=expires_at, **changed)


@dataclass
class House:
    """Notify's database and settings, and hands to do what its worker would do."""

    pool: Pool
    settings: Settings

    async def owe(self, *letters_owed: Owed) -> None:
        async with transaction(self.pool) as tx:
            await letters.queue(tx, owed=letters_owed)

    def create_sender(self) -> Sender:
        channel = sender.CHANNELS[self.settings.channel](self.settings)
        return Sender(self.settings, create_writer(self.settings), channel)

    @contextlib.asynccontextmanager
    async def sending(self, senders: int = 1) -> AsyncIterator[None]:
        """Let senders send meanwhile."""
        made = [self.create_sender() for _ in range(senders)]
        tasks = [asyncio.create_task(each.run()) for each in made]
        try:
            yield
        finally:
            for each in made:
                each.stop()
            async with asyncio.timeout(20):
                await asyncio.gather(*tasks)

    async def send_until(self, *states: str, senders: int = 1) -> None:
        """Send until every letter is in one of these states."""
        async with self.sending(senders):
            await self.until(*states)

    async def until(self, *states: str) -> None:
        async def all_are() -> bool:
            return {row["state"] for row in await self.letters()} <= set(states)

        await eventually(all_are)

    async def letters(self) -> list[Row]:
        return await self.pool.fetch("SELECT * FROM letters ORDER BY recipient")

    async def letter(self) -> Row:
        [row] = await self.letters()
        return row

    async def fates(self, letter_id: UUID | None = None) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT fate FROM letter_attempts WHERE $1::uuid IS NULL OR letter_id = $1 "
            "ORDER BY letter_id, claim",
            letter_id,
        )
        return [row["fate"] for row in rows]

    async def be_due(self) -> None:
        """Let the time pass until every letter may be taken again."""
        await self.pool.execute("UPDATE letters SET due_at = now() - interval '1 second'")


MakeHouse = Callable[..., House]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with running(Sink()) as sink:
        yield sink


@pytest.fixture
def make_house(pool: Pool, database_url: str) -> MakeHouse:
    def make(**more: Any) -> House:
        return House(pool, make_settings(**({"database_url": database_url} | more)))

    return make


@pytest.fixture
def house(make_house: MakeHouse, sink: Sink) -> House:
    return make_house(smtp_url=f"smtp+plain://127.0.0.1:{sink.port}")


def make_settings(database_url: str, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": "http://127.0.0.1/",
            "sender": "應試堂 <letters@exam.example>",
            "connections": 4,
            "smtp_timeout_seconds": 2,
            "lease_seconds": 60,
            **more,
        }
    )
