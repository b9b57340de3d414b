"""An exam centre: made by a registrar, enters its candidates from a list, prints their papers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from shared import db
from shared.db import Pool
from tests.enrollment.centres import LIN, SITTING, WANG, read_pdf, write
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.test_staff import set_up_second_factor, sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

STAFF = "/enrollment/staff"
# A centre of their own for each way of looking.
NUMBERS = {
    ("zh-Hant-TW", True): "TW101",
    ("zh-Hant-TW", False): "TW102",
    ("en", True): "TW103",
    ("en", False): "TW104",
}


@pytest_asyncio.fixture(loop_scope="package")
async def pool(place: Place) -> AsyncIterator[Pool]:
    """The database, with a sitting that takes candidates whatever the day."""
    pool = await db.create_pool(place.environment["ENROLLMENT_DATABASE_URL"], application="test")
    await let_in(pool, SITTING)
    yield pool
    await pool.close()


async def let_in(pool: Pool, sitting: str) -> None:
    now = datetime.now(UTC)
    await pool.execute(
        "UPDATE sittings SET opens_at = $2, closes_at = $3 WHERE code = $1",
        sitting,
        now - timedelta(days=1),
        now + timedelta(days=10),
    )


async def make_centre(registrar: Visitor, number: str, email: str) -> None:
    await registrar.open(f"{STAFF}/")
    async with registrar.page.expect_navigation():
        await registrar.page.click(f"main a[href='{STAFF}/centres']")
    await registrar.look()
    await registrar.open(f"{STAFF}/centres/new")
    await registrar.press()
    assert await registrar.page.locator(".govuk-error-summary").count() == 1
    await registrar.fill(
        number=number, name="Taipei Centre", venue="新民小學", venue_address="臺北市辛亥路一段113號"
    )
    await registrar.press()
    await registrar.fill(email=email)
    await registrar.page.click("main form[action$='/staff'] button")
    await registrar.page.wait_for_load_state()
    await registrar.look()
    assert email in await registrar.text()


async def press(visitor: Visitor, action: str) -> None:
    async with visitor.page.expect_navigation():
        await visitor.page.click(f"main form[action$='{action}'] button")
    await visitor.look()


async def enter_office(staff: Visitor, pool: Pool, account: tuple[str, str], number: str) -> None:
    """Sign in for the first time, as soon as enrollment knows who that is, and go to the centre."""
    email, password = account

    async def is_known() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM contacts WHERE email = $1", email))

    await eventually(is_known)
    await staff.sign_in(email, password)
    await set_up_second_factor(staff)
    await staff.open(f"{STAFF}/centre/")
    await staff.follow(number)


async def open_sitting(staff: Visitor, sitting: str) -> None:
    async with staff.page.expect_navigation():
        await staff.page.click(f"main a[href$='/{sitting}/']")
    await staff.look()


async def hand_in(staff: Visitor, number: str, content: bytes, *, sitting: str = SITTING) -> None:
    await staff.page.set_input_files(
        "input[type=file]",
        {"name": "candidates.csv", "mimeType": "text/csv", "buffer": content},
    )
    await press(staff, f"/lists/{number}/{sitting}")


async def print_pdf(staff: Visitor, link: str) -> str:
    address = await staff.page.get_attribute(f"main a[href*='{link}']", "href")
    answer = await staff.page.context.request.get(f"{staff.url}{address}")
    assert answer.status == 200
    return read_pdf(await answer.body())


@in_two_ways
async def test_from_the_list_to_the_papers(
    arrive: Arrive, place: Place, pool: Pool, language: str, *, script: bool
) -> None:
    number = NUMBERS[language, script]
    account = await place.add_staff("centre")
    registrar = await arrive(language, script=script)
    await sign_in_as(registrar, place, "registrar")
    await make_centre(registrar, number, account[0])
    staff = await arrive(language, script=script)
    await enter_office(staff, pool, account, number)
    await open_sitting(staff, SITTING)
    await press(staff, f"/lists/{number}/{SITTING}")
    assert await staff.page.locator(".govuk-error-summary").count() == 1, "no file was chosen"

    await hand_in(staff, number, write(WANG, LIN, ("x", *LIN[1:])))
    assert await staff.page.locator("main tbody tr").count() == 3
    await press(staff, "/imports")
    assert await staff.page.locator("main tbody tr").count() == 2
    async with staff.page.expect_navigation():
        await staff.page.click("main a[href$='/timetable']")
    await staff.look()
    await staff.fill(room_0="RW 04")
    await staff.press()
    together = await print_pdf(staff, "confirmations.pdf")
    assert together.count("\f") == 2
    assert "RW 04" in together

    async with staff.page.expect_navigation():
        await staff.page.click("main a[href*='/entries/']")
    await staff.look()
    before = await print_pdf(staff, "/confirmation.pdf")
    await press(staff, "/secret")
    after = await print_pdf(staff, "/confirmation.pdf")
    assert before != after
    await press(staff, "/cancellation")
    await press(staff, "/restoration")
