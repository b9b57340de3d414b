"""Exam centres: made by registrars, and none sees what is another's."""

import pytest
from aiohttp import ClientResponse

from shared.auth import Role
from tests.enrollment import centres
from tests.enrollment.centres import (
    SITTING,
    TAINAN,
    WANG,
    CentreStaff,
    told,
    write,
)
from tests.enrollment.registrars import Registrar
from tests.site import Site

HOME = "/enrollment/staff/centre"


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


async def test_signs_that_no_text_has_are_no_reason_to_break(staff: CentreStaff) -> None:
    await staff.import_(write(WANG))
    assert (await staff.get(staff.here("?words=%00"))).status == 404
    assert (await staff.get(staff.here("?after=%00"))).status == 404
    assert (await staff.get(f"{HOME}/%00/")).status == 404
    assert (await staff.get(staff.here(sitting="%00"))).status == 404
    assert (await staff.get(staff.here("entries/%00"))).status == 404
    registrar = await Registrar.arrive(staff.site)
    assert (await registrar.get("/centres/%00")).status == 404
    assert (await registrar.post("/centres/TW940/dismissals", {"email": "\0"})).status == 404
