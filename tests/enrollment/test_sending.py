"""Checking and sending: everything is shown, nothing is sent by half, and nothing twice."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.outbox import Message
from tests.enrollment import world
from tests.enrollment.candidates import AREA, FORM, MULTI, Candidate, arrive
from tests.site import Site


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
