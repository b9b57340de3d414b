"""What is written in the form: kept step by step, numbers sealed, one place for one person."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.enrollment import answers, contacts, schedule
from services.enrollment.answers import digest_person
from services.enrollment.contacts import Contact
from services.enrollment.limits import REFUSED_NUMBERS
from services.enrollment.settings import Settings
from shared.db import transaction
from shared.vault import Vault
from tests.enrollment.candidates import FORM, NATIONAL, Candidate, agree_to, arrive, renew_texts
from tests.site import Site

NUMBER = FORM["person"]["identity_number"]


@pytest.fixture
async def candidate(hall: Site) -> Candidate:
    candidate = await arrive(hall)
    await candidate.agree()
    return candidate


def vault_of(candidate: Candidate) -> Vault:
    settings = candidate.site.settings["enrollment"]
    assert isinstance(settings, Settings)
    return settings.vault


async def load(candidate: Candidate) -> dict[str, str]:
    async with transaction(candidate.pool) as tx:
        return dict(
            await answers.load(tx, registration_id=candidate.claimed.id, vault=vault_of(candidate))
        )


async def test_answers_are_kept_step_by_step(candidate: Candidate) -> None:
    await candidate.fill("person")
    await candidate.fill("contact")
    kept = await load(candidate)
    assert kept["person_name"] == "王大同"
    assert kept["birth_date"] == "1991-05-17"
    assert kept["mobile_phone"] == "0912345678"
    assert "home_phone" not in kept
    await candidate.fill("contact", mobile_phone="0987654321", office_phone="")
    assert await load(candidate) == {
        name: answer for name, answer in kept.items() if name != "office_phone"
    } | {"mobile_phone": "0987654321"}


async def test_what_is_not_asked_any_more_is_forgotten(candidate: Candidate) -> None:
    student = {"school": "大安國中", "school_year": "二年級"}
    await candidate.fill("background", occupation="student", **student)
    assert (await load(candidate)).items() >= student.items()
    await candidate.fill("background", occupation="farmer", **student)
    assert not (await load(candidate)).keys() & student.keys()


async def test_a_step_with_a_mistake_is_not_saved_at_all(candidate: Candidate) -> None:
    await candidate.fill("contact")
    before = await load(candidate)
    refused = await candidate.fill("contact", mobile_phone="12", email="new@exam.example")
    assert refused.status == 422
    assert await load(candidate) == before


async def test_an_id_number_cannot_be_read_in_the_database(candidate: Candidate) -> None:
    await candidate.fill("person")
    assert (await load(candidate))["identity_number"] == NUMBER
    tables = await candidate.pool.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for (table,) in tables:
        rows = await candidate.pool.fetch(f"SELECT t::text FROM {table} AS t")
        assert not [row for row in rows if NUMBER in row[0]], table
    sealed = await candidate.pool.fetchval("SELECT identity_number FROM answers")
    assert NUMBER.encode() not in sealed


async def test_a_person_is_known_again_by_a_digest_that_needs_the_key(
    candidate: Candidate,
) -> None:
    await candidate.fill("person")
    person = await candidate.pool.fetchval("SELECT person FROM registrations")
    assert person == digest_person(vault_of(candidate), NUMBER)
    assert person != digest_person(Vault([b"x" * 32]), NUMBER)


async def test_one_person_has_one_place_in_a_sitting_whatever_the_account(
    candidate: Candidate, hall: Site
) -> None:
    await candidate.fill("person")
    other = await arrive(hall)
    await other.agree()
    refused = await other.fill("person", identity_number="a123-456-789")
    assert refused.status == 422
    page = await refused.text()
    assert "The person with this ID number holds a place already" in page
    assert 'value="王大同"' in page, "what was typed is kept"
    assert await load(other) == {}
    assert await other.pool.fetchval(
        "SELECT person IS NULL FROM registrations WHERE id = $1", other.claimed.id
    )
    # And as soon as the place is given back, the person may have another.
    assert (await candidate.post("/withdrawal", {})).status == 303
    assert (await other.fill("person")).status == 303


async def test_one_person_may_sit_in_several_sittings(candidate: Candidate, hall: Site) -> None:
    await candidate.fill("person")
    other = await arrive(hall, NATIONAL, "taipei")
    await other.agree()
    assert (await other.fill("person")).status == 303


async def test_whoever_was_absent_is_recognised_by_the_id_number(
    candidate: Candidate, hall: Site
) -> None:
    await candidate.fill("person")
    await candidate.be("absent", sitting="hakka-115-basic-m10", area="kaohsiung")
    other = await arrive(hall)
    await other.agree()
    refused = await other.fill("person")
    assert refused.status == 422
    assert "You were absent from a sitting of this series" in await refused.text()


async def test_a_draft_can_be_given_to_another_person(candidate: Candidate, hall: Site) -> None:
    await candidate.fill("person")
    assert (await candidate.fill("person", identity_number="B123456780")).status == 303
    other = await arrive(hall)
    await other.agree()
    assert (await other.fill("person")).status == 303


async def test_nobody_learns_of_many_numbers_whether_they_hold_a_place(
    candidate: Candidate, hall: Site
) -> None:
    await candidate.fill("person")
    curious = await arrive(hall)
    await curious.agree()
    for _ in range(REFUSED_NUMBERS.most):
        assert (await curious.fill("person")).status == 422
    for number in (NUMBER, "A223456781"):
        refused = await curious.fill("person", identity_number=number)
        assert refused.status == 429
        assert "Too many ID numbers were refused here today" in await refused.text()
    assert (await curious.fill("contact")).status == 303, "the rest goes on"
    assert (await candidate.fill("person")).status == 303, "and so do others"


async def test_it_is_kept_which_text_was_agreed_to_and_when(candidate: Candidate) -> None:
    rows = await candidate.pool.fetch(
        "SELECT code, version, language, agreed_at FROM consents ORDER BY code"
    )
    assert [tuple(row)[:3] for row in rows] == [
        ("exam-rules", "115-1", "en"),
        ("registration", "115-1", "en"),
    ]
    await candidate.agree()
    again = await candidate.pool.fetch("SELECT agreed_at FROM consents ORDER BY code")
    assert [row["agreed_at"] for row in again] == [row["agreed_at"] for row in rows]


async def test_a_new_text_has_to_be_agreed_to_anew(candidate: Candidate) -> None:
    assert (await candidate.get("/form/person")).status == 200
    await renew_texts(candidate.pool)
    sent_away = await candidate.get("/form/person")
    assert sent_away.headers["Location"] == f"{candidate.home}/consents"
    await candidate.agree()
    assert (await candidate.get("/form/person")).status == 200


async def test_what_was_shown_is_agreed_to_and_not_what_came_meanwhile(hall: Site) -> None:
    candidate = await arrive(hall)
    page = await candidate.read("/consents")
    await renew_texts(candidate.pool)
    asked_again = await candidate.post("/consents", agree_to(page))
    assert asked_again.status == 422
    shown = await asked_again.text()
    assert "These texts have changed since you opened the page" in shown
    assert await candidate.pool.fetchval("SELECT count(*) FROM consents") == 0
    assert (await candidate.post("/consents", agree_to(shown))).status == 303
    assert "115-2" in {
        row["version"] for row in await candidate.pool.fetch("SELECT version FROM consents")
    }


NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def test_the_newest_address_of_an_account_is_remembered(hall: Site) -> None:
    account = uuid4()
    async with transaction(hall.pools["enrollment"]) as tx:
        for minutes, email in ((1, "b@exam.example"), (0, "a@exam.example")):
            changed_at = NOW + timedelta(minutes=minutes)
            await contacts.change(tx, contacts=[Contact(account, email, changed_at)])
        assert await contacts.find_email(tx, account_id=account) == "b@exam.example"


async def test_the_address_of_a_closed_account_is_forgotten_in_whatever_order(hall: Site) -> None:
    account = uuid4()
    async with transaction(hall.pools["enrollment"]) as tx:
        await contacts.forget(tx, closed={account: NOW})
        await contacts.change(
            tx, contacts=[Contact(account, "a@exam.example", NOW - timedelta(days=1))]
        )
        assert await contacts.find_email(tx, account_id=account) is None
    rows = await hall.pools["enrollment"].fetch("SELECT t::text FROM contacts AS t")
    assert not [row for row in rows if "a@exam.example" in row[0]]


async def test_the_form_begins_with_the_address_of_the_account(candidate: Candidate) -> None:
    await candidate.site.deliver()
    email = await candidate.site.pools["identity"].fetchval(
        "SELECT email FROM accounts WHERE id = $1", candidate.account_id
    )
    assert f'value="{email}"' in await candidate.read("/form/contact")


async def test_what_came_to_nothing_is_forgotten_after_a_month(candidate: Candidate) -> None:
    await candidate.complete()
    await candidate.post("/withdrawal", {})
    now = datetime.now(UTC)
    assert await schedule.forget_unsent(candidate.pool, now + timedelta(days=29)) == 0
    assert await load(candidate)
    assert await schedule.forget_unsent(candidate.pool, now + timedelta(days=31)) == 1
    assert await schedule.forget_unsent(candidate.pool, now + timedelta(days=31)) == 0
    assert await load(candidate) == {}
    assert await candidate.pool.fetchval("SELECT count(*) FROM consents") == 0
    assert {r["state"] for r in await candidate.pool.fetch("SELECT state FROM documents")} == {
        "dropped"
    }


async def test_pictures_of_an_empty_form_are_forgotten_too(candidate: Candidate) -> None:
    await candidate.upload("photo")
    await candidate.pool.execute("DELETE FROM consents")
    await candidate.post("/withdrawal", {})
    later = datetime.now(UTC) + timedelta(days=31)
    assert await schedule.forget_unsent(candidate.pool, later) == 1
    assert await schedule.forget_unsent(candidate.pool, later) == 0
    assert await candidate.pool.fetchval("SELECT state FROM documents") == "dropped"


async def test_what_was_sent_is_kept(candidate: Candidate) -> None:
    await candidate.complete()
    assert (await candidate.send()).status == 303
    await candidate.be("lapsed", ended_at=datetime.now(UTC), ended_why="not_paid")
    later = datetime.now(UTC) + timedelta(days=365)
    assert await schedule.forget_unsent(candidate.pool, later) == 0
    assert await load(candidate)
