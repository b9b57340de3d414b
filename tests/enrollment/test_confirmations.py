"""Confirmations of Entry: all that a candidate needs, the same whenever they are printed."""

from typing import Any

import pytest
from aiohttp import ClientError

from services.enrollment import confirmations
from shared import entry_numbers
from shared.errors import Busy
from tests.enrollment import centres
from tests.enrollment.candidates import arrive
from tests.enrollment.centres import (
    LIN,
    OTHER_SITTING,
    WANG,
    CentreStaff,
    read_pdf,
    told,
    write,
)
from tests.enrollment.world import VAULT
from tests.site import Site


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


async def test_a_centre_with_very_many_gets_one_file_too(
    staff: CentreStaff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staff.import_(write(WANG, LIN, ("3", "陳小明", "", "2012-05-05", "")))
    alone = read_pdf(await staff.print(staff.here("confirmations.pdf")))
    monkeypatch.setattr(confirmations, "MADE_AT_ONCE", 2)
    path = staff.here("confirmations.pdf")
    together = await staff.print(path)
    assert read_pdf(together) == alone
    assert alone.count("\f") == 3
    assert await staff.print(path) == together


async def test_a_file_that_cannot_be_begun_is_refused_and_one_that_breaks_off_is_not_whole(
    staff: CentreStaff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staff.import_(write(WANG, LIN))
    monkeypatch.setattr(confirmations, "MADE_AT_ONCE", 1)
    render, made = confirmations.render, [0]

    async def render_some(*args: Any, **more: Any) -> bytes:
        made[0] += 1
        if made[0] in {1, 3}:
            raise Busy
        return await render(*args, **more)

    monkeypatch.setattr(confirmations, "render", render_some)
    path = staff.here("confirmations.pdf")
    assert (await staff.get(path)).status == 503
    answer = await staff.get(path)
    assert answer.status == 200
    with pytest.raises(ClientError):
        await answer.read()


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
