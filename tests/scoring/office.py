"""A site with candidates of one sitting, and hands to ask it as one of its staff."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiohttp import ClientResponse, FormData

from services.scoring.schedule import do_errands
from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.scoring.world import BASIC, enter, entry_id, scored
from tests.site import FROM_OUR_PAGE, Site, open_site

OVERVIEW = "/scoring/staff/"
SITTING = f"/scoring/staff/sittings/{BASIC}"
MARKS = f"/scoring/staff/marks/{BASIC}"
PREVIEW = f"/scoring/staff/results/{BASIC}"
RELEASE = f"/scoring/staff/release/{BASIC}"
CANDIDATE = f"/scoring/staff/candidates/{entry_id(0)}"


@dataclass
class Office:
    """A site with candidates, and hands to ask it as one of its staff."""

    site: Site
    cookies: dict[str, dict[str, str]]
    accounts: dict[str, UUID]

    async def ask(self, who: str, method: str, path: str, data: Any = None) -> ClientResponse:
        self.site.client.session.cookie_jar.clear()
        return await self.site.client.request(
            method,
            path,
            data=data,
            headers={**self.cookies[who], **FROM_OUR_PAGE, "Accept-Language": "en"},
            allow_redirects=False,
        )

    async def see(self, who: str, path: str, status: int = 200) -> str:
        answer = await self.ask(who, "GET", path)
        assert answer.status == status, await answer.text()
        return await answer.text()

    async def send(self, who: str, path: str, status: int = 303, **form: Any) -> str:
        """Send a form; return where it leads, or what the page says that refuses it."""
        fields = FormData(
            [(n, v) for n, vs in form.items() for v in (vs if isinstance(vs, list) else [vs])]
        )
        answer = await self.ask(who, "POST", path, fields if form else {})
        assert answer.status == status, await answer.text()
        return answer.headers["Location"] if status == 303 else await answer.text()

    async def hand_in(self, *rows: list[str], status: int = 303) -> str:
        headings = ["ID number", "Listening", "Speaking", "Reading", "Absent"]
        lines = "\n".join(",".join(row) for row in [headings, *rows])
        form = FormData()
        form.add_field("file", lines.encode(), filename="scores.csv")
        answer = await self.ask("examiner", "POST", f"{MARKS}/files", form)
        assert answer.status == status, await answer.text()
        return answer.headers["Location"] if status == 303 else await answer.text()

    async def score(self, *rows: list[str]) -> None:
        await self.send("examiner", f"{await self.hand_in(*rows)}/import")

    async def do_errands(self) -> None:
        """Do what the worker does within a second."""
        while await do_errands(self.site.pools["scoring"], datetime.now(UTC)):
            pass

    async def compute(self, who: str = "examiner") -> None:
        await self.send(who, f"{PREVIEW}/computation")
        await self.do_errands()

    async def approve(self) -> None:
        await self.score(*(scored(n) for n in range(3)))
        await self.compute()
        await self.send("releaser", f"{RELEASE}/approval", number="1")
        await self.do_errands()


@asynccontextmanager
async def open_office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    async with open_site(make_database, "identity", "scoring") as site:
        await enter(site.pools["scoring"], 3)
        cookies, accounts = {}, {}
        for name, roles in {
            "examiner": [Role.EXAMINER],
            "releaser": [Role.RELEASER],
            "both": [Role.EXAMINER, Role.RELEASER],
            "administrator": [Role.ADMINISTRATOR],
        }.items():
            accounts[name], cookies[name] = await site.begin_session(*roles)
        yield Office(site, cookies, accounts)
