"""What a registration's page says in every state, at each deadline, and when documents return."""

from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment import documents, schedule
from services.enrollment.registrations import deciding
from shared.db import transaction
from shared.events.enrollment import ReturnedDocument
from tests.enrollment.candidates import MULTI, Candidate, arrive, renew_texts
from tests.enrollment.pictures import draw
from tests.site import Site

MUCH_LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
async def candidate(hall: Site) -> Candidate:
    return await arrive(hall)


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
    assert await schedule.void_unfixed(reviewed.pool, MUCH_LATER) == 1
    assert await reviewed.state() == "void"


async def test_documents_that_were_replaced_in_time_count_though_nobody_handed_them_in(
    reviewed: Candidate,
) -> None:
    await be_returned(reviewed, photo="blurred", id_front="unreadable")
    await reviewed.upload("photo")
    await reviewed.upload("id_front")
    await reviewed.be("returned", fix_by=datetime.now(UTC) - timedelta(milliseconds=1))
    assert "We are checking your form and documents" in await reviewed.read()
    assert await schedule.void_unfixed(reviewed.pool, MUCH_LATER) == 1
    assert await schedule.void_unfixed(reviewed.pool, MUCH_LATER) == 0
    assert await reviewed.state() == "in_review"
    assert await reviewed.pool.fetchval("SELECT waiting_since FROM registrations") == (
        await reviewed.pool.fetchval("SELECT max(arrived_at) FROM documents WHERE state = 'kept'")
    )


async def test_one_document_that_was_not_replaced_is_one_too_many(reviewed: Candidate) -> None:
    await be_returned(reviewed, photo="blurred", id_front="unreadable")
    await reviewed.upload("photo")
    await reviewed.be("returned", fix_by=datetime.now(UTC) - timedelta(milliseconds=1))
    assert await schedule.void_unfixed(reviewed.pool, MUCH_LATER) == 1
    assert await reviewed.state() == "void"


async def test_a_text_that_is_new_does_not_keep_whoever_sent_from_replacing_documents(
    reviewed: Candidate,
) -> None:
    await be_returned(reviewed, photo="blurred")
    await renew_texts(reviewed.pool)
    assert f'href="{reviewed.document("photo")}"' in await reviewed.read()
    replaced = await reviewed.upload("photo")
    assert replaced.headers["Location"] == reviewed.document("photo")
    await reviewed.post("/resubmission", {})
    assert await reviewed.state() == "in_review"


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
