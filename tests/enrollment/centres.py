"""Exam centres in tests: their staff with a browser, their lists, and their papers as printed."""

import html
import io
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from aiohttp import ClientResponse, FormData

from services.enrollment import centres
from services.enrollment.centres import Centre
from services.enrollment.registrations import deciding
from shared import csv_file
from shared.auth import Role
from shared.db import Pool, transaction
from shared.events import decode
from shared.events.enrollment import EntryRecorded
from tests.enrollment import catalogues
from tests.enrollment.candidates import give_registration
from tests.enrollment.world import NOW, VAULT
from tests.site import FROM_OUR_PAGE, Site

SITTING, OTHER_SITTING = "a2-key-for-schools-2026-12", "b2-first-2026-12"
HEADER = ("Candidate number", "Name", "Name in Latin letters", "Date of birth", "Internal ID")
WANG = ("1", "王大同", "WANG, TA-TUNG", "2012-04-21", "S-1001")
LIN = ("2", "許怡君", "LIN, YI-CHUN", "2013-11-02", "")
TAIPEI = Centre(
    "TW940", "Taipei Centre", "Xinmin Primary School", "No. 113, Xinhai Road, Taipei", NOW
)
TAINAN = Centre("TW941", "Tainan Centre", "Tainan School", "No. 1, Chengkung Road, Tainan", NOW)


async def prepare(pool: Pool) -> None:
    """Bring in the exams that centres enter, two of which take candidates, and two centres."""
    await catalogues.load(pool, catalogues.shipped("cambridge-english"))
    await pool.execute(
        """
        UPDATE sittings SET opens_at = $2, closes_at = $3, exam_date = $4, results_at = $5
         WHERE code = ANY($1::text[])
        """,
        [SITTING, OTHER_SITTING],
        NOW - timedelta(days=1),
        NOW + timedelta(days=10),
        date(2099, 12, 5),
        datetime(2100, 1, 15, 9, tzinfo=UTC),
    )
    async with transaction(pool) as tx:
        for centre in (TAIPEI, TAINAN):
            await centres.add(tx, centre=centre, actor="test")


def write(*rows: Sequence[str], header: Sequence[str] = HEADER) -> bytes:
    return csv_file.write(header, rows)


@dataclass
class CentreStaff:
    """Somebody who enters candidates."""

    site: Site
    id: UUID
    cookie: Mapping[str, str]

    @classmethod
    async def arrive(
        cls, site: Site, centre: str | None = TAIPEI.number, *, role: Role = Role.CENTRE
    ) -> "CentreStaff":
        account_id, cookie = await site.begin_session(role)
        await site.deliver()
        if centre is not None:
            pool = site.pools["enrollment"]
            async with transaction(pool) as tx:
                email = await tx.fetchval(
                    "SELECT email FROM contacts WHERE account_id = $1", account_id
                )
                await centres.admit(tx, number=centre, email=email, actor="test")
        return cls(site, account_id, cookie)

    @staticmethod
    def here(page: str = "", *, centre: str = TAIPEI.number, sitting: str = SITTING) -> str:
        return f"/enrollment/staff/centre/{centre}/{sitting}/{page}"

    @staticmethod
    def lists(page: str = "", *, centre: str = TAIPEI.number, sitting: str = SITTING) -> str:
        return f"/enrollment/staff/lists/{centre}/{sitting}{page}"

    async def get(self, path: str, *, language: str = "en") -> ClientResponse:
        headers = {**self.cookie, "Accept-Language": language}
        return await self.site.client.get(path, headers=headers, allow_redirects=False)

    async def read(self, path: str, *, language: str = "en") -> str:
        answer = await self.get(path, language=language)
        assert answer.status == 200, (answer.status, path)
        return " ".join((await answer.text()).split())

    async def post(
        self, path: str, data: Mapping[str, str] | FormData | None = None
    ) -> ClientResponse:
        headers = {**FROM_OUR_PAGE, **self.cookie, "Accept-Language": "en"}
        return await self.site.client.post(
            path, data=data or {}, headers=headers, allow_redirects=False
        )

    async def hand_in(self, content: bytes, **where: str) -> ClientResponse:
        form = FormData()
        form.add_field("file", io.BytesIO(content), filename="candidates")
        return await self.post(self.lists(**where), form)

    async def import_(self, content: bytes, **where: str) -> str:
        """Hand in a list and confirm what is shown; return what the page then says."""
        shown = await self.hand_in(content, **where)
        assert shown.status == 200, await shown.text()
        found = re.search(r'<textarea name="rows" hidden>([^<]*)</textarea>', await shown.text())
        assert found, "nothing to import"
        form = FormData({"rows": html.unescape(found[1])})
        answer = await self.post(self.lists("/imports", **where), form)
        assert answer.status == 303, await answer.text()
        return await self.read(answer.headers["Location"])

    async def entry(self, candidate_number: str = "0001") -> str:
        """Give the page of an entry."""
        entry_id = await self.site.pools["enrollment"].fetchval(
            "SELECT id FROM entries WHERE candidate_number = $1", candidate_number
        )
        return self.here(f"entries/{entry_id}")

    async def print(self, path: str, *, language: str = "en") -> bytes:
        answer = await self.get(path, language=language)
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "application/pdf"
        return await answer.read()


def read_pdf(document: bytes) -> str:
    """Read a document's words, page by page."""
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True
    )
    return done.stdout.decode()


async def told(pool: Pool) -> list[EntryRecorded]:
    """Take what was published of entries since the last look, in its order."""
    rows = await pool.fetch(
        """
        WITH gone AS (DELETE FROM outbox WHERE name = $1 RETURNING id, body)
        SELECT body FROM gone ORDER BY id
        """,
        EntryRecorded.name,
    )
    return [event for row in rows for event in decode(EntryRecorded, row["body"])]


async def give_entry(site: Site, owner: UUID) -> dict[str, str]:
    """Give somebody a registration that is confirmed; return what stands in its addresses."""
    named = await give_registration(site, owner)
    pool = site.pools["enrollment"]
    registration_id = UUID(named["registration_id"])
    await pool.execute(
        """
        UPDATE registrations
           SET state = 'in_review', submitted_at = $2, waiting_since = $2, dialect = 'sixian',
               person_name = '王大同', latin_name = 'WANG, TA-TUNG', birth_date = '2010-05-01',
               fee_twd = 0
         WHERE id = $1
        """,
        registration_id,
        datetime.now(UTC),
    )
    async with transaction(pool) as tx:
        await deciding.approve(
            tx, registration_id=registration_id, vault=VAULT, actor="test", now=datetime.now(UTC)
        )
    return named
