"""A registration under review: taken, returned for a better photo, replaced, approved."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from services.enrollment.schedule import count_statistics
from shared import db
from shared.db import Pool
from shared.taiwan import is_national_id
from tests.enrollment.candidates import NATIONAL
from tests.enrollment.programs import ANSWERS, Program
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import LANGUAGES
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

STAFF = "/enrollment/staff"
# Areas that nobody else's registration waits in, one for each way of looking.
AREAS = {"zh-Hant-TW": "taitung", "en": "nantou"}


@pytest_asyncio.fixture(loop_scope="package")
async def pool(place: Place) -> AsyncIterator[Pool]:
    pool = await db.create_pool(place.environment["ENROLLMENT_DATABASE_URL"], application="test")
    now = datetime.now(UTC)
    await pool.execute(
        """
        UPDATE sittings SET opens_at = $2, closes_at = $3, tickets_at = $4, results_at = $4,
                            exam_date = $4::timestamptz::date
         WHERE code = $1
        """,
        NATIONAL,
        now - timedelta(days=1),
        now + timedelta(days=20),
        now + timedelta(days=40),
    )

    async def knows_who_signs_sessions() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM session_keys"))

    await eventually(knows_who_signs_sessions)  # a site that has just started
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="package")
async def program(place: Place, pool: Pool) -> AsyncIterator[Program]:
    """What the candidate does in this story, a program does for them."""
    async with ClientSession(place.url) as session:
        yield await Program.begin(session, pool)


def find_number() -> str:
    """Find an ID number that no other test has."""
    while True:
        number = f"F1{random.randrange(10**8):08}"
        if is_national_id(number):
            return number


async def send(program: Program, area: str, number: str) -> str:
    """Send a registration that costs nothing, so that it waits for review at once."""
    registration = await program.claim(NATIONAL, area)
    await program.complete(registration, identity_number=number, birth_date="2012-05-17")
    await program.read("POST", f"{registration}/submission", {"certain": True})
    return registration


async def open_queue(registrar: Visitor, area: str) -> None:
    await registrar.open(f"{STAFF}/")
    async with registrar.page.expect_navigation():
        await registrar.page.click(f"main a[href='{STAFF}/review']")
    await registrar.look()
    await registrar.page.select_option("select[name=area]", area)
    async with registrar.page.expect_navigation():
        await registrar.page.click("form.eh-search:has(select[name=area]) button")
    await registrar.look()


async def take_next(registrar: Visitor) -> None:
    async with registrar.page.expect_navigation():
        await registrar.page.click("form[action$='/review/next'] button")
    await registrar.look()


async def press(registrar: Visitor, action: str) -> None:
    async with registrar.page.expect_navigation():
        await registrar.page.click(f"main form[action$='/{action}'] button")
    await registrar.look()


@in_two_ways
async def test_from_the_queue_to_the_approval(
    arrive: Arrive, place: Place, program: Program, language: str, *, script: bool
) -> None:
    area, number = AREAS[language], find_number()
    registration = await send(program, area, number)
    reference = (await program.read("GET", registration))["reference"]
    registrar = await arrive(language, script=script)
    await sign_in_as(registrar, place, "registrar")
    await open_queue(registrar, area)
    assert reference in await registrar.text()

    await take_next(registrar)
    assert registrar.path == f"{STAFF}{registration}"
    await sees_pictures(registrar)
    assert number not in await registrar.text()
    await press(registrar, "number")
    assert number in await registrar.text()

    await press(registrar, "return")
    assert (await registrar.page.title()).startswith({"en": "Error: "}.get(language, "錯誤："))
    await registrar.page.select_option("[name=prepared-photo]", "blurred")
    await registrar.page.fill("[name=words-photo]", "謝謝")
    await press(registrar, "return")
    assert registrar.path == f"{STAFF}/review"

    whole = await program.read("GET", registration)
    assert whole["state"] == "returned"
    assert whole["documents"][0]["returned_why"].endswith("謝謝")
    assert (await program.upload(registration, "photo")).status == 200
    await program.read("POST", f"{registration}/resubmission")

    await open_queue(registrar, area)
    await take_next(registrar)
    replaced = {"en": "Replaced after it was returned", "zh-Hant-TW": "退件後已更換"}
    assert replaced[language] in await registrar.text()
    await press(registrar, "approval")
    assert (await program.read("GET", registration))["state"] == "confirmed"


async def sees_pictures(registrar: Visitor) -> None:
    """Both documents are there, and are pictures."""
    pictures = registrar.page.locator("main figure img")
    assert await pictures.count() == 2
    if registrar.script:
        await pictures.first.scroll_into_view_if_needed()
        await registrar.page.wait_for_function(
            "() => document.querySelector('main figure img').naturalWidth > 100"
        )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_two_registrars_see_who_is_at_it(
    arrive: Arrive, place: Place, program: Program, language: str
) -> None:
    area = {"zh-Hant-TW": "miaoli", "en": "chiayi"}[language]
    registration = await send(program, area, find_number())
    first, second = await arrive(language), await arrive(language)
    for registrar in (first, second):
        await sign_in_as(registrar, place, "registrar")
        await registrar.open(f"{STAFF}{registration}")
    await press(first, "review")
    await press(second, "review")
    await second.open(f"{STAFF}{registration}")
    assert "周書豪" in await second.page.inner_text("main")
    assert await second.page.locator("form[action$='/approval']").count() == 0
    await press(first, "release")
    await second.open(f"{STAFF}{registration}")
    await press(second, "review")
    assert await second.page.locator("form[action$='/approval']").count() == 1


@in_two_ways
async def test_what_stands_in_a_persons_way_is_found_by_the_number_and_ended(
    arrive: Arrive, place: Place, program: Program, language: str, *, script: bool
) -> None:
    number, registration = find_number(), await program.claim(NATIONAL, "hualien")
    await program.agree(registration)
    await program.read("PUT", f"{registration}/form", {**ANSWERS, "identity_number": number})
    registrar = await arrive(language, script=script)
    await sign_in_as(registrar, place, "registrar")
    await registrar.open(f"{STAFF}/registrations")
    await registrar.page.fill("[name=identity_number]", number)
    await press(registrar, "persons")
    assert registrar.path == f"{STAFF}{registration}"
    async with registrar.page.expect_navigation():
        await registrar.page.click("main a[href$='/ending']")
    await registrar.look()
    await press(registrar, "ending")
    assert (await registrar.page.title()).startswith({"en": "Error: "}.get(language, "錯誤："))
    await registrar.page.fill("[name=reason]", "另一位家長已為同一位考生報名。")
    await press(registrar, "ending")
    assert registrar.path == f"{STAFF}{registration}"
    assert (await program.read("GET", registration))["state"] == "void"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_registrars_lists_fit_a_phone(arrive: Arrive, place: Place, language: str) -> None:
    registrar = await arrive(language)
    await sign_in_as(registrar, place, "registrar")
    for page in ("/registrations", "/registrations?reference=R-1000-011", "/absences/"):
        assert (await registrar.open(STAFF + page)).status == 200
    await registrar.page.fill("[name=numbers]", "R-1000-017\nR-1000-011")
    await registrar.press()
    assert "R-1000-011" in await registrar.text()


@in_two_ways
async def test_the_figures_fit_a_phone(
    arrive: Arrive, pool: Pool, program: Program, language: str, *, script: bool
) -> None:
    await program.claim(NATIONAL, "keelung")
    await count_statistics(pool, datetime.now(UTC))
    visitor = await arrive(language, script=script)
    await visitor.open("/enrollment/statistics")
    assert await visitor.page.locator("main svg").count() == 4
    await visitor.page.select_option("[name=sitting]", NATIONAL)
    await visitor.press()
    assert await visitor.page.locator("main svg").count() == 3


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_candidate_makes_a_token_and_revokes_it(
    arrive: Arrive, place: Place, language: str
) -> None:
    visitor = await arrive(language)
    person = place.people["candidate"]
    await visitor.sign_in(person["email"], person["password"], next_page="/enrollment/tokens/")
    assert visitor.path == "/enrollment/tokens/"
    await visitor.press()
    assert (await visitor.page.title()).startswith({"en": "Error: "}.get(language, "錯誤："))
    await visitor.fill(label="my program")
    await visitor.page.check("[name=days][value='30']")
    await visitor.press()
    assert await visitor.page.locator(".eh-key").count() == 1
    await visitor.open("/enrollment/tokens/")
    await press(visitor, "revocation")
    assert "my program" not in await visitor.page.inner_text("main")
