"""Pages for releasers: approval, release and corrections; and for everybody: what was published."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData

from services.scoring import results
from services.scoring.rules import merkle
from shared.db import transaction
from tests.scoring import papers
from tests.scoring.office import CANDIDATE, MARKS, PREVIEW, RELEASE, Office
from tests.scoring.world import BASIC, entry_id, scored


async def test_whoever_imported_is_told_that_somebody_else_approves(office: Office) -> None:
    form = FormData()
    rows = "\n".join(",".join(scored(n)) for n in range(3))
    form.add_field("file", f"id_number,listening,speaking,reading\n{rows}", filename="a.csv")
    taken = await office.ask("both", "POST", f"{MARKS}/files", form)
    await office.send("both", f"{taken.headers['Location']}/import")
    await office.compute("both")
    assert "somebody else approves" in await office.see("both", PREVIEW)
    refused = await office.send("both", f"{RELEASE}/approval", 403, number="1")
    assert "somebody else approves" in refused
    await office.send("releaser", f"{RELEASE}/approval", number="1")
    await office.do_errands()
    for act in ("now", "instant"):
        await office.send("both", f"{RELEASE}/{act}", 403, at="2199-01-01T09:00")


async def test_a_release_is_set_by_the_programmes_clock_stopped_and_done_at_once(
    office: Office,
) -> None:
    assert "not approved yet" in await office.see("releaser", RELEASE)
    await office.approve()
    page = await office.see("releaser", RELEASE)
    assert "2026-03-16T09:00" in page  # as promised
    for typed in ("", "soon", "2026-03-16", "2026-03-16T09:00Z", "0001-01-01T00:00"):
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


def read_table(page: str, name: str) -> list[list[str]]:
    """Read the rows of a table as they are seen."""
    found = page.partition(f'id="{name}"')[2].partition("<tbody")[2].partition("</tbody>")[0]
    return [
        [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.split("</t[hd]>", row)[:-1]]
        for row in found.split("</tr>")[:-1]
    ]


@pytest.mark.parametrize(
    ("kind", "points", "more", "seen"),
    [
        ("key", ("merit", "134", "131", "128", "140", "139"), {}, ["Speaking", "137", "139"]),
        ("starters", ("5", "4", "3"), {}, ["Speaking", "5", "3"]),
        (
            "intermediate",
            ("60", "90", "60", "14", "14", "10"),
            {},
            ["Phonetic spelling", "9", "10"],
        ),
        (
            "basic",
            ("25", "40", "15"),
            {"rule": "6.1", "place": "listening"},
            ["A switched-off device", "–", "counts"],
        ),
    ],
)
async def test_whoever_decides_on_a_correction_sees_all_that_changes(
    office: Office, kind: str, points: Sequence[str], more: dict[str, str], seen: Sequence[str]
) -> None:
    headings = papers.KINDS[kind][1]
    pool = office.site.pools["scoring"]
    entry = await papers.approve(pool, office.site.vault, uuid4(), kind)
    form = f"/scoring/staff/candidates/{entry}/correction"
    fields: dict[str, Any] = dict(zip(headings, points, strict=True)) | more
    where = await office.send("examiner", form, reason="Read wrongly", **fields)
    rows = read_table(await office.see("releaser", where), "papers")
    [found] = [row for row in rows if seen[0] in row[0]]
    assert found[1:] == seen[1:]
    same = [row for row in rows if row[1] == row[2]]
    assert same, "what stays is shown beside it"


async def test_what_is_wrong_with_a_correction_stands_at_its_field(office: Office) -> None:
    await office.approve()
    form = {"reason": "", "listening": "31", "speaking": "", "reading": "15"}
    form |= {"rule": "6.1", "place": "reading.phonetic"}
    page = await office.send("examiner", f"{CANDIDATE}/correction", 422, **form)
    for field in ("reason", "listening", "speaking", "rule"):
        [words] = re.findall(rf'<a href="#{field}">([^<]*)</a>', page)
        [beside] = re.findall(rf'id="{field}-error".*?</span>([^<]*)</p>', page, re.DOTALL)
        assert beside.strip() == words
    assert 'id="reading-error"' not in page
    assert 'value="31"' in page
    assert re.search(r'<option value="6.1"\s+selected', page)
    same = {"reason": "x", "listening": "25", "speaking": "40", "reading": "15"}
    page = await office.send("examiner", f"{CANDIDATE}/correction", 422, **same)
    assert "nothing to correct" in page
    assert "-error" not in page.replace("govuk-error", ""), "it is about no field"


async def test_a_breach_that_does_not_fit_is_refused_at_its_field(office: Office) -> None:
    form = {"rule": "6.1", "place": "reading.phonetic"}
    page = await office.send("examiner", f"{CANDIDATE}/breaches", 422, **form)
    assert 'id="rule-error"' in page
    assert re.search(r'<option value="6.1"\s+selected', page)


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
    no_numbers = '{"content": "", "salt": "", "position": %s, "count": %s, "path": ""}'
    for nonsense in (
        *("", "[]", "{}", '{"count": "x"}', proof.replace('"position": ', '"x": ')),
        *(no_numbers % ("Infinity", "1"), no_numbers % ("0", "1e999")),
        '{"content": "\\ud800", "salt": "", "position": 0, "count": 1, "path": ""}',
    ):
        assert "This is no proof" in await office.send("nobody", checks, 422, proof=nonsense)
    await office.see("nobody", "/scoring/digests/nothing", 404)
