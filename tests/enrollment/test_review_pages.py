"""Registrars' pages: the queue, a registration beside its documents, and the decision."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.enrollment.reviews import TAKEN_FOR
from shared.events import decode
from shared.events.enrollment import DocumentsReturned, RegistrationConfirmed, RegistrationVoided
from tests.conftest import MakeDatabase
from tests.enrollment.candidates import AREA, MULTI, arrive, open_hall
from tests.enrollment.registrars import STAFF, Registrar, acts, page_of, published, send, wait
from tests.site import Site

NUMBER = "A123456789"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


async def test_the_queue_shows_what_waits_and_who_is_at_it(site: Site) -> None:
    mine, other = await Registrar.arrive(site), await Registrar.arrive(site)
    candidate, draft = await wait(site), await arrive(site)
    page = await mine.read("/review")
    assert candidate.claimed.reference in page
    assert draft.claimed.reference not in page
    assert "nobody" in page
    await other.take(candidate)
    assert "林怡君" in await mine.read("/review")
    assert '<td class="govuk-table__cell">you</td>' in await other.read("/review")


async def test_the_queue_is_filtered(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    reference = candidate.claimed.reference
    for query, is_shown in (
        ({"sitting": MULTI, "area": AREA}, True),
        ({"area": "taipei"}, False),
        ({"days": "1"}, False),
        ({"sitting": "no such sitting", "area": "\0", "days": "x", "after": "x-y"}, True),
        ({"after": f"{10**17}-1"}, True),
        ({"after": "9" * 16 + "-1"}, False),
    ):
        assert (reference in await registrar.read("/review", **query)) is is_shown, query
    await site.pools["enrollment"].execute(
        "UPDATE registrations SET waiting_since = waiting_since - interval '25 hours'"
    )
    page = await registrar.read("/review", days="1")
    assert reference in page
    assert "1 day or longer" in page


async def test_the_queue_is_turned_page_by_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.enrollment.staff.queue.SHOWN", 2)
    registrar = await Registrar.arrive(site)
    references = [(await wait(site)).claimed.reference for _ in range(3)]
    first = await registrar.read("/review")
    assert [one in first for one in references] == [True, True, False]
    after = first.partition("after=")[2].partition('"')[0]
    second = await registrar.read("/review", after=after)
    assert [one in second for one in references] == [False, False, True]


async def test_the_next_button_leads_to_what_was_taken(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    answer = await registrar.post("/review/next", {"sitting": MULTI, "area": ""})
    assert answer.headers["Location"] == STAFF + page_of(candidate)
    answer = await registrar.post("/review/next")
    assert answer.headers["Location"] == f"{STAFF}/review?done=nothing"
    assert "Nothing waits for you" in await registrar.read("/review", done="nothing")


async def test_a_registration_is_shown_beside_its_documents(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await send(site)
    page = await registrar.read(page_of(candidate))
    for said in ("王大同", "0912345678", "臺北市大安區", "Sixian", "A12****789"):
        assert said in page
    assert NUMBER not in page
    for document in ("photo", "id_front"):
        assert f'src="{STAFF}{page_of(candidate)}/documents/{document}"' in page
        answer = await registrar.get(f"{page_of(candidate)}/documents/{document}")
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert (await registrar.get(f"{page_of(candidate)}/documents/special_needs")).status == 404


async def test_whoever_looks_at_the_number_is_remembered(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await send(site)
    answer = await registrar.post(f"{page_of(candidate)}/number")
    assert NUMBER in await answer.text()
    assert await acts(site, candidate) == ["identity_number_shown"]
    [line] = await site.pools["enrollment"].fetch(
        "SELECT actor, details FROM audit_lines WHERE act = 'identity_number_shown'"
    )
    assert (line["actor"], line["details"]) == (str(registrar.id), {})


async def test_only_whoever_took_it_can_decide(site: Site) -> None:
    registrar, colleague = await Registrar.arrive(site), await Registrar.arrive(site)
    candidate = await wait(site)
    assert "Approve: everything is right" not in await registrar.read(page_of(candidate))
    assert (await registrar.post(f"{page_of(candidate)}/approval")).status == 409
    await registrar.take(candidate)
    assert "Approve: everything is right" in await registrar.read(page_of(candidate))
    page = await colleague.read(page_of(candidate))
    assert "林怡君 is reviewing it" in page
    assert "Approve: everything is right" not in page
    for act in ("review", "approval", "refusal"):
        refused = await colleague.post(f"{page_of(candidate)}/{act}")
        assert refused.status == 409
    assert await candidate.state() == "in_review"


async def test_an_approval_confirms_and_tells_everybody(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    await registrar.take(candidate)
    answer = await registrar.post(f"{page_of(candidate)}/approval")
    assert answer.headers["Location"] == f"{STAFF}/review?done=approved"
    assert await candidate.state() == "confirmed"
    [body] = await published(site, RegistrationConfirmed.name)
    [event] = decode(RegistrationConfirmed, body)
    assert event.registration_id == candidate.claimed.id
    assert await acts(site, candidate) == ["review_taken", "registration_approved"]
    assert (await registrar.post(f"{page_of(candidate)}/approval")).status == 409
    assert len(await published(site, RegistrationConfirmed.name)) == 1


async def test_documents_are_returned_with_their_reasons(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await send(site)
    await registrar.take(candidate)
    answer = await registrar.post(
        f"{page_of(candidate)}/return",
        {"prepared-photo": "blurred", "words-photo": " Please \n smile. ", "prepared-id_front": ""},
    )
    assert answer.status == 303, await answer.text()
    assert await candidate.state() == "returned"
    [body] = await published(site, DocumentsReturned.name)
    [event] = decode(DocumentsReturned, body)
    [photo] = event.documents
    assert photo.document == "photo"
    assert "模糊" in photo.reason
    assert photo.reason.endswith("The photo is blurred. Upload a sharp one. Please smile.")
    assert photo.reason in await candidate.read(candidate.document("photo"))
    assert "Returned" in await registrar.read(page_of(candidate))


async def test_without_a_reason_nothing_is_returned(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await send(site)
    await registrar.take(candidate)
    for sent, said in (
        ({}, "Choose a reason, or write one"),
        ({"prepared-photo": "no such reason"}, "Choose a reason, or write one"),
        ({"prepared-special_needs": "expired"}, "Choose a reason, or write one"),
        ({"words-photo": "x" * 301}, "at most 300 characters"),
    ):
        answer = await registrar.post(f"{page_of(candidate)}/return", sent)
        assert answer.status == 422
        page = await answer.text()
        assert said in page
        assert "<title>Error: " in page
    assert await candidate.state() == "in_review"
    assert await published(site, DocumentsReturned.name) == []


async def test_what_was_replaced_waits_again_and_is_marked(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await send(site)
    await registrar.take(candidate)
    await registrar.post(f"{page_of(candidate)}/return", {"prepared-id_front": "unreadable"})
    assert (await candidate.upload("photo")).status == 409
    assert (await candidate.upload("id_front")).status == 303
    assert (await candidate.post("/resubmission", {})).status == 303
    assert await candidate.state() == "in_review"
    answer = await registrar.post("/review/next")
    assert answer.headers["Location"] == STAFF + page_of(candidate)
    assert "Replaced after it was returned" in await registrar.read(page_of(candidate))
    assert (await registrar.post(f"{page_of(candidate)}/approval")).status == 303


async def test_a_refusal_voids_and_frees_the_place(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    await registrar.take(candidate)
    assert (await registrar.post(f"{page_of(candidate)}/refusal")).status == 303
    assert await candidate.state() == "void"
    [body] = await published(site, RegistrationVoided.name)
    [event] = decode(RegistrationVoided, body)
    assert event.why == "refused"
    assert (
        await site.pools["enrollment"].fetchval(
            "SELECT taken FROM places WHERE sitting = $1 AND area = $2", MULTI, AREA
        )
        == 0
    )


async def test_what_is_given_back_can_be_taken_by_a_colleague(site: Site) -> None:
    registrar, colleague = await Registrar.arrive(site), await Registrar.arrive(site)
    candidate = await wait(site)
    await registrar.take(candidate)
    await registrar.post(f"{page_of(candidate)}/release")
    await colleague.take(candidate)
    until = await site.pools["enrollment"].fetchval("SELECT taken_until FROM reviews")
    assert until <= datetime.now(UTC) + TAKEN_FOR


async def test_addresses_of_nothing_are_not_found(site: Site) -> None:
    registrar = await Registrar.arrive(site)
    for unknown in ("x", "00000000-0000-0000-0000-000000000000"):
        for page in ("", "/documents/photo"):
            answer = await registrar.get(f"/registrations/{unknown}{page}")
            assert answer.status == 404
        for act in ("review", "approval", "return", "refusal", "number"):
            answer = await registrar.post(f"/registrations/{unknown}/{act}")
            assert answer.status in {404, 409}, act
