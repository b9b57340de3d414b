"""Holders see their results and take a statement away; nobody sees anything before its hour."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.scoring.rules import merkle, seals
from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.scoring import papers, world
from tests.scoring.papers import KINDS
from tests.site import FROM_OUR_PAGE, Site, open_site

LANGUAGES = ("en", "zh-TW")
WHOLE = {"en": "not broken down into papers", "zh-TW": "本考試不提供分項成績"}


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "scoring") as site:
        yield site


@dataclass
class Holder:
    """Somebody signed in, and what they are told."""

    site: Site
    account: UUID
    cookie: dict[str, str]

    @classmethod
    async def sign_in(cls, site: Site, *roles: Role) -> "Holder":
        return cls(site, *await site.begin_session(*roles))

    async def get(self, path: str, language: str = "en") -> tuple[int, bytes]:
        headers = {**self.cookie, "Accept-Language": language}
        answer = await self.site.client.get(path, headers=headers, allow_redirects=False)
        return answer.status, await answer.read()

    async def read(self, path: str, language: str = "en") -> str:
        status, content = await self.get(path, language)
        assert status == 200, status
        return content.decode()

    async def post(self, path: str, **form: str) -> tuple[int, str]:
        answer = await self.site.client.post(
            path,
            data=form,
            headers={**self.cookie, **FROM_OUR_PAGE, "Accept-Language": "en"},
            allow_redirects=False,
        )
        return answer.status, await answer.text()


def read_pdf(document: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True
    )
    return " ".join(done.stdout.decode().split())


@pytest.mark.parametrize(
    ("kind", "shown", "hidden"),
    [
        ("key", ["A2 Key for Schools", "Pass with Merit", "Overall score", "134"], []),
        ("first", ["B2 First", "Pass at Grade C", "160", "Use of English"], []),
        ("starters", ["YLE Starters", "Reading and Writing"], ["Overall score", "Result</dt>"]),
        (
            "delta",
            ["Delta Module One", "Pass", WHOLE["en"]],
            ["Paper by paper", "Overall score"],
        ),
        ("basic", ["Elementary", "Listening", "25", "Total", "80"], ["Overall score"]),
        ("intermediate", ["High-Intermediate", "Phonetic spelling", "248", "108"], []),
    ],
)
async def test_each_kind_of_result_shows_what_its_exam_has(
    site: Site, kind: str, shown: list[str], hidden: list[str]
) -> None:
    holder = await Holder.sign_in(site)
    statement = await papers.give(site, holder.account, kind)
    page = await holder.read(f"/scoring/results/{statement.result.id}")
    words = re.sub(r"\s+", " ", page)
    assert [word for word in ["Welcome, 王大同", *shown] if word not in words] == []
    assert [word for word in hidden if word in words] == []
    assert (WHOLE["en"] in words) == (kind == "delta")
    at_the_centre = "4 to 8 weeks" in words
    assert at_the_centre == (statement.candidate.centre_number is not None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_statement_says_on_paper_what_the_page_says(
    site: Site, kind: str, language: str
) -> None:
    holder = await Holder.sign_in(site)
    statement = await papers.give(site, holder.account, kind)
    status, document = await holder.get(
        f"/scoring/results/{statement.result.id}/statement.pdf", language
    )
    assert (status, document[:5]) == (200, b"%PDF-")
    table, tongue = statement.table, "en" if language == "en" else "zh-Hant-TW"
    words = read_pdf(document).replace(" ", "")
    expected = [statement.candidate.id_number, statement.candidate.person_name, table.score]
    expected += [line.titles[tongue] + line.reached[tongue] for line in table.lines]
    expected += [table.result[tongue]] if table.result else []
    assert [text for text in expected if text.replace(" ", "") not in words] == []
    assert (WHOLE[language].replace(" ", "") in words) == (kind == "delta")
    assert seals.find_in_pdf(document)


async def test_the_same_statement_is_the_same_file(site: Site) -> None:
    holder = await Holder.sign_in(site)
    statement = await papers.give(site, holder.account)
    path = f"/scoring/results/{statement.result.id}/statement.pdf"
    assert await holder.get(path) == await holder.get(path)


async def test_deductions_stand_on_the_page_and_on_the_paper(site: Site) -> None:
    holder = await Holder.sign_in(site)
    pool = site.pools["scoring"]
    entry_id = await papers.prepare(site, holder.account)
    await papers.release(pool, entry_id)
    await papers.deduct(pool, entry_id)
    statement = await papers.find(pool, entry_id)
    path = f"/scoring/results/{statement.result.id}"
    page = await holder.read(path)
    assert "Listening – 5 points deducted" in page
    _, document = await holder.get(f"{path}/statement.pdf")
    assert "Listening – 5 points deducted" in read_pdf(document)


async def test_the_first_page_lists_what_is_out_and_says_when_the_rest_comes(site: Site) -> None:
    holder = await Holder.sign_in(site)
    assert "This account has no result yet" in await holder.read("/scoring/")
    await papers.give(site, holder.account, "key")
    waiting = await papers.prepare(site, holder.account, "basic")
    pool = site.pools["scoring"]
    at = datetime(2036, 7, 14, 8, tzinfo=UTC)
    await pool.execute(
        """
        UPDATE sittings SET results_at = $2, zone = 'Europe/London'
         WHERE code = (SELECT sitting FROM candidates WHERE entry_id = $1)
        """,
        waiting,
        at,
    )
    page = await holder.read("/scoring/")
    assert "Pass with Merit" in page
    assert "Monday 14 July 2036 at 09:00" in page  # eight by the clock of the world
    assert "United Kingdom time" in page
    assert "Elementary</strong>" not in page
    page = await holder.read("/scoring/", "zh-TW")
    assert "距離公布" in page, "what the countdown runs to"
    assert "更正" not in page


async def test_letters_lead_to_the_first_page_over_the_sign_in(site: Site) -> None:
    client, address = site.client, "/scoring/results/"
    answer = await client.get(address, allow_redirects=False)
    assert answer.headers["Location"] == f"/identity/sign-in?next={address}"
    holder = await Holder.sign_in(site)
    answer = await client.get(address, headers=holder.cookie, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/scoring/")


async def test_before_the_hour_nothing_is_visible_to_anyone_by_any_route(site: Site) -> None:
    holder = await Holder.sign_in(site)
    pool = site.pools["scoring"]
    entry_id = await papers.prepare(site, holder.account)
    code = await pool.fetchval("SELECT sitting FROM candidates WHERE entry_id = $1", entry_id)
    await world.order(pool, datetime.now(UTC) + timedelta(hours=2), code)
    result_id = await pool.fetchval("SELECT id FROM results WHERE entry_id = $1", entry_id)
    home = f"/scoring/results/{result_id}"
    share = {"share_id": str(uuid4()), "label": "school", "days": "7"}
    for path in (home, f"{home}/statement.pdf", f"{home}/proof.json", f"{home}/shares"):
        assert (await holder.get(path))[0] == 404, path
    assert (await holder.post(f"{home}/shares", **share))[0] == 404
    assert "Elementary</strong>" not in await holder.read("/scoring/")
    # And one instant later, by nothing but the clock of the database, all of it is.
    await pool.execute("UPDATE releases SET released_at = now() WHERE sitting = $1", code)
    for path in (home, f"{home}/statement.pdf", f"{home}/proof.json", f"{home}/shares"):
        assert (await holder.get(path))[0] == 200, path


async def test_what_is_not_yours_does_not_exist(site: Site) -> None:
    holder, other = await Holder.sign_in(site), await Holder.sign_in(site)
    statement = await papers.give(site, holder.account)
    home = f"/scoring/results/{statement.result.id}"
    for path in (home, f"{home}/statement.pdf", f"{home}/proof.json", f"{home}/shares"):
        assert (await other.get(path))[0] == 404, path
    assert (await other.get("/scoring/results/none"))[0] == 404
    registrar = await Holder.sign_in(site, Role.REGISTRAR)
    assert (await registrar.get(home))[0] == 403


async def test_of_many_who_look_at_once_each_sees_their_own(site: Site) -> None:
    people = [await Holder.sign_in(site) for _ in range(4)]
    homes = []
    for number, (person, kind) in enumerate(zip(people, KINDS, strict=False)):
        statement = await papers.give(site, person.account, kind)
        homes.append(f"/scoring/results/{statement.result.id}")
        await site.pools["scoring"].execute(
            "UPDATE candidates SET person_name = $2 WHERE entry_id = $1",
            statement.result.entry_id,
            f"<{number}> & 'son'",
        )
    every_pair = [(number, person, home) for number, person in enumerate(people) for home in homes]
    answers = await asyncio.gather(
        *(person.get(home, LANGUAGES[number % 2]) for number, person, home in every_pair)
    )
    for (number, _, home), (status, page) in zip(every_pair, answers, strict=True):
        assert status == (200 if home == homes[number] else 404)
        names = re.findall(r"&lt;(\d)&gt; &amp; &#39;son&#39;", page.decode())
        assert names == ([str(number)] if home == homes[number] else [])
        assert ("Welcome" in page.decode()) == (status == 200 and number % 2 == 0)


async def test_the_proof_leads_to_the_digest_that_was_published(site: Site) -> None:
    holder = await Holder.sign_in(site)
    statement = await papers.give(site, holder.account)
    text = await holder.read(f"/scoring/results/{statement.result.id}/proof.json")
    proof = merkle.read_proof(text)
    root = await site.pools["scoring"].fetchval(
        "SELECT root FROM digests WHERE id = $1", statement.result.digest_id
    )
    assert proof
    assert proof.proves(root)
    forged = merkle.read_proof(json.dumps(json.loads(text) | {"position": 1, "count": 2}))
    assert forged
    assert not forged.proves(root)


async def test_a_replaced_version_says_so_and_is_no_longer_listed(site: Site) -> None:
    holder = await Holder.sign_in(site)
    old = await papers.give(site, holder.account)
    entry_id, pool = old.result.entry_id, site.pools["scoring"]
    assert "was replaced" not in await holder.read(f"/scoring/results/{old.result.id}")
    await papers.correct(pool, entry_id, papers.basic("30", "50", "20"))
    new = await papers.find(pool, entry_id)
    listed = await holder.read("/scoring/")
    assert str(new.result.id) in listed
    assert str(old.result.id) not in listed
    assert "This version was replaced" in await holder.read(f"/scoring/results/{old.result.id}")
    _, document = await holder.get(f"/scoring/results/{old.result.id}/statement.pdf")
    assert "This version was replaced" in read_pdf(document)


async def test_what_was_corrected_before_the_release_is_never_seen(site: Site) -> None:
    holder = await Holder.sign_in(site)
    pool = site.pools["scoring"]
    entry_id = await papers.prepare(site, holder.account)
    first = await pool.fetchval("SELECT id FROM results WHERE entry_id = $1", entry_id)
    await papers.correct(pool, entry_id, papers.basic("30", "50", "20"))
    await papers.release(pool, entry_id)
    assert (await holder.get(f"/scoring/results/{first}"))[0] == 404
    assert (await papers.find(pool, entry_id)).result.version == 2
