"""Centre staff at work: a list is looked at, imported, searched and taken away."""

import csv
import io

import pytest

from services.enrollment.staff import entries
from shared import table_file
from tests.enrollment.centres import (
    LIN,
    WANG,
    CentreStaff,
    told,
    write,
)


async def test_a_list_is_shown_row_by_row_before_anything_is_changed(staff: CentreStaff) -> None:
    answer = await staff.hand_in(write(WANG, ("x", *LIN[1:])))
    page = " ".join((await answer.text()).split())
    assert answer.status == 200
    assert "<dt>new: gets an ID number and a secret number</dt> <dd>1</dd>" in page
    assert "<dt>refused</dt> <dd>1</dd>" in page
    assert "Candidate number: Enter a candidate number of at most 6 digits" in page
    assert "Import the list without the rows that are refused" in page
    assert await staff.site.pools["enrollment"].fetchval("SELECT count(*) FROM entries") == 0


async def test_what_was_confirmed_is_imported_and_can_be_imported_again(
    staff: CentreStaff,
) -> None:
    page = await staff.import_(write(WANG, LIN))
    assert "The list was imported." in page
    assert "new: gets an ID number and a secret number: 2" in page
    assert "2 candidates are entered." in page
    corrected = write(("1", "王大統", *WANG[2:]), LIN)
    shown = await (await staff.hand_in(corrected)).text()
    assert "Name: 王大同 → 王大統" in shown
    assert shown.count("→") == 1
    again = await staff.import_(corrected)
    assert "changed: there already, and corrected: 1" in again
    assert "there already, and the same: 1" in again
    assert "2 candidates are entered." in again
    assert "王大統" in again


async def test_five_thousand_rows_pass_through_the_pages(staff: CentreStaff) -> None:
    rows = [(str(number), *WANG[1:]) for number in range(1, 5_001)]
    page = await staff.import_(write(*rows, ("x", *LIN[1:])))
    assert "new: gets an ID number and a secret number: 5000" in page
    assert "5000 candidates are entered." in page
    assert "All candidates in one file (PDF)" in page
    again = await staff.import_(write(*rows, ("5001", *LIN[1:])))
    assert "there already, and the same: 5000" in again
    assert "new: gets an ID number and a secret number: 1" in again


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh-TW"])
async def test_the_template_is_a_list_that_can_be_filled_in(
    staff: CentreStaff, kind: str, language: str
) -> None:
    answer = await staff.get(f"/enrollment/staff/lists/TW940/template.{kind}", language=language)
    assert answer.status == 200
    [header] = table_file.read(await answer.read())
    text = io.StringIO()
    csv.writer(text).writerows([header, WANG])
    assert "2 candidates" not in await staff.import_(text.getvalue().encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0", b"%PDF-1.7", b"PK\x03\x04 no spreadsheet", "姓名\n王大同\n".encode()],
)
async def test_a_file_that_is_no_list_is_refused_at_its_field(
    staff: CentreStaff, content: bytes
) -> None:
    answer = await staff.hand_in(content)
    assert answer.status == 422
    page = await answer.text()
    assert "<title>Error: " in " ".join(page.split())
    assert 'href="#file"' in page


async def test_a_form_without_a_file_is_refused(staff: CentreStaff) -> None:
    answer = await staff.post(staff.lists())
    assert answer.status == 422
    assert "Choose a file" in await answer.text()


async def test_a_body_without_end_is_refused(staff: CentreStaff) -> None:
    answer = await staff.hand_in(b"a" * (5 * 1024 * 1024))
    assert answer.status == 413


async def test_rows_made_up_by_hand_are_judged_like_all_others(staff: CentreStaff) -> None:
    rows = "candidate_number,person_name,birth_date\n1,=1+1,2012-04-21\n"
    answer = await staff.post(staff.lists("/imports"), {"rows": rows})
    assert answer.status == 303
    assert "refused: 1" in await staff.read(answer.headers["Location"])
    assert (await staff.post(staff.lists("/imports"), {"rows": "\0"})).status == 422
    assert (await staff.post(staff.lists("/imports"), {"rows": "nothing"})).status == 422
    assert await staff.site.pools["enrollment"].fetchval("SELECT count(*) FROM entries") == 0


async def test_candidates_are_found_by_number_name_or_id_number(staff: CentreStaff) -> None:
    await staff.import_(write(WANG, LIN))
    [first] = [
        one for one in await told(staff.site.pools["enrollment"]) if one.candidate_number == "0001"
    ]
    for words in ("王", "wang", "0001", first.id_number.lower(), "s-1001"):
        page = await staff.read(staff.here(f"?words={words}"))
        assert "王大同" in page
        assert "許怡君" not in page
    assert "No candidate fits." in await staff.read(staff.here("?words=%25"))


async def test_a_long_list_is_shown_in_pages(
    staff: CentreStaff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "SHOWN", 1)
    await staff.import_(write(WANG, LIN))
    first = await staff.read(staff.here())
    assert "王大同" in first
    assert "許怡君" not in first
    assert "after=0001" in first
    second = await staff.read(staff.here("?words=&after=0001"))
    assert "許怡君" in second
    assert "Next candidates" not in second


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_list_is_taken_away_without_secrets_or_formulas(
    staff: CentreStaff, kind: str
) -> None:
    header = "candidate_number,person_name,birth_date,internal_id"
    await staff.import_(f"{header}\n1,王大同,2012-04-21,=1+1\n".encode())
    answer = await staff.post(staff.here("exports"), {"format": kind})
    assert answer.status == 200
    titles, row = table_file.read(await answer.read())
    assert "Secret Number" not in titles
    assert row[:2] == ["0001", "王大同"]
    assert row[4] == ("'=1+1" if kind == "csv" else "=1+1")
