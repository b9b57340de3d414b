"""Pages for examiners: from a file of scores to a preview; and how far each sitting is."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiohttp import FormData

from shared import table_file
from tests.scoring import papers
from tests.scoring.office import CANDIDATE, MARKS, PREVIEW, RELEASE, Office
from tests.scoring.world import BASIC, compute, entered, hear, id_number, import_, scored


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
    await office.compute()
    page = await office.see("releaser", PREVIEW)
    assert "Computation 1" in page
    assert "hakka-basic.v1" in page
    assert 'class="eh-chart"' in page
    assert "No level reached" in page
    await office.score(scored(2))
    await office.compute("releaser")
    page = await office.see("releaser", PREVIEW)
    assert ">1 change<" in page
    assert "No level reached (3)" in page
    assert "Elementary (80)" in page


@pytest.mark.parametrize(
    ("kind", "scores", "seen"),
    [
        ("key", ("merit", "134", "131", "128", "140", "139"), ["Speaking: 137", "Speaking: 139"]),
        ("starters", ("5", "4", "3"), ["Speaking: 5", "Speaking: 3", "Speaking 3"]),
        (
            "intermediate",
            ("60", "90", "60", "14", "14", "10"),
            ["Phonetic spelling: 9", "Phonetic spelling: 10", "Essay: 15", "Essay: 14"],
        ),
    ],
)
async def test_the_preview_and_its_file_show_what_changed_behind_the_same_words(
    office: Office, kind: str, scores: Sequence[str], seen: Sequence[str]
) -> None:
    pool, headings = office.site.pools["scoring"], papers.KINDS[kind][1]
    entry = await papers.import_(pool, office.site.vault, uuid4(), kind)
    await compute(pool, entry.sitting)
    await import_(pool, [["id_number", *headings], [entry.id_number, *scores]], code=entry.sitting)
    await compute(pool, entry.sitting)
    page = await office.see("releaser", f"/scoring/staff/results/{entry.sitting}")
    assert [words for words in seen if words not in page] == []
    exports = f"/scoring/staff/results/{entry.sitting}/changes/exports"
    answer = await office.ask("releaser", "POST", exports, {"format": "csv"})
    [_, row] = table_file.read(await answer.read())
    for before, now in zip(seen[:-1:2], seen[1::2], strict=False):
        assert before in row[-2]
        assert now in row[-1]


async def test_the_overview_says_how_far_each_sitting_is(office: Office) -> None:
    first = "/scoring/staff/"
    assert "scores to be imported" in await office.see("administrator", first)
    await office.score(*(scored(n) for n in range(3)))
    assert "to be computed" in await office.see("administrator", first)
    await office.compute()
    assert "to be approved" in await office.see("administrator", first)
    await office.send("releaser", f"{RELEASE}/approval", number="1")
    await office.do_errands()
    assert "approved, no instant set" in await office.see("administrator", first)
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await office.send("releaser", f"{RELEASE}/instant", at=f"{day}T09:00")
    assert "release is set" in await office.see("administrator", first)
    await office.send("releaser", f"{RELEASE}/stop")
    await office.send("releaser", f"{RELEASE}/now")
    assert ">released<" in "".join((await office.see("administrator", first)).split("\n"))
    acts = await office.see("administrator", f"/scoring/staff/sittings/{BASIC}")
    for act in ("imported scores", "computed results", "approved results", "ordered a release"):
        assert act in acts
    for code in ("scores_imported", "results_computed", "results_approved", "release_ordered"):
        assert code not in acts


async def test_a_sitting_without_a_plan_says_so(office: Office) -> None:
    await hear(office.site.pools["scoring"], entered(9, sitting="other", exam="other"))
    page = await office.see("examiner", "/scoring/staff/sittings/other")
    assert "No data file says how results of this exam come about" in page
    await office.see("examiner", "/scoring/staff/marks/other", 409)
    await office.see("examiner", "/scoring/staff/sittings/none", 404)
