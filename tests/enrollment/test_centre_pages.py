"""Centre staff at work: a list in, numbers out on paper, and never a look at another centre."""

import csv
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from services.enrollment.staff import confirmations, entries
from shared import entry_numbers, table_file
from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.enrollment import centres
from tests.enrollment.candidates import arrive
from tests.enrollment.centres import (
    LIN,
    OTHER_SITTING,
    SITTING,
    TAINAN,
    WANG,
    CentreStaff,
    read_pdf,
    told,
    write,
)
from tests.enrollment.registrars import Registrar
from tests.enrollment.world import VAULT
from tests.site import Site, open_site

HOME = "/enrollment/staff/centre"


@pytest.fixture
async def school(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """A site with the exams that centres enter, and two centres."""
    async with open_site(make_database, "identity", "enrollment") as site:
        await centres.prepare(site.pools["enrollment"])
        yield site


@pytest.fixture
async def staff(school: Site) -> CentreStaff:
    return await CentreStaff.arrive(school)


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
    again = await staff.import_(write(("1", "王大統", *WANG[2:]), LIN))
    assert "changed: there already, and corrected: 1" in again
    assert "there already, and the same: 1" in again
    assert "2 candidates are entered." in again
    assert "王大統" in again


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


async def test_the_confirmation_says_all_that_a_candidate_needs(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    [event] = await told(staff.site.pools["enrollment"])
    path = await staff.entry() + "/confirmation.pdf"
    text = read_pdf(await staff.print(path))
    for words in (
        "Confirmation of Entry and Timetable",
        "A2 Key for Schools, December 2026",
        "0001",
        "王大同 WANG, TA-TUNG",
        "21 April 2012",
        "S-1001",
        "TW940",
        "Taipei Centre",
        "Reading and Writing",
        "Listening",
        "Speaking",
        "09:00",
        "Xinmin Primary School",
        "No. 113, Xinhai Road, Taipei",
        "15 January 2100 at 09:00 (UK time)",
        "http://127.0.0.1/identity/results/",
        event.id_number,
        "An organisation that recognises this exam can check your result",
        "Only the centre can print it again",
    ):
        assert words in " ".join(text.split()), words
    chinese = read_pdf(await staff.print(path, language="zh-TW"))
    assert "考生資訊表" in chinese
    assert "英國時間" in chinese


async def test_the_secret_number_on_paper_is_the_one_that_works(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    [event] = await told(staff.site.pools["enrollment"])
    assert event.secret_digest in {
        entry_numbers.digest(VAULT, id_number=event.id_number, secret_number=number)
        for number in read_pdf(await staff.print(await staff.entry() + "/confirmation.pdf")).split()
    }


async def test_it_prints_the_same_again(staff: CentreStaff) -> None:
    await staff.import_(write(WANG, LIN))
    one = await staff.entry() + "/confirmation.pdf"
    for path in (one, staff.here("confirmations.pdf")):
        assert await staff.print(path) == await staff.print(path)
    printed = await staff.site.pools["enrollment"].fetchval(
        "SELECT count(*) FROM audit_lines WHERE act = 'confirmations_printed'"
    )
    assert printed == 4


async def test_all_of_a_centre_are_in_one_file_but_for_the_cancelled(staff: CentreStaff) -> None:
    await staff.import_(write(WANG, LIN, ("3", "陳小明", "", "2012-05-05", "")))
    assert (await staff.post(await staff.entry("0002") + "/cancellation")).status == 303
    text = read_pdf(await staff.print(staff.here("confirmations.pdf")))
    assert text.count("\f") == 2, "a page for each"
    assert "王大同" in text
    assert "陳小明" in text
    assert "許怡君" not in text


async def test_a_centre_with_very_many_gets_several_files(
    staff: CentreStaff, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (entries, confirmations):
        monkeypatch.setattr(module, "MOST_IN_ONE_FILE", 2)
    await staff.import_(write(WANG, LIN, ("3", "陳小明", "", "2012-05-05", "")))
    page = await staff.read(staff.here())
    assert "Candidates 1 to 2 in one file" in page
    assert "Candidates 3 to 3 in one file" in page
    assert read_pdf(await staff.print(staff.here("confirmations.pdf"))).count("\f") == 2
    assert "陳小明" in read_pdf(await staff.print(staff.here("confirmations.pdf?part=2")))
    for part in ("3", "0x", "-1"):
        answer = await staff.get(staff.here(f"confirmations.pdf?part={part}"))
        assert answer.status == (404 if part == "3" else 200)


async def test_a_new_secret_number_stands_on_the_next_print(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    [before] = await told(staff.site.pools["enrollment"])
    entry = await staff.entry()
    old = await staff.print(entry + "/confirmation.pdf")
    answer = await staff.post(entry + "/secret")
    assert answer.status == 303
    assert "the old one works no more" in await staff.read(answer.headers["Location"])
    [after] = await told(staff.site.pools["enrollment"])
    assert after.id_number == before.id_number
    assert after.secret_digest != before.secret_digest
    assert await staff.print(entry + "/confirmation.pdf") != old
    acts = await staff.site.pools["enrollment"].fetch("SELECT act, actor FROM audit_lines")
    assert ("entry_secret_renewed", str(staff.id)) in [(row["act"], row["actor"]) for row in acts]


async def test_a_cancelled_entry_is_neither_printed_nor_renewed_until_it_counts_again(
    staff: CentreStaff,
) -> None:
    await staff.import_(write(WANG))
    entry = await staff.entry()
    answer = await staff.post(entry + "/cancellation")
    assert "The entry was cancelled." in await staff.read(answer.headers["Location"])
    assert (await staff.get(entry + "/confirmation.pdf")).status == 409
    assert (await staff.post(entry + "/secret")).status == 409
    assert (await staff.get(staff.here("confirmations.pdf"))).status == 404
    answer = await staff.post(entry + "/restoration")
    assert "The entry counts again." in await staff.read(answer.headers["Location"])
    await staff.print(entry + "/confirmation.pdf")


async def test_what_the_timetable_says_is_printed(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    timetable = {"venue": "Other School", "venue_address": "No. 9, Other Road, Taipei"}
    for place, (start, room) in enumerate((("9:30", "RW 04"), ("11:00", ""), ("14:05", "S 1"))):
        timetable |= {
            f"on_{place}-year": "2099",
            f"on_{place}-month": "12",
            f"on_{place}-day": str(5 + place),
            f"starts_at_{place}": start,
            f"room_{place}": room,
        }
    wrong = await staff.post(staff.here("timetable"), {**timetable, "starts_at_1": "25:00"})
    assert wrong.status == 422
    assert "Enter an hour such as 09:00" in await wrong.text()
    assert (await staff.post(staff.here("timetable"), timetable)).status == 303
    text = read_pdf(await staff.print(staff.here("confirmations.pdf")))
    for words in ("09:30", "RW 04, Other School", "14:05", "7 December 2099", "No. 9, Other Road"):
        assert words in text
    assert "Xinmin" not in text
    assert 'value="RW 04"' in await staff.read(staff.here("timetable"))
    elsewhere = await staff.read(staff.here("timetable", sitting=OTHER_SITTING))
    assert "Xinmin Primary School" in elsewhere


async def test_candidates_are_found_by_number_name_or_id_number(staff: CentreStaff) -> None:
    await staff.import_(write(WANG, LIN))
    first, *_ = await told(staff.site.pools["enrollment"])
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


async def ask_for_everything(staff: CentreStaff, entry: str) -> dict[str, ClientResponse]:
    """Ask for all there is of the centre that somebody else works for."""
    own_lists = "/enrollment/staff/lists/TW940"
    return {
        "centre": await staff.get(f"{HOME}/TW940/"),
        "sitting": await staff.get(staff.here()),
        "timetable": await staff.get(staff.here("timetable")),
        "new timetable": await staff.post(staff.here("timetable")),
        "confirmations": await staff.get(staff.here("confirmations.pdf")),
        "export": await staff.post(staff.here("exports")),
        "template": await staff.get(f"{own_lists}/template.csv"),
        "template xlsx": await staff.get(f"{own_lists}/template.xlsx"),
        "dry run": await staff.hand_in(write(WANG)),
        "import": await staff.post(
            staff.lists("/imports"),
            {"rows": "candidate_number,person_name,birth_date\n9,王大同,2012-04-21\n"},
        ),
        "entry": await staff.get(entry),
        "confirmation": await staff.get(entry + "/confirmation.pdf"),
        "secret": await staff.post(entry + "/secret"),
        "cancellation": await staff.post(entry + "/cancellation"),
        "restoration": await staff.post(entry + "/restoration"),
        # By way of one's own centre.
        "entry elsewhere": await staff.get(entry.replace("TW940", "TW941")),
        "confirmation elsewhere": await staff.get(
            entry.replace("TW940", "TW941") + "/confirmation.pdf"
        ),
        "secret elsewhere": await staff.post(entry.replace("TW940", "TW941") + "/secret"),
    }


@pytest.mark.parametrize("centre", [TAINAN.number, None])
async def test_another_centres_staff_see_and_change_nothing(
    staff: CentreStaff, centre: str | None
) -> None:
    await staff.import_(write(WANG))
    entry = await staff.entry()
    await told(staff.site.pools["enrollment"])
    stranger = await CentreStaff.arrive(staff.site, centre)
    answers = await ask_for_everything(stranger, entry)
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert await told(staff.site.pools["enrollment"]) == []
    assert "TW940" not in await stranger.read(f"{HOME}/")


async def test_an_administrator_sees_every_centre(staff: CentreStaff) -> None:
    boss = await CentreStaff.arrive(staff.site, None, role=Role.ADMINISTRATOR)
    page = await boss.read(f"{HOME}/")
    assert "TW940" in page
    assert "TW941" in page
    assert "The list was imported." in await boss.import_(write(WANG), centre="TW941")


async def test_sittings_that_candidates_enter_themselves_are_not_a_centres(
    staff: CentreStaff, hall: Site
) -> None:
    await centres.prepare(hall.pools["enrollment"])
    worker = await CentreStaff.arrive(hall)
    page = await worker.read(f"{HOME}/TW940/")
    assert SITTING in page
    assert "hakka" not in page
    answer = await worker.get(worker.here(sitting="hakka-115-basic-m11"))
    assert answer.status == 404


async def test_a_registrar_makes_a_centre_and_says_who_works_for_it(school: Site) -> None:
    registrar = await Registrar.arrive(school)
    worker = await CentreStaff.arrive(school, None)
    email = await school.pools["enrollment"].fetchval(
        "SELECT email FROM contacts WHERE account_id = $1", worker.id
    )
    about = {"name": "Hualien Centre", "venue": "Hualien School", "venue_address": "No. 1, Hualien"}
    made = await registrar.post("/centres/new", {"number": "tw942", **about})
    assert made.headers["Location"] == "/enrollment/staff/centres/TW942"
    again = await registrar.post("/centres/new", {"number": "TW942", **about})
    assert again.status == 422
    wrong = await registrar.post("/centres/new", {"number": "TW 9", **about})
    assert "3 to 10 capitals and digits" in await wrong.text()
    assert (await worker.get(f"{HOME}/TW942/")).status == 404
    assert (await registrar.post("/centres/TW942/staff", {"email": "nobody"})).status == 422
    assert (await registrar.post("/centres/TW942/staff", {"email": email.upper()})).status == 303
    assert email in await registrar.read("/centres/TW942")
    assert "Hualien Centre" in await worker.read(f"{HOME}/TW942/")
    assert (await registrar.post("/centres/TW942/dismissals", {"email": email})).status == 303
    assert (await worker.get(f"{HOME}/TW942/")).status == 404
    lines = await school.pools["enrollment"].fetch(
        "SELECT act, details FROM audit_lines WHERE subject = 'centre TW942' ORDER BY id"
    )
    assert [row["act"] for row in lines] == [
        "centre_added",
        "centre_staff_admitted",
        "centre_staff_dismissed",
    ]
    assert lines[1]["details"] == {"accounts": [str(worker.id)]}, "no address in the log"


async def test_a_candidates_account_at_a_centre_gets_nowhere(school: Site) -> None:
    _, cookie = await school.begin_session()
    candidate = CentreStaff(school, (await school.begin_session())[0], cookie)
    assert (await candidate.get(f"{HOME}/")).status == 403


async def test_a_renamed_centre_is_told_of_its_entries(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    pool = staff.site.pools["enrollment"]
    await told(pool)
    registrar = await Registrar.arrive(staff.site)
    page = await registrar.read("/centres/TW940/details")
    seen = page.split('name="seen" value="')[1].split('"')[0]
    about = {"venue": "Xinmin Primary School", "venue_address": "No. 113, Xinhai Road, Taipei"}
    renamed = {"name": "Taipei Exam Centre", "seen": seen, **about}
    assert (await registrar.post("/centres/TW940/details", renamed)).status == 303
    [event] = await told(pool)
    assert event.centre_name == "Taipei Exam Centre"
    stale = await registrar.post("/centres/TW940/details", {**renamed, "name": "Another"})
    assert stale.status == 409


async def test_nobody_registers_for_a_sitting_that_centres_enter(school: Site) -> None:
    answer = await school.client.get(f"/enrollment/sittings/{SITTING}")
    assert answer.status == 404
    page = await (await school.client.get("/enrollment/")).text()
    assert SITTING not in page


async def test_a_candidate_prints_the_confirmation_of_their_registration(hall: Site) -> None:
    account_id, cookie = await hall.begin_session()
    named = await centres.give_entry(hall, account_id)
    other = await arrive(hall)
    home = f"/enrollment/registrations/{named['registration_id']}"
    owner = CentreStaff(hall, account_id, cookie)
    assert f"{home}/confirmation.pdf" in await owner.read(home)
    document = await owner.print(f"{home}/confirmation.pdf")
    assert document == await owner.print(f"{home}/confirmation.pdf")
    text = " ".join(read_pdf(document).split())
    [event] = await told(hall.pools["enrollment"])
    assert event.account_id == account_id
    for words in (event.id_number, event.candidate_number, "王大同", "(Taiwan time)", "Hualien"):
        assert words in text
    assert (await other.get(f"{home}/confirmation.pdf")).status == 404
    # Not before the registration is confirmed.
    assert "confirmation.pdf" not in await other.read()
    assert (await other.get("/confirmation.pdf")).status == 404
