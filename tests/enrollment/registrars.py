"""Registrars with a browser, and registrations that wait for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiohttp import ClientResponse, FormData

from shared.auth import Role
from tests.enrollment.candidates import Candidate, arrive
from tests.site import FROM_OUR_PAGE, Site

STAFF = "/enrollment/staff"


@dataclass
class Registrar:
    """Somebody who reviews."""

    site: Site
    id: UUID
    cookie: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def arrive(cls, site: Site, role: Role = Role.REGISTRAR) -> "Registrar":
        account_id, cookie = await site.begin_session(role)
        return cls(site, account_id, cookie)

    async def get(self, page: str, **query: str) -> ClientResponse:
        return await self.site.client.get(
            STAFF + page,
            params=query,
            headers={**self.cookie, "Accept-Language": "en"},
            allow_redirects=False,
        )

    async def read(self, page: str, **query: str) -> str:
        answer = await self.get(page, **query)
        assert answer.status == 200, (answer.status, answer.headers.get("Location"))
        return await answer.text()

    async def post(
        self, page: str, data: Mapping[str, str] | FormData | None = None
    ) -> ClientResponse:
        return await self.site.client.post(
            STAFF + page,
            data=data or {},
            headers={**FROM_OUR_PAGE, **self.cookie, "Accept-Language": "en"},
            allow_redirects=False,
        )

    async def take(self, candidate: Candidate) -> None:
        answer = await self.post(f"{page_of(candidate)}/review")
        assert answer.status == 303, await answer.text()


def page_of(candidate: Candidate) -> str:
    return f"/registrations/{candidate.claimed.id}"


async def send(site: Site) -> Candidate:
    """Somebody born too late to pay sends a registration with everything in it."""
    candidate = await arrive(site)
    await candidate.complete(person={"birth_date-year": "2010"})
    assert (await candidate.send()).status == 303
    return candidate


async def wait(site: Site) -> Candidate:
    """Somebody whose registration waits, with nothing in it."""
    candidate = await arrive(site)
    now = datetime.now(UTC)
    await candidate.be(
        "in_review",
        submitted_at=now,
        waiting_since=now,
        dialect="sixian",
        person_name="王大同",
        birth_date=now.date() - timedelta(days=5000),
        fee_twd=0,
    )
    return candidate


async def acts(site: Site, candidate: Candidate) -> list[str]:
    rows = await site.pools["enrollment"].fetch(
        "SELECT act FROM audit_lines WHERE subject = $1 ORDER BY id",
        f"registration {candidate.claimed.id}",
    )
    return [row["act"] for row in rows]


async def published(site: Site, name: str) -> list[str]:
    rows = await site.pools["enrollment"].fetch("SELECT body FROM outbox WHERE name = $1", name)
    return [row["body"] for row in rows]
