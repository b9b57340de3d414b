"""Holders of a Confirmation of Entry, for the tests of the results service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientResponse

from services.identity.consumers import on_entry_recorded
from shared import entry_numbers, events
from shared.db import Pool, transaction
from shared.events import Event
from shared.events.enrollment import EntryRecorded
from shared.vault import Vault
from tests.conftest import MakeDatabase
from tests.site import Site, open_site

ID_NUMBER, SECRET = "SMR123456", "1079"
ENTRY = UUID(int=7)
NOBODYS = "SMR999999"
ADDRESS = "datong@exam.example"
PASSWORD = "Abcde123"
NEW_PASSWORD = "Fghij456"
RECORDED_AT = datetime(2026, 3, 1, tzinfo=UTC)

FORM = {
    "id_number": ID_NUMBER,
    "secret_number": SECRET,
    "email": ADDRESS,
    "email_again": ADDRESS,
    "password": PASSWORD,
    "password_again": PASSWORD,
    "terms": "agreed",
}


def entry(vault: Vault, *, secret: str = SECRET, **changed: Any) -> EntryRecorded:
    """Somebody's entry, as enrollment tells of it."""
    id_number = changed.get("id_number", ID_NUMBER)
    told = {
        "entry_id": ENTRY,
        "id_number": id_number,
        "secret_digest": entry_numbers.digest(vault, id_number=id_number, secret_number=secret),
        "programme": "cambridge-english",
        "zone": "Europe/London",
        "exam": "first",
        "exam_titles": {"zh-Hant-TW": "B2 First", "en": "B2 First"},
        "sitting": "first-2026-03",
        "sitting_titles": {"zh-Hant-TW": "2026 年 3 月", "en": "March 2026"},
        "exam_date": date(2026, 3, 14),
        "results_at": datetime(2026, 5, 1, 8, tzinfo=UTC),
        "person_name": "王大同",
        "latin_name": "TA-TUNG WANG",
        "birth_date": date(2008, 8, 8),
        "dialect": None,
        "candidate_number": "0042",
        "centre_number": "TW940",
        "centre_name": "Exam Centre",
        "account_id": None,
        "registration_id": None,
        "is_cancelled": False,
        "recorded_at": RECORDED_AT,
    }
    return EntryRecorded.model_validate(told | changed)


def another(vault: Vault, id_number: str, **changed: Any) -> EntryRecorded:
    return entry(vault, entry_id=uuid4(), id_number=id_number, **changed)


async def tell(pool: Pool, *told: EntryRecorded) -> None:
    """Bring news of entries."""
    async with transaction(pool) as tx:
        await on_entry_recorded(tx, list(told))


@dataclass
class Portal:
    """The results service, and hands for its forms."""

    site: Site

    @property
    def pool(self) -> Pool:
        return self.site.pools["identity"]

    async def tell(self, **changed: Any) -> None:
        await tell(self.pool, entry(self.site.vault, **changed))

    async def register(self, **changed: str) -> ClientResponse:
        return await self.site.post("/identity/results/registration", **{**FORM, **changed})

    async def log_in(
        self, id_number: str = ID_NUMBER, password: str = PASSWORD, **more: str
    ) -> ClientResponse:
        return await self.site.post(
            "/identity/results/", id_number=id_number, password=password, **more
        )

    async def page_after(self, id_number: str, password: str) -> str:
        return await (await self.log_in(id_number, password)).text()

    async def text(self, path: str) -> str:
        return await (await self.site.client.get(path)).text()

    async def is_logged_in(self, cookies: dict[str, str] | None = None) -> bool:
        answer = await self.site.client.get(
            "/identity/results/details/", cookies=cookies, allow_redirects=False
        )
        return answer.status == 200

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.site.client.session.cookie_jar}

    def leave(self) -> None:
        """Go to another device."""
        self.site.client.session.cookie_jar.clear()


async def count_accounts(pool: Pool) -> int:
    found: int = await pool.fetchval(
        "SELECT count(*) FROM results_accounts WHERE closed_at IS NULL"
    )
    return found


async def published(pool: Pool, event: type[Event]) -> list[Event]:
    rows = await pool.fetch("SELECT body FROM outbox WHERE name = $1", event.name)
    return [each for row in rows for each in events.decode(event, row["body"])]


@asynccontextmanager
async def open_portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    """The results service, and one entry that is not registered yet."""
    async with open_site(make_database, "identity", "scoring") as site:
        portal = Portal(site)
        await portal.tell()
        yield portal
