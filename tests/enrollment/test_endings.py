"""What stands in somebody's way: found by the ID number, and ended by a registrar."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.events import decode
from shared.events.enrollment import RegistrationVoided
from tests.conftest import MakeDatabase
from tests.enrollment import world
from tests.enrollment.candidates import AREA, FORM, MULTI, Candidate, arrive, open_hall
from tests.enrollment.registrars import STAFF, Registrar, acts, page_of, published, wait
from tests.site import Site

NUMBER = FORM["person"]["identity_number"]
WHY = {"reason": "另一位家長已為同一位考生報名。"}


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


async def fill_in(site: Site) -> Candidate:
    """Somebody takes a place and says who it is for."""
    candidate = await arrive(site)
    await candidate.agree()
    await candidate.fill("person")
    return candidate


async def test_a_registrar_ends_a_draft_that_stands_in_the_way_of_its_person(site: Site) -> None:
    registrar, first = await Registrar.arrive(site), await fill_in(site)
    person = await arrive(site)
    await person.agree()
    refused = await person.fill("person")
    assert refused.status == 422
    assert "If somebody else took it, tell us" in await refused.text()
    assert f'href="{STAFF}{page_of(first)}/ending"' in await registrar.read(page_of(first))
    assert "End this registration" in await registrar.read(f"{page_of(first)}/ending")
    ended = await registrar.post(f"{page_of(first)}/ending", WHY)
    assert ended.headers["Location"] == f"{STAFF}{page_of(first)}"
    assert await first.state() == "void"
    assert await world.taken(site.pools["enrollment"], MULTI, AREA) == 1
    [told] = await published(site, RegistrationVoided.name)
    [event] = decode(RegistrationVoided, told)
    assert (event.registration_id, event.why) == (first.claimed.id, "ended_by_staff")
    assert event.reason == WHY["reason"]
    assert await acts(site, first) == ["registration_ended"]
    assert "We ended this registration" in await first.read()
    assert (await person.fill("person")).status == 303


async def test_without_a_reason_nothing_ends(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await fill_in(site)
    for reason, said in (("  ", "Write why it ends"), ("x" * 301, "at most 300 characters")):
        refused = await registrar.post(f"{page_of(candidate)}/ending", {"reason": reason})
        assert refused.status == 422
        assert said in await refused.text()
    assert await candidate.state() == "drafting"


async def test_what_was_sent_and_not_paid_is_ended_too(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await fill_in(site)
    later = datetime.now(UTC) + timedelta(days=3)
    await candidate.be("awaiting_payment", submitted_at=later, fee_twd=250, pay_by=later)
    assert (await registrar.post(f"{page_of(candidate)}/ending", WHY)).status == 303
    assert await candidate.state() == "void"


async def test_what_is_in_review_is_decided_and_not_ended(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await wait(site)
    assert f"{page_of(candidate)}/ending" not in await registrar.read(page_of(candidate))
    assert (await registrar.post(f"{page_of(candidate)}/ending", WHY)).status == 409
    assert await candidate.state() == "in_review"


async def test_what_a_person_holds_is_found_by_the_id_number_and_that_is_noted(site: Site) -> None:
    registrar, candidate = await Registrar.arrive(site), await fill_in(site)
    found = await registrar.post("/registrations/persons", {"identity_number": NUMBER.lower()})
    assert found.headers["Location"] == f"{STAFF}{page_of(candidate)}"
    assert await acts(site, candidate) == ["person_looked_for"]
    for number in ("", "B123456780"):
        nobody = await registrar.post("/registrations/persons", {"identity_number": number})
        assert nobody.headers["Location"] == f"{STAFF}/registrations?nobody"
    assert "Nobody with this ID number" in await registrar.read("/registrations", nobody="")
