"""The machine interface: the same steps as on the pages, each done once however often asked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.enrollment import documents
from services.enrollment.registrations import deciding
from services.enrollment.tokens import BURST
from shared.db import transaction
from shared.events.enrollment import RegistrationSubmitted, ReturnedDocument
from tests.conftest import MakeDatabase
from tests.enrollment import pictures
from tests.enrollment.candidates import AREA, MULTI, open_hall, renew_texts
from tests.enrollment.programs import (
    ANSWERS,
    API,
    Program,
    count_published,
    open_for_programs,
    refusal,
)
from tests.site import Site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_for_programs(make_database) as site:
        yield site


@pytest.fixture
async def program(site: Site) -> Program:
    return await Program.arrive(site)


async def test_a_program_does_all_that_a_candidate_does(site: Site, program: Program) -> None:
    listed = await program.read("GET", "/sittings")
    [sitting] = [one for one in listed["sittings"] if one["code"] == MULTI]
    assert sitting["window"] == "open"
    assert [area["code"] for area in sitting["areas"]] == [AREA]

    registration = await program.claim()
    await program.complete(registration)
    whole = await program.read("GET", registration)
    assert (whole["state"], whole["is_complete"], whole["errors"]) == ("drafting", True, {})
    assert whole["form"]["identity_number"] == "A12****789"
    assert [one["state"] for one in whole["documents"]] == ["kept", "kept"]

    sent = await program.read("POST", f"{registration}/submission", {"certain": True})
    assert (sent["state"], sent["fee_twd"]) == ("awaiting_payment", 250)
    assert sent["pay_by"]
    assert await count_published(site, RegistrationSubmitted.name) == 1
    [summary] = (await program.read("GET", "/registrations"))["registrations"]
    assert summary == {name: sent[name] for name in summary}


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer examhall_wrong", "Basic eDp5", "examhall_x"]
)
async def test_without_a_valid_token_nobody_is_answered(
    site: Site, program: Program, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/sittings", "/registrations", "/registrations/x"):
        answer = await site.client.get(API + path, headers=headers)
        assert await refusal(answer) == (401, "NoToken")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_scheme_is_read_in_any_case(site: Site, program: Program) -> None:
    headers = {"Authorization": f"bearer {program.token}"}
    assert (await site.client.get(f"{API}/sittings", headers=headers)).status == 200


async def test_a_token_that_is_used_too_often_has_to_wait(make_database: MakeDatabase) -> None:
    async with open_hall(make_database) as site:
        program = await Program.arrive(site)
        for _ in range(BURST):
            last = await program.call("GET", "/registrations")
        # A slow machine may have earned a call or two meanwhile.
        while last.status == 200:
            last = await program.call("GET", "/registrations")
        assert await refusal(last) == (429, "TooManyCalls")
        assert int(last.headers["Retry-After"]) >= 1
        other = await Program.arrive(site)
        assert (await other.call("GET", "/registrations")).status == 200


async def test_wrong_answers_are_named_and_nothing_is_saved(site: Site, program: Program) -> None:
    registration = await program.claim()
    await program.agree(registration)
    answer = await program.call(
        "PUT",
        f"{registration}/form",
        {**ANSWERS, "identity_number": "A123456788", "mobile_phone": "12"},
    )
    assert answer.status == 422
    problem = await answer.json()
    assert problem["title"] == "WrongFields"
    assert problem["errors"].keys() == {"identity_number", "mobile_phone"}
    assert (await program.read("GET", registration))["form"] == {}


async def test_a_step_is_saved_by_itself(site: Site, program: Program) -> None:
    registration = await program.claim()
    await program.agree(registration)
    step = {"dialect": "sixian", "special_needs": "yes"}
    whole = await program.read("PUT", f"{registration}/form", step)
    assert whole["form"] == step
    assert "person_name" in whole["errors"]
    assert [one["code"] for one in whole["documents"]] == ["photo", "id_front", "special_needs"]
    answer = await program.call("PUT", f"{registration}/form", {"special_needs": "no"})
    assert (await answer.json())["errors"].keys() == {"dialect"}


async def test_the_form_waits_for_the_texts_to_be_agreed_to(site: Site, program: Program) -> None:
    registration = await program.claim()
    answer = await program.call("PUT", f"{registration}/form", dict(ANSWERS))
    assert await refusal(answer) == (409, "NotAgreed")
    answer = await program.upload(registration, "photo")
    assert await refusal(answer) == (409, "NotAgreed")
    texts = [{"code": "registration", "version": "of another year"}]
    answer = await program.call("PUT", f"{registration}/consents", {"texts": texts})
    assert await refusal(answer) == (409, "OtherTexts")
    assert (await program.read("GET", registration))["agreed"] is False


async def test_what_is_not_complete_cannot_be_sent(site: Site, program: Program) -> None:
    registration = await program.claim()
    answer = await program.call("POST", f"{registration}/submission", {"certain": True})
    assert await refusal(answer) == (409, "NotComplete")
    missing = (await answer.json())["errors"]
    assert {"texts", "person_name", "documents.photo", "documents.id_front"} <= missing.keys()
    answer = await program.call("POST", f"{registration}/submission", {"certain": False})
    assert await refusal(answer) == (422, "WrongFields")


async def test_what_was_sent_cannot_be_changed(site: Site, program: Program) -> None:
    registration, key = await program.claim(), uuid4().hex
    await program.complete(registration, birth_date="2010-05-17")
    sent = await program.read("POST", f"{registration}/submission", {"certain": True}, key=key)
    assert (sent["state"], sent["fee_twd"]) == ("in_review", 0)
    for method, path, body in (
        ("POST", "submission", {"certain": True}),
        ("POST", "withdrawal", None),
        ("PUT", "form", dict(ANSWERS)),
    ):
        answer = await program.call(method, f"{registration}/{path}", body)
        assert await refusal(answer) == (409, "AlreadySent")
    assert await refusal(await program.upload(registration, "photo")) == (409, "AlreadySent")
    again = await program.read("POST", f"{registration}/submission", {"certain": True}, key=key)
    assert again == sent
    assert await count_published(site, RegistrationSubmitted.name) == 1


async def test_a_picture_that_is_none_is_refused(site: Site, program: Program) -> None:
    registration = await program.claim()
    await program.agree(registration)
    path = registration.replace("/registrations/", "/documents/")
    for content, said in (
        (b"GIF89a" + b"x" * 30_000, (415, "NeitherJpegNorPng")),
        (b"\xff\xd8\xff", (422, "TooSmall")),
        (b"\xff\xd8\xff" + b"x" * 3_200_000, (413, "TooLarge")),
        (pictures.draw()[:-300], (422, "Broken")),
    ):
        answer = await program.call("PUT", f"{path}/photo", data=content)
        assert await refusal(answer) == said
    answer = await program.call("PUT", f"{path}/photo", data=b"x" * 5_000_000)
    assert answer.status == 413
    answer = await program.call("PUT", f"{path}/passport", data=pictures.draw())
    assert await refusal(answer) == (404, "NotAskedFor")


async def test_returned_documents_are_replaced_and_handed_in(site: Site, program: Program) -> None:
    registration = await program.claim()
    await program.complete(registration, birth_date="2010-05-17")
    await program.read("POST", f"{registration}/submission", {"certain": True})
    registration_id = UUID(registration.rpartition("/")[2])
    async with transaction(site.pools["enrollment"]) as tx:
        await documents.return_(tx, registration_id=registration_id, reasons={"photo": "blurred"})
        await deciding.return_documents(
            tx,
            registration_id=registration_id,
            documents=[ReturnedDocument(document="photo", reason="blurred")],
            actor="test",
            now=datetime.now(UTC),
        )
    whole = await program.read("GET", registration)
    [photo, id_front] = whole["documents"]
    assert (photo["state"], photo["returned_why"]) == ("returned", "blurred")
    assert id_front["state"] == "kept"
    answer = await program.call("POST", f"{registration}/resubmission")
    assert await refusal(answer) == (409, "NotReplaced")
    assert await refusal(await program.upload(registration, "id_front")) == (409, "AlreadySent")
    await renew_texts(site.pools["enrollment"])
    assert (await program.upload(registration, "photo")).status == 200, "as agreed when it was sent"
    handed_in = await program.read("POST", f"{registration}/resubmission")
    assert handed_in["state"] == "in_review"
    answer = await program.call("POST", f"{registration}/resubmission")
    assert await refusal(answer) == (409, "NotWaiting")


async def test_a_place_that_is_given_up_is_free(site: Site, program: Program) -> None:
    registration = await program.claim()
    whole = await program.read("POST", f"{registration}/withdrawal")
    assert whole["state"] == "withdrawn"
    assert await program.claim() != registration
    answer = await program.call("POST", f"{registration}/withdrawal")
    assert await refusal(answer) == (410, "TooLate")


async def test_what_is_anothers_does_not_exist(site: Site, program: Program) -> None:
    registration = await program.claim()
    stranger = await Program.arrive(site)
    for method, path, body in (
        ("GET", registration, None),
        ("PUT", f"{registration}/consents", {"texts": []}),
        ("PUT", f"{registration}/form", {}),
        ("POST", f"{registration}/submission", {"certain": True}),
        ("POST", f"{registration}/withdrawal", None),
        ("POST", f"{registration}/resubmission", None),
        ("GET", "/registrations/not-an-id", None),
    ):
        answer = await stranger.call(method, path, body)
        assert await refusal(answer) == (404, "NoSuchRegistration")
    assert await refusal(await stranger.upload(registration, "photo")) == (
        404,
        "NoSuchRegistration",
    )
    assert (await stranger.read("GET", "/registrations"))["registrations"] == []


async def test_what_is_over_is_too_late(site: Site, program: Program) -> None:
    registration = await program.claim()
    await site.pools["enrollment"].execute(
        "UPDATE registrations SET submit_by = $1", datetime.now(UTC) - timedelta(seconds=1)
    )
    answer = await program.call("PUT", f"{registration}/form", {})
    assert await refusal(answer) == (410, "TooLate")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"sitting": "\\u0000", "area": "x"}', b"\xff"]
)
async def test_what_is_no_wish_is_refused(site: Site, program: Program, body: bytes) -> None:
    answer = await program.call("POST", "/registrations", data=body)
    assert await refusal(answer) == (422, "WrongFields")
