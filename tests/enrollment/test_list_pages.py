"""Lists of registrations, for registrars: searched, taken away as files, and marked absent."""

import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData

from shared import table_file, xlsx_file
from tests.conftest import MakeDatabase
from tests.enrollment.candidates import AREA, MULTI, Candidate, arrive, open_hall
from tests.enrollment.registrars import STAFF, Registrar, page_of, wait
from tests.site import Site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


async def test_a_list_is_searched_by_what_is_known(site: Site) -> None:
    registrar = await Registrar.arrive(site)
    waiting, draft = await wait(site), await arrive(site, area="hualien")
    everything = await registrar.read("/registrations")
    assert waiting.claimed.reference in everything
    assert draft.claimed.reference in everything
    only = await registrar.read("/registrations", state="drafting", sitting=MULTI, area=AREA)
    assert waiting.claimed.reference not in only
    assert draft.claimed.reference in only
    assert "No registration fits" in await registrar.read("/registrations", state="confirmed")
    older = await registrar.read("/registrations", after=str(draft.claimed.number))
    assert waiting.claimed.reference in older
    assert draft.claimed.reference not in older


async def test_a_reference_number_leads_to_its_registration(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await arrive(site)
    typed = candidate.claimed.reference.replace("-", " ").lower()
    answer = await registrar.get("/registrations", reference=typed)
    assert answer.headers["Location"] == STAFF + page_of(candidate)
    slip = await registrar.read("/registrations", reference="R-1000-011")
    assert "No registration has the number R-1000-011" in slip


async def test_others_of_the_same_account_are_named(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    assert "Other registrations" not in await registrar.read(page_of(candidate))
    await candidate.be("withdrawn")
    again = await arrive(site)
    await site.pools["enrollment"].execute(
        "UPDATE registrations SET account_id = $1 WHERE id = $2",
        candidate.account_id,
        again.claimed.id,
    )
    page = await registrar.read(page_of(candidate))
    assert "Other registrations" in page
    assert again.claimed.reference in page


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
async def test_a_list_is_taken_away_as_a_file(site: Site, format_: str) -> None:
    registrar, candidate, draft = await Registrar.arrive(site), await wait(site), await arrive(site)
    answer = await registrar.post(
        "/registrations/exports", {"format": format_, "state": "in_review"}
    )
    assert answer.status == 200
    assert f'filename="registrations.{format_}"' in answer.headers["Content-Disposition"]
    header, row = table_file.read(await answer.read())
    assert header[0] == "Reference number"
    assert row[:6] == [
        candidate.claimed.reference,
        "waiting for review",
        "Basic and Elementary, city sitting 11, Hualien",
        "Hualien",
        "Sixian",
        "王大同",
    ]
    assert draft.claimed.reference not in row
    [line] = await site.pools["enrollment"].fetch(
        "SELECT details FROM audit_lines WHERE act = 'registrations_exported'"
    )
    assert line["details"]["count"] == 1


async def absent_candidate(site: Site) -> Candidate:
    candidate = await wait(site)
    await candidate.be("confirmed")
    await site.pools["enrollment"].execute(
        "UPDATE sittings SET exam_date = '2026-01-10' WHERE code = $1", MULTI
    )
    return candidate


async def test_absentees_are_shown_first_and_marked_then(site: Site) -> None:
    registrar, candidate, draft = (
        await Registrar.arrive(site),
        await absent_candidate(site),
        await arrive(site),
    )
    numbers = f"{candidate.claimed.reference}\r\n{draft.claimed.reference}\r\nR-1000-011\r\n"
    answer = await registrar.post("/absences/", {"numbers": numbers})
    page = await answer.text()
    assert "Mark 1 candidate absent" in page
    assert "is not confirmed" in page
    assert "its last digit does not fit" in page
    assert await candidate.state() == "confirmed"
    answer = await registrar.post("/absences/marks", {"numbers": numbers})
    assert answer.headers["Location"] == f"{STAFF}/absences/?marked=1"
    assert await candidate.state() == "absent"
    assert "1 candidate was marked absent" in await registrar.read("/absences/", marked="1")


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
async def test_absentees_are_read_from_a_file(site: Site, format_: str) -> None:
    registrar, candidate = await Registrar.arrive(site), await absent_candidate(site)
    rows = [["王大同", candidate.claimed.reference]]
    content = (
        xlsx_file.write(["Name", "Number"], rows)
        if format_ == "xlsx"
        else f"Name,Number\r\n{','.join(rows[0])}\r\n".encode()
    )
    form = FormData()
    form.add_field("numbers", "")
    form.add_field("file", io.BytesIO(content), filename=f"absent.{format_}")
    page = await (await registrar.post("/absences/", form)).text()
    assert "Mark 1 candidate absent" in page


async def test_a_file_that_is_no_table_is_refused(site: Site) -> None:
    registrar = await Registrar.arrive(site)
    form = FormData()
    form.add_field("file", io.BytesIO(b"PK\x03\x04 no table"), filename="absent.xlsx")
    answer = await registrar.post("/absences/", form)
    assert answer.status == 422
    assert "This file cannot be read" in await answer.text()
    answer = await registrar.post("/absences/", {"numbers": " \r\n"})
    assert "Enter reference numbers" in await answer.text()
