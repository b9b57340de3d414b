"""Recognising organisations check a result by its numbers; each look is limited and told."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.scoring.limits import LOOKS_AT_NUMBER, LOOKS_OF_ORGANISATION
from services.scoring.organisations import TERMS_VERSION
from shared.auth import Role
from shared.events import decode
from shared.events.scoring import OrganisationDecided
from tests.conftest import MakeDatabase
from tests.scoring import papers
from tests.scoring.papers import SECRET_NUMBER
from tests.scoring.test_result_pages import Holder
from tests.site import Site, open_site

HOME = "/scoring/verification/"
STAFF = "/scoring/staff/organisations/"
APPLICATION = {
    "name": "National Hakka University",
    "website": "https://www.nhu.example",
    "purpose": "Admission of students",
}


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "scoring") as site:
        yield site


async def id_of(site: Site, office: Holder) -> UUID:
    found: UUID = await site.pools["scoring"].fetchval(
        "SELECT id FROM organisations WHERE account_id = $1", office.account
    )
    return found


async def decide(site: Site, office: Holder, decision: str, *, seen: str = "applied") -> int:
    administrator = await Holder.sign_in(site, Role.ADMINISTRATOR)
    status, _ = await administrator.post(
        f"{STAFF}{await id_of(site, office)}/decision",
        decision=decision,
        reason="We telephoned",
        seen=seen,
    )
    return status


async def admit(site: Site, **changed: str) -> Holder:
    """An organisation that may look."""
    office = await Holder.sign_in(site)
    assert (await office.post(f"{HOME}application", **(APPLICATION | changed)))[0] == 303
    assert await decide(site, office, "approve") == 303
    form = {"version": str(TERMS_VERSION), "accepted": "yes"}
    assert (await office.post(f"{HOME}terms", **form))[0] == 303
    return office


async def look(office: Holder, number: str, secret: str = SECRET_NUMBER) -> tuple[int, str]:
    status, page = await office.post(f"{HOME}looks", id_number=number, secret_number=secret)
    return status, re.sub(r"\s+", " ", page)


async def test_an_organisation_applies_is_approved_accepts_and_looks(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await Holder.sign_in(site)
    statement = await papers.give(site, holder.account, "first")
    number = statement.candidate.id_number
    assert (await look(office, number))[0] == 403
    assert (await office.post(f"{HOME}application", **APPLICATION))[0] == 303
    assert "being looked at" in await office.read(HOME)
    assert (await look(office, number))[0] == 403
    administrator = await Holder.sign_in(site, Role.ADMINISTRATOR)
    assert "National Hakka University" in await administrator.read(STAFF)
    assert "Admission of students" in await administrator.read(
        f"{STAFF}{await id_of(site, office)}"
    )
    assert await decide(site, office, "approve") == 303
    assert "Terms for checking" in await office.read(HOME)
    assert (await look(office, number))[0] == 403
    assert (await office.post(f"{HOME}terms", version=str(TERMS_VERSION)))[0] == 422
    form = {"version": str(TERMS_VERSION), "accepted": "yes"}
    assert (await office.post(f"{HOME}terms", **form))[0] == 303
    status, page = await look(office, f" {number.lower()} ")
    assert (status, "Pass at Grade C" in page, "王大同" in page) == (200, True, True)
    assert number in await office.read(HOME)
    state = await administrator.read(f"{STAFF}{await id_of(site, office)}", "zh-TW")
    assert re.search(r"狀態</dt>\s*<dd[^>]*>已核准查驗</dd>", state)
    listed = await administrator.read(f"{STAFF}?state=approved", "zh-TW")
    assert (">機構名稱</th>" in listed, ">姓名</th>" in listed) == (True, False)
    assert "accepted the terms" in await administrator.read("/scoring/staff/")
    looks = await holder.read(f"/scoring/results/{statement.result.id}/shares")
    assert "National Hakka University" in looks
    assert "a recognising organisation" in looks


async def test_each_decision_is_told_once_with_its_reason(site: Site) -> None:
    office = await Holder.sign_in(site)
    await office.post(f"{HOME}application", **APPLICATION)
    assert await decide(site, office, "approve") == 303
    assert await decide(site, office, "approve") == 409, "somebody else was quicker"
    assert await decide(site, office, "refuse", seen="approved") == 303
    rows = await site.pools["scoring"].fetch(
        "SELECT body FROM outbox WHERE name = $1 ORDER BY id", OrganisationDecided.name
    )
    told = [event for row in rows for event in decode(OrganisationDecided, row["body"])]
    assert [event.is_approved for event in told] == [True, False]
    for event in told:
        assert event.account_id == office.account
        assert (event.organisation, event.reason) == (APPLICATION["name"], "We telephoned")


async def test_the_history_of_a_corrected_result_is_shown(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    pool = site.pools["scoring"]
    await papers.correct(pool, statement.result.entry_id, papers.basic("30", "50", "20"))
    _, page = await look(office, statement.candidate.id_number)
    assert "Version 2, approved on" in page
    assert "Elementary (100)" in page
    assert "Elementary (80)" in page
    assert "replaced on" in page


async def test_a_wrong_number_and_a_result_that_is_not_out_sound_alike(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    waiting = await papers.prepare(site, holder.account)
    pool = site.pools["scoring"]
    not_out = await pool.fetchval("SELECT id_number FROM candidates WHERE entry_id = $1", waiting)
    tried = [
        await look(office, statement.candidate.id_number, "0000"),
        await look(office, "999999WLC"),
        await look(office, not_out),
    ]
    assert [status for status, _ in tried] == [422, 422, 422]
    words = "No released result fits this ID number and secret number"
    assert all(words in page for _, page in tried)
    assert await pool.fetchval("SELECT count(*) FROM looks") == 0


async def test_secret_numbers_cannot_be_tried_one_after_the_other(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    number = statement.candidate.id_number
    # All at once, and from two organisations: what counts is the number that is tried.
    second = await admit(site, name="Another one")
    answers = await asyncio.gather(
        *(
            look(one, number, f"{tried:04}")
            for tried in range(LOOKS_AT_NUMBER.most + 5)
            for one in (office, second)
        )
    )
    told = [status for status, _ in answers]
    assert told.count(422) == LOOKS_AT_NUMBER.most
    assert told.count(429) == len(told) - LOOKS_AT_NUMBER.most
    # Also who has the right one waits now, and another candidate's is not concerned.
    assert (await look(office, number))[0] == 429
    other = await papers.give(site, holder.account)
    assert (await look(office, other.candidate.id_number))[0] == 200


async def test_an_organisation_looks_so_often_and_no_more(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    pool = site.pools["scoring"]
    assert (await look(office, statement.candidate.id_number))[0] == 200
    await pool.execute(
        "UPDATE counters SET count = $2 WHERE name = $1",
        LOOKS_OF_ORGANISATION.name,
        LOOKS_OF_ORGANISATION.most - 1,
    )
    answers = await asyncio.gather(*(look(office, f"{number:06}WLC") for number in range(6)))
    assert sorted(status for status, _ in answers) == [422, 429, 429, 429, 429, 429]
    await pool.execute("UPDATE counters SET began_at = began_at - interval '1 hour'")
    assert (await look(office, statement.candidate.id_number))[0] == 200


async def test_new_terms_are_accepted_before_the_next_look(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    await site.pools["scoring"].execute("UPDATE organisations SET terms_version = 0")
    assert (await look(office, statement.candidate.id_number))[0] == 403
    assert "Terms for checking" in await office.read(HOME)
    old = {"version": "0", "accepted": "yes"}
    assert (await office.post(f"{HOME}terms", **old))[0] == 403


async def test_a_refused_organisation_reads_why_and_may_apply_again(site: Site) -> None:
    office = await Holder.sign_in(site)
    await office.post(f"{HOME}application", **APPLICATION)
    assert (await office.post(f"{HOME}application", **APPLICATION))[0] == 409
    assert await decide(site, office, "refuse") == 303
    assert "We telephoned" in await office.read(HOME)
    form = {"version": str(TERMS_VERSION), "accepted": "yes"}
    assert (await office.post(f"{HOME}terms", **form))[0] == 403
    assert (await office.post(f"{HOME}application", **APPLICATION))[0] == 303
    assert "being looked at" in await office.read(HOME)


async def test_an_approval_is_taken_back_at_once(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    assert await decide(site, office, "refuse") == 409  # it was decided before
    assert await decide(site, office, "refuse", seen="approved") == 303
    assert (await look(office, statement.candidate.id_number))[0] == 403


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
async def test_only_administrators_decide(site: Site, role: Role) -> None:
    other = await Holder.sign_in(site, role)
    assert (await other.get(STAFF))[0] == 403


async def test_a_wrong_form_says_what_is_wrong(site: Site) -> None:
    office = await Holder.sign_in(site)
    status, page = await office.post(f"{HOME}application", website="javascript:alert(1)")
    assert status == 422
    assert "Enter the organisation" in page
    assert "Enter the address of the organisation" in page
    looking = await admit(site)
    status, page = await look(looking, "x", "y")
    assert status == 422
    assert "9 capitals and digits" in page
    assert await site.pools["scoring"].fetchval("SELECT count(*) FROM counters") == 0


async def test_a_look_is_never_unwritten(site: Site) -> None:
    holder, office = await Holder.sign_in(site), await admit(site)
    statement = await papers.give(site, holder.account)
    await look(office, statement.candidate.id_number)
    for change in ("UPDATE looks SET looked_by = 'nobody'", "DELETE FROM looks", "TRUNCATE looks"):
        with pytest.raises(Exception, match="append-only"):
            await site.pools["scoring"].execute(change)
