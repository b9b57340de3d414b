"""Filling the form in: step by step, with mistakes, and without showing an ID number again."""

from uuid import uuid4

import pytest

from tests.enrollment.candidates import FORM, Candidate, agree_to, arrive
from tests.site import Site


@pytest.fixture
async def candidate(hall: Site) -> Candidate:
    return await arrive(hall)


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
    agreed = await candidate.post("/consents", agree_to(await refused.text()))
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
