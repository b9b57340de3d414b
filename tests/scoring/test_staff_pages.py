"""Pages for staff: from a file of scores to released results, each by whom it is for."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientResponse, FormData

from services.scoring import results
from services.scoring.rules import merkle
from shared import table_file
from shared.auth import Role
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.scoring.world import BASIC, enter, entered, entry_id, hear, id_number, scored
from tests.site import FROM_OUR_PAGE, Site, open_site

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

    async def approve(self) -> None:
        await self.score(*(scored(n) for n in range(3)))
        await self.send("examiner", f"{PREVIEW}/computation")
        await self.send("releaser", f"{RELEASE}/approval", number="1")


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
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


async def test_a_file_is_looked_at_imported_and_found_known_the_next_time(office: Office) -> None:
    where = await office.hand_in(scored(0), scored(1, ("31", "40", "15")), ["NOBODY999", "1"])
    page = await office.see("examiner", where)
    assert "Import 1 row" in page
    assert "The points for the whole of Listening are more than 30" in page
    assert "no candidate of this sitting has this number" in page
    assert await office.send("examiner", f"{where}/import") == where
    assert "1 row of it was imported" in await office.see("examiner", where)
    again = await office.hand_in(scored(0))
    assert "known already" in await office.see("examiner", again)
    nothing = await office.send("examiner", f"{again}/import")
    assert "No row of this file would change anything." in await office.see("examiner", nothing)


async def test_the_template_has_everybody_in_it_and_is_read_again_as_it_is(
    office: Office,
) -> None:
    await office.score(scored(0), [id_number(1), "", "", "", "yes"])
    for form in ("csv", "xlsx"):
        answer = await office.ask("examiner", "GET", f"{MARKS}/templates/{form}")
        rows = table_file.read(await answer.read())
        assert len(rows) == 4
        assert rows[0][:4] == ["ID number", "Candidate number", "Name", "Listening"]
        assert rows[1][:4] == [id_number(0), "R-00000", "考生0", "25"]
        assert rows[2][-1] == "yes"
        handed_in = FormData()
        handed_in.add_field("file", await answer.read(), filename=f"scores.{form}")
        taken = await office.ask("examiner", "POST", f"{MARKS}/files", handed_in)
        page = await office.see("examiner", taken.headers["Location"])
        assert "known already" in page
    await office.see("examiner", f"{MARKS}/templates/pdf", 404)


async def test_what_is_no_file_or_no_table_is_said(office: Office) -> None:
    assert "Choose a file" in await office.send("examiner", f"{MARKS}/files", 422)
    form = FormData()
    form.add_field("file", b"PK\x03\x04 nothing", filename="scores.xlsx")
    answer = await office.ask("examiner", "POST", f"{MARKS}/files", form)
    assert answer.status == 422
    assert "This file cannot be read" in await answer.text()
    large = FormData()
    large.add_field("file", io.BytesIO(b"x" * (6 * 1024 * 1024 + 1)), filename="scores.csv")
    answer = await office.ask("examiner", "POST", f"{MARKS}/files", large)
    assert "larger than 6 MB" in await answer.text()


async def test_absences_and_breaches_are_recorded_and_taken_back(office: Office) -> None:
    listed = await office.see("examiner", f"/scoring/staff/candidates/of/{BASIC}")
    assert CANDIDATE in listed
    found = await office.send(
        "examiner", f"/scoring/staff/candidates/of/{BASIC}", 200, text=id_number(1)
    )
    assert "考生1" in found
    assert "考生0" not in found
    await office.send("examiner", f"{CANDIDATE}/absence")
    assert "Was absent." in await office.see("examiner", CANDIDATE)
    await office.send("examiner", f"{CANDIDATE}/clearing")
    assert "Was absent." not in await office.see("examiner", CANDIDATE)
    wrong = await office.send("examiner", f"{CANDIDATE}/breaches", 422, rule="6.1", place="")
    assert "This rule does not apply there" in wrong
    await office.send("examiner", f"{CANDIDATE}/breaches", rule="6.1", place="listening")
    page = await office.see("examiner", CANDIDATE)
    assert "A switched-off device" in page.partition("Record a breach")[0]
    record_id = await office.site.pools["scoring"].fetchval("SELECT id FROM conduct_records")
    await office.send("examiner", f"{CANDIDATE}/breaches/{record_id}/removal")
    page = await office.see("examiner", CANDIDATE)
    assert "A switched-off device" not in page.partition("Record a breach")[0]


async def test_the_preview_shows_figures_and_changes(office: Office) -> None:
    await office.score(scored(0), scored(1), scored(2, ("1", "1", "1")))
    await office.send("examiner", f"{PREVIEW}/computation")
    page = await office.see("releaser", PREVIEW)
    assert "Computation 1" in page
    assert "hakka-basic.v1" in page
    assert 'class="eh-chart"' in page
    assert "No level reached" in page
    await office.score(scored(2))
    await office.send("releaser", f"{PREVIEW}/computation")
    page = await office.see("releaser", PREVIEW)
    assert "1 changes" in page
    assert "No level reached (3)" in page
    assert "Elementary (80)" in page


async def test_whoever_imported_is_told_that_somebody_else_approves(office: Office) -> None:
    form = FormData()
    rows = "\n".join(",".join(scored(n)) for n in range(3))
    form.add_field("file", f"id_number,listening,speaking,reading\n{rows}", filename="a.csv")
    taken = await office.ask("both", "POST", f"{MARKS}/files", form)
    await office.send("both", f"{taken.headers['Location']}/import")
    await office.send("both", f"{PREVIEW}/computation")
    assert "somebody else approves" in await office.see("both", PREVIEW)
    refused = await office.send("both", f"{RELEASE}/approval", 403, number="1")
    assert "somebody else approves" in refused
    await office.send("releaser", f"{RELEASE}/approval", number="1")
    for act in ("now", "instant"):
        await office.send("both", f"{RELEASE}/{act}", 403, at="2199-01-01T09:00")


async def test_a_release_is_set_by_the_programmes_clock_stopped_and_done_at_once(
    office: Office,
) -> None:
    assert "not approved yet" in await office.see("releaser", RELEASE)
    await office.approve()
    page = await office.see("releaser", RELEASE)
    assert "2026-03-16T09:00" in page  # as promised
    for typed in ("", "soon", "2026-03-16", "2026-03-16T09:00Z"):
        await office.send("releaser", f"{RELEASE}/instant", 422, at=typed)
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await office.send("releaser", f"{RELEASE}/instant", at=f"{day}T09:00")
    pool = office.site.pools["scoring"]
    released_at = await pool.fetchval("SELECT released_at FROM releases")
    assert released_at.isoformat() == f"{day}T01:00:00+00:00"
    assert "Stop the release" in await office.see("releaser", RELEASE)
    await office.send("releaser", f"{RELEASE}/stop")
    assert "Stop the release" not in await office.see("releaser", RELEASE)
    await office.send("releaser", f"{RELEASE}/now")
    page = await office.see("releaser", RELEASE)
    assert "The results are released" in page
    assert f"/notify/staff/mailings/{BASIC}" in page
    refused = await office.send("releaser", f"{RELEASE}/stop", 409)
    assert "cannot be changed any more" in refused


async def test_an_hour_that_the_clocks_skip_is_refused(office: Office) -> None:
    pool = office.site.pools["scoring"]
    await office.approve()
    await pool.execute("UPDATE sittings SET zone = 'Europe/London'")
    page = await office.send("releaser", f"{RELEASE}/instant", 422, at="2027-03-28T01:30")
    assert "There is no such hour on this day" in page


async def test_a_correction_goes_from_examiner_to_releaser(office: Office) -> None:
    await office.approve()
    await office.send("releaser", f"{RELEASE}/now")
    form = f"{CANDIDATE}/correction"
    assert 'value="25"' in await office.see("examiner", form)
    wrong = await office.send(
        "examiner", form, 422, reason="", listening="31", speaking="40", reading="15"
    )
    assert "Write down why" in wrong
    assert "more than 30" in wrong
    same = await office.send(
        "examiner", form, 422, reason="x", listening="25", speaking="40", reading="15"
    )
    assert "nothing to correct" in same
    page = await office.send(
        "examiner", form, reason="Added twice", listening="10", speaking="40", reading="15"
    )
    seen = await office.see("releaser", page)
    assert "Elementary (80)" in seen
    assert "Basic (65)" in seen
    assert "Approve the correction" not in await office.see("examiner", page)
    correction_id = page.rpartition("/")[2]
    act = f"/scoring/staff/release/corrections/{correction_id}"
    await office.send("releaser", f"{act}/approval")
    assert "Approve the correction" not in await office.see("releaser", page)
    await office.send("releaser", f"{act}/rejection", 409)
    versions = await office.see("examiner", CANDIDATE)
    assert "Results on record" in versions
    for who in ("examiner", "releaser"):
        listed = await office.see(who, f"/scoring/staff/sittings/{BASIC}")
        assert "Added twice" in listed
    # An administrator sees that there is one, and not what it says.
    assert "Added twice" not in await office.see(
        "administrator", f"/scoring/staff/sittings/{BASIC}"
    )


async def test_a_correction_of_breaches_keeps_drops_and_adds_them(office: Office) -> None:
    await office.send("examiner", f"{CANDIDATE}/breaches", rule="6.1", place="listening")
    await office.approve()
    form = f"{CANDIDATE}/correction"
    assert "6.1/listening/" in await office.see("examiner", form)
    page = await office.send(
        "examiner",
        form,
        reason="Another rule",
        listening="25",
        speaking="40",
        reading="15",
        rule="6.2",
        place="reading",
    )
    assert "Elementary (77)" in await office.see("examiner", page)


async def test_the_overview_says_how_far_each_sitting_is(office: Office) -> None:
    first = "/scoring/staff/"
    assert "scores to be imported" in await office.see("administrator", first)
    await office.score(*(scored(n) for n in range(3)))
    assert "to be computed" in await office.see("administrator", first)
    await office.send("examiner", f"{PREVIEW}/computation")
    assert "to be approved" in await office.see("administrator", first)
    await office.send("releaser", f"{RELEASE}/approval", number="1")
    assert "approved, no instant set" in await office.see("administrator", first)
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await office.send("releaser", f"{RELEASE}/instant", at=f"{day}T09:00")
    assert "release is set" in await office.see("administrator", first)
    await office.send("releaser", f"{RELEASE}/stop")
    await office.send("releaser", f"{RELEASE}/now")
    assert ">released<" in "".join((await office.see("administrator", first)).split("\n"))
    acts = await office.see("administrator", f"/scoring/staff/sittings/{BASIC}")
    for act in ("scores_imported", "results_computed", "results_approved", "release_ordered"):
        assert act in acts


async def test_a_sitting_without_a_plan_says_so(office: Office) -> None:
    await hear(office.site.pools["scoring"], entered(9, sitting="other", exam="other"))
    page = await office.see("examiner", "/scoring/staff/sittings/other")
    assert "No data file says how results of this exam come about" in page
    await office.see("examiner", "/scoring/staff/marks/other", 409)
    await office.see("examiner", "/scoring/staff/sittings/none", 404)


async def test_everybody_can_check_a_proof_against_what_was_published(office: Office) -> None:
    client = office.site.client
    assert (
        "No digest has been published yet"
        in await (await client.get("/scoring/digests/", headers={"Accept-Language": "en"})).text()
    )
    await office.approve()
    async with transaction(office.site.pools["scoring"]) as tx:
        result = await results.find_current(tx, entry_id=entry_id(0))
    assert result
    proof = merkle.write_proof(results.prove(result, count=3))
    root = merkle.read_proof(proof)
    assert root
    office.cookies["nobody"] = {}
    digest = f"/scoring/digests/{result.digest_id}"
    assert digest in await office.see("nobody", "/scoring/digests/")
    found_root = root.find_root()
    assert found_root
    assert found_root.hex() in await office.see("nobody", digest)
    checks = "/scoring/digests/checks"
    assert "has not been changed since" in await office.send("nobody", checks, 200, proof=proof)
    for forged in (proof.replace("25", "30", 1), proof.replace('"count": 3', '"count": 4')):
        assert forged != proof
        assert "not as it was approved" in await office.send("nobody", checks, 422, proof=forged)
    for nonsense in ("", "[]", "{}", '{"count": "x"}', proof.replace('"position": ', '"x": ')):
        assert "This is no proof" in await office.send("nobody", checks, 422, proof=nonsense)
    await office.see("nobody", "/scoring/digests/nothing", 404)
