"""A whole site for tests: services on fresh databases, asked over HTTP like a browser would."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp.test_utils import TestClient, TestServer

from deploy.all_in_one import ENTRIES
from services.identity import accounts, keys
from services.identity.passwords import Passwords
from services.identity.sessions import CANDIDATE_SESSION_LASTS
from services.identity.settings import Settings
from shared import db, inbox, outbox
from shared.auth import SESSIONS, Role
from shared.db import Pool, transaction
from shared.events import all_events
from shared.outbox import Message
from shared.run import Entry
from shared.settings import ServiceSettings
from shared.web import build
from shared.worker import SHARED_HANDLERS
from tests.conftest import MakeDatabase

SECRET = "dGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQ"
PASSWORD = "correct horse 42"
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}

Client = TestClient  # the generic arguments of aiohttp's client add nothing for a reader


@dataclass
class Site:
    """Services that are up, and hands to do what their workers would do."""

    client: TestClient  # type: ignore[type-arg]
    entries: Sequence[Entry]
    settings: dict[str, ServiceSettings]
    pools: dict[str, Pool]

    async def add_account(self, email: str, *roles: Role, name: str = "王大同") -> None:
        async with transaction(self.pools["identity"]) as tx:
            await accounts.create(
                tx,
                email=email,
                name=name,
                password_hash=await Passwords(workers=1).hash(PASSWORD),
                roles=roles,
                actor="test",
            )

    async def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> int:
        answer = await self.client.post(
            "/identity/sign-in",
            data={"email": email, "password": password, **more},
            headers=FROM_OUR_PAGE,
            allow_redirects=False,
        )
        return answer.status

    async def rotate_keys(self) -> None:
        settings = self.settings["identity"]
        assert isinstance(settings, Settings)
        async with transaction(self.pools["identity"]) as tx:
            await keys.rotate(
                tx,
                vault=settings.vault,
                now=datetime.now(UTC),
                sessions_last=CANDIDATE_SESSION_LASTS,
            )

    async def deliver(self) -> int:
        """Carry every event from every outbox to every service that listens, once."""
        classes = {event.name: event for event in all_events()}
        count = 0
        for name in self.pools:
            for message in await self._take(name):
                count += 1
                event_class = classes[message.name]
                for entry in self.entries:
                    worker = entry.create_worker(self.settings[entry.name])
                    handler = {**SHARED_HANDLERS, **worker.handlers}.get(event_class)
                    if handler is not None:
                        received = inbox.Received(message.message_id, message.body.encode())
                        pool = self.pools[entry.name]
                        await inbox.handle(pool, event_class, handler, [received])
        await self.reload_sessions()
        return count

    async def _take(self, service: str) -> list[Message]:
        taken: list[Message] = []

        async def send(messages: Sequence[Message]) -> list[str | None]:
            taken.extend(messages)
            return [None] * len(messages)

        url = str(self.settings[service].database_url)
        connection = await db.connect(url, application="test relay")
        await outbox.relay_batch(connection, send)
        await connection.close()
        return taken

    async def reload_sessions(self) -> None:
        """Do at once what NOTIFY makes every process do in a moment."""
        apps = [self.client.app, *self.client.app._subapps]
        for app in apps:
            name = app[SESSIONS]._service
            async with self.pools[name].acquire() as connection:
                await app[SESSIONS].reload(connection)


@asynccontextmanager
async def open_site(make_database: MakeDatabase, *names: str, **more: str) -> AsyncIterator[Site]:
    """Open the named services in one process, as one machine runs them."""
    entries = [entry for entry in ENTRIES if entry.name in names]
    settings = {
        entry.name: entry.settings.model_validate(
            {
                "database_url": await make_database(entry.name),
                "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
                "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
                "EXAMHALL_SECRET_KEY": SECRET,
                "channel": "mailbox",  # notify's: no letter leaves the machine
                **more,
            }
        )
        for entry in entries
    }
    app = build([entry.create_app(settings[entry.name]) for entry in entries])
    async with TestClient(TestServer(app)) as client:
        pools = {
            entry.name: await db.create_pool(
                str(settings[entry.name].database_url), application="test"
            )
            for entry in entries
        }
        try:
            site = Site(client, entries, settings, pools)
            if "identity" in names:
                await site.rotate_keys()
                await site.deliver()
            yield site
        finally:
            for pool in pools.values():
                await pool.close()
