"""A candidate with a browser: takes a place, fills the form in, uploads documents, sends it."""

import io
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiohttp import ClientResponse, FormData

from services.enrollment import documents
from services.enrollment.document_store import DocumentStore
from services.enrollment.registrations.claims import Claimed
from services.enrollment.settings import Settings
from shared.db import Pool, transaction
from shared.pictures import Picture
from tests.conftest import MakeDatabase
from tests.enrollment import catalogues, pictures, world
from tests.site import FROM_OUR_PAGE, Site, open_site

MULTI, NATIONAL = "hakka-115-basic-m11", "hakka-115-basic-n01"
AREA = "hualien"

FORM: Mapping[str, Mapping[str, str]] = {
    "person": {
        "nationality": "taiwan",
        "person_name": "王大同",
        "latin_name": "WANG, TA-TUNG",
        "birth_date-year": "80",
        "birth_date-month": "5",
        "birth_date-day": "17",
        "identity_kind": "national_id",
        "identity_number": "A123456789",
    },
    "contact": {
        "mobile_phone": "0912-345-678",
        "home_phone": "",
        "office_phone": "02-7749-8207#123",
        "email": "wang@exam.example",
        "postal_code": "106209",
        "address": "臺北市大安區和平東路一段162號",
    },
    "emergency": {
        "emergency_name": "王小美",
        "emergency_phone": "02-7749-8207",
        "emergency_relation": "spouse",
    },
    "exam": {"dialect": "sixian", "special_needs": "no"},
    "background": {"heritage": "hakka-both", "occupation": "farmer", "education": "college"},
    "postage": {"paper_ticket": "no", "materials": "yes"},
}
DOCUMENTS = ("photo", "id_front")
PHOTO = Picture(b"\xff\xd8\xff\xd9", 1, 1)


def agree_to(page: str) -> FormData:
    """Agree to the texts that a page shows."""
    texts = re.findall(r'name="texts" value="([^"]*)"', page)
    return FormData([("agreed", "yes"), *(("texts", text) for text in texts)])


@dataclass
class Candidate:
    """Somebody signed in who holds a place."""

    site: Site
    account_id: UUID
    cookie: dict[str, str]
    claimed: Claimed

    @property
    def home(self) -> str:
        return f"/enrollment/registrations/{self.claimed.id}"

    def document(self, name: str) -> str:
        return f"/enrollment/documents/{self.claimed.id}/{name}"

    @property
    def pool(self) -> Pool:
        return self.site.pools["enrollment"]

    async def get(self, page: str = "", *, language: str = "en") -> ClientResponse:
        address = page if page.startswith("/enrollment/") else self.home + page
        headers = {**self.cookie, "Accept-Language": language}
        return await self.site.client.get(address, headers=headers, allow_redirects=False)

    async def read(self, page: str = "", *, language: str = "en") -> str:
        answer = await self.get(page, language=language)
        assert answer.status == 200, (answer.status, answer.headers.get("Location"))
        return await answer.text()

    async def post(self, page: str, data: Mapping[str, str] | FormData) -> ClientResponse:
        address = page if page.startswith("/enrollment/") else self.home + page
        headers = {**FROM_OUR_PAGE, **self.cookie, "Accept-Language": "en"}
        return await self.site.client.post(
            address, data=data, headers=headers, allow_redirects=False
        )

    async def agree(self) -> None:
        page = await self.read("/consents")
        assert (await self.post("/consents", agree_to(page))).status == 303

    async def fill(self, step: str, **changed: str) -> ClientResponse:
        return await self.post(f"/form/{step}", {**FORM[step], **changed})

    async def upload(self, name: str, content: bytes | None = None) -> ClientResponse:
        form = FormData()
        file = io.BytesIO(content or pictures.draw())
        form.add_field("picture", file, filename="me.jpg", content_type="image/jpeg")
        return await self.post(self.document(name), form)

    async def complete(self, **changed: Mapping[str, str]) -> None:
        """Do everything but send it."""
        await self.agree()
        for step in FORM:
            answer = await self.fill(step, **changed.get(step, {}))
            assert answer.status == 303, await answer.text()
        for name in DOCUMENTS:
            assert (await self.upload(name)).status == 303

    async def send(self) -> ClientResponse:
        return await self.post("/sending", {"certain": "yes"})

    async def state(self) -> str:
        state: str = await self.pool.fetchval(
            "SELECT state FROM registrations WHERE id = $1", self.claimed.id
        )
        return state

    async def be(self, state: str, **columns: object) -> None:
        """Let a registration stand somewhere without having walked there."""
        names = ["state", *columns]
        settings = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 2))
        await self.pool.execute(
            f"UPDATE registrations SET {settings} WHERE id = $1",
            self.claimed.id,
            state,
            *columns.values(),
        )


@asynccontextmanager
async def open_hall(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """Open identity and enrollment, with the Hakka programme and two sittings that are open."""
    async with open_site(make_database, "identity", "enrollment") as site:
        await open_sittings(site.pools["enrollment"])
        yield site


async def open_sittings(pool: Pool) -> None:
    await catalogues.load(pool, catalogues.shipped())
    now = datetime.now(UTC)
    await pool.execute(
        """
        UPDATE sittings SET opens_at = $2, closes_at = $3, tickets_at = $4, results_at = $4
         WHERE code = ANY($1::text[])
        """,
        [MULTI, NATIONAL],
        now - timedelta(days=1),
        now + timedelta(days=20),
        now + timedelta(days=40),
    )


async def renew_texts(pool: Pool) -> None:
    """Change a text that has to be agreed to, as a catalogue does."""
    await pool.execute(
        """
        UPDATE programmes SET consents = jsonb_set(consents, '{0,version}', '"115-2"')
         WHERE code = 'hakka-115'
        """
    )


async def arrive(site: Site, sitting: str = MULTI, area: str = AREA) -> Candidate:
    """Sign in and take a place."""
    account_id, cookie = await site.begin_session()
    claimed = await take_place(site, account_id, sitting, area)
    return Candidate(site, account_id, cookie, claimed)


async def take_place(
    site: Site, account_id: UUID, sitting: str = MULTI, area: str = AREA
) -> Claimed:
    wish = world.wish(sitting, area, account_id=account_id, arrived_at=datetime.now(UTC))
    return await world.claim_one(site.pools["enrollment"], wish)


async def give_registration(site: Site, owner: UUID) -> dict[str, str]:
    """Give somebody a registration with a photo; return what stands in its addresses."""
    pool = site.pools["enrollment"]
    if not await pool.fetchval("SELECT count(*) FROM sittings WHERE code = $1", MULTI):
        await open_sittings(pool)
    claimed = await take_place(site, owner)
    settings = site.settings["enrollment"]
    assert isinstance(settings, Settings)
    now = datetime.now(UTC)
    async with transaction(pool) as tx:
        photo = await documents.announce(
            tx, registration_id=claimed.id, document="photo", picture=PHOTO, now=now
        )
        await documents.keep(tx, document_id=photo)
    await DocumentStore(settings).put(photo, PHOTO.content)
    return {"registration_id": str(claimed.id), "step": "person", "document": "photo"}
