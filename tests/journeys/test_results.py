"""A candidate sees a result, takes the statement away, shows it to others, and sees who looked."""

from uuid import UUID, uuid4

import pytest

from services.scoring.rules import seals
from services.scoring.statements import Statement
from shared import db
from shared.vault import Vault
from tests.journeys.conftest import Arrive, Place
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways
from tests.scoring import papers
from tests.scoring.papers import SECRET_NUMBER
from tests.site import SECRET

pytestmark = pytest.mark.browser

WORDS = {
    "en": {"result": "Elementary", "valid": "This statement is valid", "with": "with the link"},
    "zh-Hant-TW": {"result": "初級", "valid": "這份成績單有效", "with": "透過連結"},
}


async def give_result(place: Place, email: str) -> Statement:
    """Let somebody's result be out."""
    identity = await db.create_pool(
        place.environment["IDENTITY_DATABASE_URL"], application="journeys"
    )
    account: UUID = await identity.fetchval("SELECT id FROM accounts WHERE email = $1", email)
    await identity.close()
    pool = await db.create_pool(place.environment["SCORING_DATABASE_URL"], application="journeys")
    entry_id = await papers.approve(pool, Vault.from_setting(SECRET), account)
    await papers.release(pool, entry_id)
    statement = await papers.find(pool, entry_id)
    await pool.close()
    return statement


async def take_statement(visitor: Visitor) -> str:
    """Download the PDF with the browser's session; say what its code leads to."""
    address = await visitor.page.get_attribute("main a[href$='/statement.pdf']", "href")
    answer = await visitor.page.request.get(f"{visitor.url}{address}")
    sealed = seals.find_in_pdf(await answer.body())
    assert sealed
    return f"{seals.PATH}{sealed}"


@in_two_ways
async def test_from_the_result_to_whoever_looked_at_it(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    email, password = await place.add_candidate()
    statement, words = await give_result(place, email), WORDS[language]
    result_id = statement.result.id
    candidate, school = [await arrive(language, script=script) for _ in range(2)]
    await candidate.sign_in(email, password, next_page="/scoring/")
    assert words["result"] in await candidate.text()
    await candidate.open(f"/scoring/results/{result_id}")
    check = await take_statement(candidate)

    await school.open(check)
    assert words["valid"] in await school.text()
    await school.open(f"{check[:-1]}{'A' if check[-1] != 'A' else 'B'}")
    assert words["valid"] not in await school.text()

    await candidate.open(f"/scoring/results/{result_id}/shares")
    await candidate.press()
    assert await candidate.page.locator(".govuk-error-summary").count() == 1, "for nobody"
    await candidate.fill(label="NTU")
    await candidate.press()
    link = await candidate.page.inner_text(".eh-key")
    await school.open(link)
    await school.fill(name="Admissions office")
    await school.press()
    assert words["result"] in await school.text()
    await candidate.open(f"/scoring/results/{result_id}/shares")
    assert "Admissions office" in await candidate.text()
    assert words["with"] in await candidate.text()
    await school.open("/scoring/")


@in_two_ways
async def test_from_the_application_of_an_organisation_to_its_look(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    holder, _ = await place.add_candidate()
    statement, name = await give_result(place, holder), f"University {uuid4().hex[:8]}"
    office, administrator = [await arrive(language, script=script) for _ in range(2)]
    await office.sign_in(*await place.add_candidate(), next_page="/scoring/verification/")
    await office.press()
    assert await office.page.locator(".govuk-error-summary").count() == 1, "nothing was typed"
    await office.fill(name=name, website="https://www.nhu.example", purpose="Admission")
    await office.press()
    assert name in await office.text()

    await sign_in_as(administrator, place, "administrator")
    await administrator.open("/scoring/staff/")
    await administrator.open("/scoring/staff/organisations/")
    await administrator.follow(name)
    await administrator.page.check("[name=decision][value=approve]")
    await administrator.fill(reason="Telephoned")
    await administrator.press()

    await office.open("/scoring/verification/")
    await office.press()
    assert await office.page.locator(".govuk-error-summary").count() == 1, "nothing was accepted"
    await office.page.check("[name=accepted]")
    await office.press()
    await office.fill(id_number=statement.candidate.id_number, secret_number="0000")
    await office.press()
    assert await office.page.locator(".govuk-error-summary").count() == 1, "a wrong number"
    await office.fill(id_number=statement.candidate.id_number, secret_number=SECRET_NUMBER)
    await office.press()
    assert WORDS[language]["result"] in await office.text()
    await office.open("/scoring/verification/")
    assert statement.candidate.id_number in await office.text()
