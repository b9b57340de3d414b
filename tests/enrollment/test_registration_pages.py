"""A candidate's own pages: what is to do, sending it once, and what each end means."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.enrollment import documents
from services.enrollment.registrations import deciding
from shared.db import transaction
from shared.events.enrollment import ReturnedDocument
from shared.outbox import Message
from tests.conftest import MakeDatabase
from tests.enrollment import world
from tests.enrollment.candidates import AREA, FORM, MULTI, Candidate, arrive, open_hall
from tests.enrollment.pictures import draw
from tests.site import Site


@pytest.fixture
async def hall(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


@pytest.fixture
async def candidate(hall: Site) -> Candidate:
    return await arrive(hall)


async def events(candidate: Candidate, name: str) -> list[dict[str, Any]]:
    """Take what was published so far, and give the data of the events of this name."""
    messages: list[Message] = await candidate.site._take("enrollment")
    return [
        event["data"]
        for message in messages
        if message.name == name
        for event in json.loads(message.body)
    ]


async def test_the_list_of_what_is_to_do_begins_with_reading(candidate: Candidate) -> None:
    page = await candidate.read()
    assert candidate.claimed.reference in page
    assert f'href="{candidate.home}/consents"' in page
    assert f'href="{candidate.home}/form/person"' not in page
    sent_away = await candidate.get("/form/person")
    assert sent_away.headers["Location"] == f"{candidate.home}/consents"


async def test_agreeing_is_not_left_to_chance(candidate: Candidate) -> None:
    refused = await candidate.post("/consents", {})
    assert refused.status == 422
    assert "Agree to these texts to go on" in await refused.text()
    agreed = await candidate.post("/consents", {"agreed": "yes"})
    assert agreed.headers["Location"] == f"{candidate.home}/form/person"


async def test_each_step_leads_to_the_next_that_is_open(candidate: Candidate) -> None:
    await candidate.agree()
    await candidate.fill("emergency")
    steps = list(FORM)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        saved = await candidate.fill(step)
        if following == "emergency":
            following = "exam"  # filled in already
        page = f"/form/{following}" if following else "?saved"
        if step != "emergency":
            assert saved.headers["Location"] == candidate.home + page


async def test_a_mistake_is_explained_where_it_was_made_and_nothing_typed_is_lost(
    candidate: Candidate,
) -> None:
    await candidate.agree()
    refused = await candidate.fill("contact", mobile_phone="0912", email="wang@", postal_code="1")
    assert refused.status == 422
    page = await refused.text()
    assert "<title>Error: How to reach you" in page
    for field, sentence in (
        ("mobile_phone", "Enter a mobile number of 10 digits"),
        ("email", "Enter an e-mail address in the usual form"),
        ("postal_code", "Enter a postal code of 3, 5 or 6 digits"),
    ):
        assert f'href="#{field}"' in page
        assert page.count(sentence) == 2
    assert 'value="0912"' in page
    assert "臺北市大安區和平東路一段162號" in page


async def test_a_date_that_is_none_is_kept_as_it_was_typed(candidate: Candidate) -> None:
    await candidate.agree()
    refused = await candidate.fill("person", **{"birth_date-day": "31", "birth_date-month": "2"})
    page = await refused.text()
    assert "Enter a date that exists" in page
    assert 'href="#birth_date-year"' in page
    assert 'name="birth_date-year" type="text" value="80"' in page
    assert 'name="birth_date-day" type="text" value="31"' in page


async def test_an_id_number_is_never_shown_again(candidate: Candidate) -> None:
    await candidate.complete()
    number = FORM["person"]["identity_number"]
    for page in ("", "/form/person", "/check", "/sending"):
        text = await candidate.read(page)
        assert number not in text
    assert "A12****789" in await candidate.read("/form/person")
    assert "A12****789" in await candidate.read("/check")


async def test_an_id_number_that_is_left_empty_stays(candidate: Candidate) -> None:
    await candidate.complete()
    assert (await candidate.fill("person", identity_number="")).status == 303
    assert "A12****789" in await candidate.read("/check")
    # It is looked at again when something changes beside it, and still not shown.
    refused = await candidate.fill(
        "person", identity_number="", nationality="foreign", person_name="Wang"
    )
    assert refused.status == 422
    assert FORM["person"]["identity_number"] not in await refused.text()


async def test_a_page_that_there_is_not_is_not_found(candidate: Candidate) -> None:
    await candidate.agree()
    for page in (
        f"{candidate.home}/form/politics",
        "/enrollment/registrations/no-id",
        f"/enrollment/registrations/{uuid4()}",
        f"/enrollment/documents/{uuid4()}/photo",
    ):
        assert (await candidate.get(page)).status == 404


async def test_what_is_missing_is_named_and_nothing_is_sent(candidate: Candidate) -> None:
    page = await candidate.read("/check")
    assert "this is still missing" in page
    assert f'href="{candidate.home}/consents"' in page
    await candidate.agree()
    await candidate.fill("person")
    page = await candidate.read("/check")
    assert f'<li><a class="govuk-link" href="{candidate.home}/form/contact">' in page
    assert f'<li><a class="govuk-link" href="{candidate.home}/form/person">' not in page
    assert f'<li><a class="govuk-link" href="{candidate.document("photo")}">' in page
    for answer in (await candidate.get("/sending"), await candidate.send()):
        assert answer.headers["Location"] == f"{candidate.home}/check"
    assert await candidate.state() == "drafting"


@pytest.mark.parametrize("document", ["photo", "id_front"])
async def test_without_each_document_nothing_is_sent(candidate: Candidate, document: str) -> None:
    await candidate.complete()
    await candidate.pool.execute(
        "UPDATE documents SET state = 'dropped' WHERE document = $1", document
    )
    assert (await candidate.send()).headers["Location"] == f"{candidate.home}/check"
    assert await candidate.state() == "drafting"


async def test_everything_is_shown_before_it_is_sent_with_a_way_to_change_it(
    candidate: Candidate,
) -> None:
    await candidate.complete()
    page = await candidate.read("/check")
    for words in (
        "王大同",
        "WANG, TA-TUNG",
        "1991-05-17 (ROC 80-5-17)",
        "0912345678",
        "106209",
        "臺北市大安區和平東路一段162號",
        "王小美",
        "Spouse",
        "Sixian",
        "Both parents are Hakka",
        "Farming",
        "College or university",
        "NT$250",
        "Hualien",
        "Saturday 19 December 2026",
    ):
        assert words in page
    for name in FORM["contact"]:
        assert f'href="{candidate.home}/form/contact#{name}"' in page
    assert f'href="{candidate.document("photo")}"' in page
    chinese = await candidate.read("/check", language="zh-TW")
    assert "1991-05-17 （民國 80 年 5 月 17 日）" in chinese
    assert "大學" in chinese or "大專院校" in chinese


async def test_sending_needs_a_second_yes(candidate: Candidate) -> None:
    await candidate.complete()
    assert "cannot be changed" in await candidate.read("/sending")
    refused = await candidate.post("/sending", {})
    assert refused.status == 422
    assert "Confirm that everything is right" in await refused.text()
    assert await candidate.state() == "drafting"


async def test_what_was_sent_is_frozen_and_has_to_be_paid(candidate: Candidate) -> None:
    await candidate.complete()
    await events(candidate, "")
    sent = await candidate.send()
    assert sent.headers["Location"] == f"{candidate.home}/sent"
    page = await candidate.read("/sent")
    assert candidate.claimed.reference in page
    assert "NT$250" in page
    assert f'href="/payments/registrations/{candidate.claimed.id}"' in page
    row = await candidate.pool.fetchrow("SELECT * FROM registrations")
    assert row
    assert row["state"] == "awaiting_payment"
    assert (row["person_name"], row["dialect"], row["fee_twd"]) == ("王大同", "sixian", 250)
    [told] = await events(candidate, "enrollment.registration_submitted.v1")
    assert told["amount_twd"] == 250
    assert told["reference"] == candidate.claimed.reference
    assert FORM["person"]["identity_number"] not in json.dumps(told)
    for step in FORM:
        assert (await candidate.fill(step, person_name="李四")).status == 303
    assert (await candidate.get("/form/person")).headers["Location"] == candidate.home
    assert "王大同" in await candidate.read("/check")
    assert "李四" not in await candidate.read("/check")
    assert (await candidate.post("/consents", {"agreed": "yes"})).status == 409
    assert (await candidate.post("/withdrawal", {})).status == 409


async def test_whoever_is_young_pays_nothing_and_goes_to_review(candidate: Candidate) -> None:
    born = {"birth_date-year": "2007", "birth_date-month": "12", "birth_date-day": "19"}
    await candidate.complete(person=born)
    assert "Free" in await candidate.read("/check")
    await candidate.send()
    assert await candidate.state() == "in_review"
    page = await candidate.read("/sent")
    assert "Nothing has to be paid." in page
    assert "/payments/registrations/" not in page


async def test_sending_it_twice_finds_it_sent(candidate: Candidate) -> None:
    await candidate.complete()
    await events(candidate, "")
    answers = await asyncio.gather(*(candidate.send() for _ in range(4)))
    assert {a.headers["Location"] for a in answers} == {f"{candidate.home}/sent"}
    assert len(await events(candidate, "enrollment.registration_submitted.v1")) == 1
    again = await candidate.get("/sending")
    assert again.headers["Location"] == f"{candidate.home}/sent"


async def test_the_page_that_says_sent_is_not_there_before(candidate: Candidate) -> None:
    assert (await candidate.get("/sent")).headers["Location"] == candidate.home


async def test_after_the_deadline_nothing_is_written_any_more(candidate: Candidate) -> None:
    await candidate.complete()
    await candidate.be("drafting", submit_by=datetime.now(UTC) - timedelta(milliseconds=1))
    page = await candidate.read()
    assert "The form was not sent in time" in page
    assert "/form/person" not in page
    assert (await candidate.send()).status == 410
    assert (await candidate.post("/consents", {"agreed": "yes"})).status == 410
    assert (await candidate.post("/withdrawal", {})).status == 410
    for page in ("/check", "/sending", "/form/person", "/consents", "/withdrawal"):
        assert (await candidate.get(page)).headers["Location"] == candidate.home
    assert (await candidate.fill("person")).headers["Location"] == candidate.home
    assert await candidate.state() == "drafting", "the job ends it"


async def test_a_place_is_given_back_once(candidate: Candidate) -> None:
    assert await world.taken(candidate.pool, MULTI, AREA) == 1
    assert "Give the place back" in await candidate.read("/withdrawal")
    for _ in range(2):
        given = await candidate.post("/withdrawal", {})
        assert given.headers["Location"] == f"{candidate.home}?withdrawn"
    assert await world.taken(candidate.pool, MULTI, AREA) == 0
    assert len(await events(candidate, "enrollment.registration_withdrawn.v1")) == 1
    assert "You gave this place back" in await candidate.read()


async def be_returned(candidate: Candidate, **reasons: str) -> None:
    """Have a registrar return documents of a registration that is in review."""
    async with transaction(candidate.pool) as tx:
        await documents.return_(tx, registration_id=candidate.claimed.id, reasons=reasons)
        await deciding.return_documents(
            tx,
            registration_id=candidate.claimed.id,
            documents=[ReturnedDocument(document=d, reason=r) for d, r in reasons.items()],
            actor="test",
            now=datetime.now(UTC),
        )


@pytest.fixture
async def reviewed(candidate: Candidate) -> Candidate:
    """Somebody young, who pays nothing and waits for a registrar."""
    born = {"birth_date-year": "2010", "birth_date-month": "1", "birth_date-day": "1"}
    await candidate.complete(person=born)
    await candidate.send()
    return candidate


async def test_only_what_was_returned_is_replaced(reviewed: Candidate) -> None:
    await be_returned(reviewed, photo="The photo is blurred.")
    page = await reviewed.read()
    assert "The photo is blurred." in page
    assert "Hand in the new documents" not in page
    assert "The photo is blurred." in await reviewed.read(reviewed.document("photo"))
    assert (await reviewed.upload("id_front")).status == 409
    assert (await reviewed.post("/resubmission", {})).status == 409
    assert await reviewed.state() == "returned"
    assert (await reviewed.fill("person", person_name="李四")).status == 303
    assert "李四" not in await reviewed.read("/check")

    assert (await reviewed.upload("photo", draw(width=300, height=400))).status == 303
    assert (await reviewed.upload("photo")).status == 303, "until it is handed in"
    assert "The photo is blurred." not in await reviewed.read()
    assert "Hand in the new documents" in await reviewed.read()
    for _ in range(2):
        handed_in = await reviewed.post("/resubmission", {})
        assert handed_in.headers["Location"] == f"{reviewed.home}?resubmitted"
    assert await reviewed.state() == "in_review"
    assert (await reviewed.upload("photo")).status == 409


async def test_what_is_returned_a_second_time_is_replaced_alone(reviewed: Candidate) -> None:
    await be_returned(reviewed, photo="blurred", id_front="unreadable")
    await reviewed.upload("photo")
    assert (await reviewed.post("/resubmission", {})).status == 409, "one is still missing"
    await reviewed.upload("id_front")
    await reviewed.post("/resubmission", {})
    await be_returned(reviewed, id_front="still unreadable")
    assert (await reviewed.upload("photo")).status == 409
    assert (await reviewed.upload("id_front")).status == 303


async def test_documents_that_come_too_late_are_not_taken(reviewed: Candidate) -> None:
    await be_returned(reviewed, photo="blurred")
    await reviewed.be("returned", fix_by=datetime.now(UTC) - timedelta(milliseconds=1))
    assert (await reviewed.upload("photo")).status == 410
    assert (await reviewed.post("/resubmission", {})).status == 410
    assert "The documents were not replaced in time" in await reviewed.read()


SOON = datetime.now(UTC) + timedelta(days=3)
PAST = datetime.now(UTC) - timedelta(days=3)


@pytest.mark.parametrize(
    ("state", "columns", "words"),
    [
        ("awaiting_payment", {"fee_twd": 250, "pay_by": SOON}, "Pay the fee"),
        ("in_review", {"fee_twd": 0}, "We are checking your form"),
        ("confirmed", {"fee_twd": 0}, "Your place is confirmed"),
        ("absent", {"fee_twd": 0}, "may enter no later one of the same year"),
        ("lapsed", {"ended_why": "not_paid", "ended_at": PAST}, "The fee was not paid in time"),
        ("lapsed", {"ended_why": "not_submitted", "ended_at": PAST}, "was not sent in time"),
        ("void", {"ended_why": "refused", "paid_at": PAST}, "less NT$58"),
        ("void", {"ended_why": "documents_not_fixed"}, "were not replaced in time"),
        ("void", {"ended_why": "absent_before"}, "You were absent from an earlier sitting"),
        ("withdrawn", {"ended_at": PAST}, "You gave this place back"),
    ],
)
async def test_every_state_says_what_it_means(
    candidate: Candidate, state: str, columns: dict[str, object], words: str
) -> None:
    await candidate.be(state, submitted_at=PAST, **columns)
    for language in ("en", "zh-TW"):
        page = await candidate.read(language=language)
        assert candidate.claimed.reference in page
        assert (words in page) == (language == "en")
        listed = await candidate.read("/enrollment/registrations/", language=language)
        assert candidate.claimed.reference in listed


async def test_what_can_be_downloaded_is_linked_when_its_time_has_come(
    candidate: Candidate,
) -> None:
    await candidate.be("confirmed", submitted_at=PAST, fee_twd=0)
    assert 'href="/scoring/"' not in (await candidate.read()).split("<main")[1].split("</main")[0]
    await candidate.pool.execute("UPDATE sittings SET tickets_at = $1 WHERE code = $2", PAST, MULTI)
    main = (await candidate.read()).split("<main")[1].split("</main")[0]
    assert main.count('href="/scoring/"') == 1


@pytest.mark.parametrize(
    ("state", "column", "title"),
    [
        ("drafting", "submit_by", "Send the registration form"),
        ("awaiting_payment", "pay_by", "Pay the registration fee"),
        ("returned", "fix_by", "Replace documents of the registration"),
    ],
)
async def test_a_deadline_is_shown_with_its_weekday_and_kept_in_a_calendar(
    candidate: Candidate, state: str, column: str, title: str
) -> None:
    deadline = datetime(2026, 12, 4, 16, tzinfo=UTC)  # the end of the 4th in Taipei
    await candidate.be(state, **{column: deadline})
    assert "Friday 4 December 2026 at 23:59" in await candidate.read()
    answer = await candidate.get("/deadline.ics")
    assert answer.content_type == "text/calendar"
    unfolded = (await answer.text()).replace("\r\n ", "")
    assert f"SUMMARY:{title}" in unfolded
    assert "DTSTART:20261204T155900Z" in unfolded
    assert candidate.claimed.reference in unfolded


async def test_where_nothing_is_due_there_is_no_calendar(candidate: Candidate) -> None:
    await candidate.be("confirmed")
    assert (await candidate.get("/deadline.ics")).status == 404


async def test_nobody_sees_anothers_list(candidate: Candidate, hall: Site) -> None:
    stranger = await arrive(hall)
    listed = await stranger.read("/enrollment/registrations/")
    assert stranger.claimed.reference in listed
    assert candidate.claimed.reference not in listed
    assert str(candidate.claimed.id) not in listed


async def test_a_newcomers_list_is_empty_and_says_where_to_begin(hall: Site) -> None:
    _, cookie = await hall.begin_session()
    answer = await hall.client.get(
        "/enrollment/registrations/", headers={**cookie, "Accept-Language": "en"}
    )
    page = await answer.text()
    assert "You have not registered for a sitting yet." in page
    assert 'href="/enrollment/"' in page
