"""A whole site for tests: services on fresh databases, asked over HTTP like a browser would."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import pyotp
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient, TestServer

from deploy.all_in_one import ENTRIES
from services.identity import accounts, inquiries, keys, second_factors, sessions
from services.identity.passwords import Passwords
from services.identity.sessions import CANDIDATE_SESSION_LASTS
from services.identity.settings import Settings
from shared import db, inbox, outbox
from shared.auth import SESSIONS, Role, cookie_name
from shared.db import Pool, transaction
from shared.events import all_events, decode
from shared.events.identity import LetterRequested, LinkRequested
from shared.outbox import Message
from shared.run import Entry
from shared.settings import ServiceSettings
from shared.vault import Vault
from shared.web import build
from shared.worker import SHARED_HANDLERS
from tests.conftest import MakeDatabase

SECRET = "dGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQ"
PASSWORD = "correct horse 42"
SECOND_FACTOR = "LOOKAROUNDLOOKAROUNDLOOKAROUND22"
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
# The rows of the key that all sites of a run sign sessions with, by their tables.
FIRST_KEY: dict[str, list[tuple[Any, ...]]] = {}


@dataclass
class Site:
    """Services that are up, and hands to do what their workers would do."""

    client: TestClient  # type: ignore[type-arg]
    entries: Sequence[Entry]
    settings: dict[str, ServiceSettings]
    pools: dict[str, Pool]
    # Letters identity asked for, in the order of their events.
    letters: list[LetterRequested] = field(default_factory=list)

    async def add_account(self, email: str, *roles: Role, name: str = "王大同") -> None:
        async with transaction(self.pools["identity"]) as tx:
            now = datetime.now(UTC)
            account_id = await accounts.open_(
                tx,
                email=email,
                person=name,
                language="zh-Hant-TW",
                password_hash=await Passwords(workers=1).hash(PASSWORD),
                roles=roles,
                actor="test",
                now=now,
            )
            if roles:
                await second_factors.set_up(
                    tx, account_id=account_id, secret=SECOND_FACTOR, step=0, vault=self.vault
                )

    async def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> int:
        answer = await self.client.post(
            "/identity/sign-in",
            data={"email": email, "password": password, **more},
            headers=FROM_OUR_PAGE,
            allow_redirects=False,
        )
        if answer.headers.get("Location") != "/identity/second-factor":
            return answer.status
        # A code works once: each sign-in of a test takes the next.
        now = datetime.now(UTC)
        await self.pools["identity"].execute("UPDATE second_factors SET last_step = 0")
        answer = await self.client.post(
            "/identity/second-factor",
            data={"code": pyotp.TOTP(SECOND_FACTOR).at(now)},
            headers=FROM_OUR_PAGE,
            allow_redirects=False,
        )
        return answer.status

    async def begin_session(
        self, *roles: Role, name: str = "林怡君"
    ) -> tuple[UUID, dict[str, str]]:
        """Sign somebody new in without a form; return the account's id and the cookie to send."""
        now = datetime.now(UTC)
        async with transaction(self.pools["identity"]) as tx:
            account_id = await accounts.open_(
                tx,
                email=f"{uuid4().hex}@exam.example",
                person=name,
                language="zh-Hant-TW",
                password_hash="no password fits",
                roles=roles,
                actor="test",
                now=now,
            )
            account = await accounts.find(tx, account_id=account_id)
            assert account
            key = await keys.find_current(tx, vault=self.vault, now=now)
            assert key
            session = await sessions.begin(tx, account=account, now=now)
            token = sessions.sign(session, account, key, now=now)
        return account_id, {"Cookie": f"{cookie_name(self.settings['identity'])}={token}"}

    @property
    def vault(self) -> Vault:
        settings = self.settings["identity"]
        assert isinstance(settings, Settings)
        return settings.vault

    async def answer_inquiries(self) -> None:
        """Do what the worker's job does within a second, and carry the letters out."""
        async with transaction(self.pools["identity"]) as tx:
            await inquiries.answer(tx, site="http://127.0.0.1", now=datetime.now(UTC))
        await self.deliver()

    def newest_link(self) -> str:
        """Where the link of the newest letter leads."""
        letter = self.letters[-1]
        assert isinstance(letter, LinkRequested)
        return letter.link.removeprefix("http://127.0.0.1")

    async def post(self, path: str, **form: str | list[str]) -> ClientResponse:
        """Send a form as our own page would; redirects are not followed."""
        fields = [
            (name, value)
            for name, values in form.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        return await self.client.post(
            path, data=FormData(fields), headers=FROM_OUR_PAGE, allow_redirects=False
        )

    async def rotate_keys(self) -> None:
        async with transaction(self.pools["identity"]) as tx:
            await keys.rotate(
                tx,
                vault=self.vault,
                now=datetime.now(UTC),
                sessions_last=CANDIDATE_SESSION_LASTS,
            )

    async def sign_sessions(self) -> None:
        """Have a key for sessions, known everywhere: the first site makes it, others copy it."""
        if not FIRST_KEY:
            await self.rotate_keys()
            await self.deliver()
            for table in ("signing_keys", "session_keys"):
                rows = await self.pools["identity"].fetch(f"SELECT * FROM {table}")
                FIRST_KEY[table] = [tuple(row) for row in rows]
            return
        identity = self.pools["identity"]
        await identity.copy_records_to_table("signing_keys", records=FIRST_KEY["signing_keys"])
        for pool in self.pools.values():
            await pool.copy_records_to_table("session_keys", records=FIRST_KEY["session_keys"])
        await self.reload_sessions()

    async def deliver(self) -> int:
        """Carry every event from every outbox to every service that listens, once."""
        classes = {event.name: event for event in all_events()}
        count = 0
        for name in self.pools:
            for message in await self._take(name):
                count += 1
                event_class = classes[message.name]
                if issubclass(event_class, LetterRequested):
                    self.letters += decode(event_class, message.body)
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

        async with self.pools[service].acquire() as connection:
            await outbox.relay_batch(connection, send)
        return taken

    async def reload_sessions(self) -> None:
        """Do at once what NOTIFY makes every process do in a moment."""
        apps = [self.client.app, *self.client.app._subapps]
        for app in apps:
            name = app[SESSIONS]._service
            async with self.pools[name].acquire() as connection:
                await app[SESSIONS].reload(connection)


@asynccontextmanager
async def open_site(
    make_database: MakeDatabase, *names: str, **more: str | None
) -> AsyncIterator[Site]:
    """Open the named services in one process, as one machine runs them."""
    with TemporaryDirectory() as folder:
        async with _open(
            make_database, names, {"documents_url": Path(folder).as_uri(), **more}
        ) as site:
            yield site


@asynccontextmanager
async def _open(
    make_database: MakeDatabase, names: Sequence[str], more: Mapping[str, str | None]
) -> AsyncIterator[Site]:
    entries = [entry for entry in ENTRIES if entry.name in names]
    settings = {
        entry.name: entry.settings.model_validate(
            {
                "database_url": await make_database(entry.name),
                "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
                "EXAMHALL_PUBLIC_URL": "http://127.0.0.1",
                "EXAMHALL_SECRET_KEY": SECRET,
                "channel": "mailbox",  # notify's: no letter leaves the machine
                "bounce_secret": SECRET,
                **more,
            }
        )
        for entry in entries
    }
    app = build([entry.create_app(settings[entry.name]) for entry in entries])
    port = more.get("EXAMHALL_PORT")  # any, unless somebody has to know it before
    async with TestClient(TestServer(app, port=int(port) if port else None)) as client:
        pools = {
            entry.name: await db.create_pool(
                str(settings[entry.name].database_url), application="test"
            )
            for entry in entries
        }
        try:
            site = Site(client, entries, settings, pools)
            if "identity" in names:
                await site.sign_sessions()
            yield site
        finally:
            for pool in pools.values():
                await pool.close()
