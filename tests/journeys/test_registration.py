"""A registration, from a sitting to the word that it was sent, as candidates do it on a phone."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from shared.taiwan import is_national_id
from tests.enrollment.candidates import FORM, MULTI
from tests.enrollment.pictures import draw
from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import LANGUAGES
from tests.journeys.test_calendar import shows
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

SITTING = f"/enrollment/sittings/{MULTI}"


@pytest_asyncio.fixture(loop_scope="package")
async def _open_sitting(place: Place) -> None:
    """Let a sitting of the Hakka programme be open today."""
    connection = await asyncpg.connect(place.environment["ENROLLMENT_DATABASE_URL"])
    now = datetime.now(UTC)
    await connection.execute(
        """
        UPDATE sittings SET opens_at = $2, closes_at = $3, tickets_at = $4, results_at = $4
         WHERE code = $1
        """,
        MULTI,
        now - timedelta(days=1),
        now + timedelta(days=20),
        now + timedelta(days=40),
    )
    await connection.close()


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    file = tmp_path / "me.jpg"
    file.write_bytes(draw())
    return file


@pytest.fixture
def identity_number() -> str:
    """A number that nobody else has, or there would be two places for one person."""
    return next(_identity_numbers())


def _identity_numbers() -> Iterator[str]:
    while True:
        number = f"{random.choice('ABCDEFGH')}{random.choice('12')}{random.randrange(10**8):08}"
        if is_national_id(number):
            yield number


async def take_place(visitor: Visitor, place: Place) -> str:
    """From a sitting, by signing in, to a place in it; where the registration is."""
    await shows(visitor, SITTING, "main a.govuk-button")
    async with visitor.page.expect_navigation():
        await visitor.page.click("main a.govuk-button")
    email, password = await place.add_candidate()
    await visitor.fill(email=email, password=password)
    await visitor.press()
    assert visitor.path == SITTING
    await visitor.press()
    assert visitor.path.startswith("/enrollment/registrations/")
    return visitor.path


async def agree(visitor: Visitor) -> None:
    async with visitor.page.expect_navigation():
        await visitor.page.click("main a[href$='/consents']")
    await visitor.look()
    await visitor.press()
    await sees_mistakes(visitor, 1)
    await visitor.page.check("[name=agreed]")
    await visitor.press()
    assert visitor.path.endswith("/form/person")


async def answer(visitor: Visitor, step: str, **changed: str) -> None:
    """Fill in what the page asks, as far as it is given."""
    assert visitor.path.endswith(f"/form/{step}")
    for name, text in {**FORM[step], **changed}.items():
        field = visitor.page.locator(f"main [name={name}]")
        kind = await field.first.evaluate("field => field.type")
        if kind == "radio":
            await visitor.page.check(f"main [name={name}][value='{text}']")
        elif kind == "select-one":
            await field.select_option(text)
        else:
            await field.fill(text)


async def sees_mistakes(visitor: Visitor, count: int) -> None:
    """Every mistake stands in the summary, leads to its field, and is said there again."""
    page = visitor.page
    prefix = {"en": "Error: ", "zh-Hant-TW": "錯誤："}[visitor.language]
    assert (await page.title()).startswith(prefix)
    links = page.locator(".govuk-error-summary a")
    assert await links.count() == count, await page.inner_text(".govuk-error-summary")
    for number in range(count):
        words = await links.nth(number).inner_text()
        target = await links.nth(number).get_attribute("href")
        assert target
        assert await page.locator(target).count() == 1, target
        assert await page.locator(".govuk-error-message", has_text=words).count() >= 1, words


async def upload(visitor: Visitor, home: str, document: str, file: Path) -> None:
    await visitor.open(home)
    async with visitor.page.expect_navigation():
        await visitor.page.click(f"main a[href$='/{document}']")
    await visitor.look()
    await visitor.page.set_input_files("[name=picture]", file)
    await visitor.press()


async def shown_width(visitor: Visitor) -> int:
    """How wide the picture really is that the page shows."""
    width: int = await visitor.page.locator("main figure img").evaluate(
        "async picture => { await picture.decode(); return picture.naturalWidth }"
    )
    return width


@in_two_ways
@pytest.mark.usefixtures("_open_sitting")
async def test_from_a_place_to_a_registration_that_is_sent(
    arrive: Arrive,
    place: Place,
    language: str,
    portrait: Path,
    identity_number: str,
    *,
    script: bool,
) -> None:
    visitor = await arrive(language, script=script)
    page = visitor.page
    home = await take_place(visitor, place)
    await agree(visitor)

    await fill_in(visitor, identity_number)
    assert visitor.path == home

    small = portrait.with_name("small.jpg")
    small.write_bytes(b"\xff\xd8\xff" + b"\x00" * 1_000)
    await upload(visitor, home, "photo", small)
    await sees_mistakes(visitor, 1)
    await upload(visitor, home, "photo", portrait)
    if script:
        assert await shown_width(visitor) == 480
    await upload(visitor, home, "id_front", portrait)

    await visitor.open(home)
    async with page.expect_navigation():
        await page.click("main a[href$='/check']")
    await visitor.look()
    shown = await visitor.text()
    assert identity_number not in shown
    assert f"{identity_number[:3]}****{identity_number[-3:]}" in shown
    assert "大安國中" in shown
    async with page.expect_navigation():
        await page.click("main a.govuk-button")
    await visitor.look()
    await visitor.press()
    await sees_mistakes(visitor, 1)
    await page.check("[name=certain]")
    await visitor.press()
    assert visitor.path == f"{home}/sent"
    reference = await page.inner_text(".govuk-panel strong")
    assert await page.locator(f"main a[href='/payments/registrations/{home[-36:]}']").count() == 1

    await visitor.open(f"{home}/sending")  # once more, as people do
    assert visitor.path == f"{home}/sent"
    await visitor.open("/enrollment/registrations/")
    assert reference in await visitor.text()
    await visitor.open(home)
    assert await page.locator("main a[href*='/form/']").count() == 0


async def fill_in(visitor: Visitor, identity_number: str) -> None:
    """The whole form, with mistakes in between."""
    page = visitor.page
    wrong = {"birth_date-month": "13", "identity_number": "A123456788", "person_name": "1"}
    await answer(visitor, "person", **wrong)
    await visitor.press()
    await sees_mistakes(visitor, 3)
    assert await page.input_value("[name=identity_number]") == "A123456788"
    assert await page.input_value("[name=birth_date-month]") == "13"
    assert await page.is_checked("[name=nationality][value=taiwan]")
    await answer(visitor, "person", identity_number=identity_number)
    await visitor.press()

    await answer(visitor, "contact", mobile_phone="0912", email="")
    await visitor.press()
    await sees_mistakes(visitor, 2)
    await answer(visitor, "contact")
    await visitor.press()
    for step in ("emergency", "exam"):
        await answer(visitor, step)
        await visitor.press()
    await look_beneath_a_choice(visitor)
    await answer(visitor, "postage")
    await visitor.press()


async def look_beneath_a_choice(visitor: Visitor) -> None:
    """What a choice leads to is seen when it is made, without script too, and is asked for."""
    page = visitor.page
    school = page.locator("[name=school]")
    await answer(visitor, "background")
    assert not await school.is_visible()
    await answer(visitor, "background", occupation="student")
    assert await school.is_visible()
    assert not await page.locator("[name=agency_code]").is_visible()
    await visitor.look()
    await visitor.press()
    await sees_mistakes(visitor, 2)
    assert await school.is_visible(), "and stays visible beside its mistake"
    await visitor.fill(school="大安國中", school_year="二年級")
    await visitor.press()


@pytest.mark.usefixtures("_open_sitting")
async def test_by_keyboard_alone(arrive: Arrive, place: Place, identity_number: str) -> None:
    visitor = await arrive("en")
    page, keyboard = visitor.page, visitor.page.keyboard
    await take_place(visitor, place)
    await reach(visitor, "document.activeElement.getAttribute('href')?.endsWith('/consents')")
    async with page.expect_navigation():
        await keyboard.press("Enter")
    await reach(visitor, "document.activeElement.name === 'agreed'")
    await keyboard.press("Space")
    async with page.expect_navigation():
        await keyboard.press("Enter")
    await reach(visitor, "document.activeElement.name === 'nationality'")
    await keyboard.press("Space")
    for name in ("person_name", "latin_name", "birth_date-year", "birth_date-month"):
        await reach(visitor, f"document.activeElement.name === '{name}'")
        await keyboard.type(FORM["person"][name])
    await keyboard.press("Tab")
    await keyboard.type(FORM["person"]["birth_date-day"])
    await keyboard.press("Tab")
    await keyboard.press("Space")
    await keyboard.press("ArrowDown")
    await keyboard.press("ArrowUp")
    assert await page.is_checked("[name=identity_kind][value=national_id]")
    await keyboard.press("Tab")
    await keyboard.type(identity_number)
    async with page.expect_navigation():
        await keyboard.press("Enter")
    assert visitor.path.endswith("/form/contact")
    await visitor.look()


async def reach(visitor: Visitor, found: str) -> None:
    """Press Tab until the keyboard is where it should be."""
    for _ in range(40):
        await visitor.page.keyboard.press("Tab")
        if await visitor.page.evaluate(found):
            return
    pytest.fail(f"no way there by keyboard: {found}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.usefixtures("_open_sitting")
async def test_a_place_is_given_back_and_taken_again(
    arrive: Arrive, place: Place, language: str
) -> None:
    visitor = await arrive(language, script=False)
    home = await take_place(visitor, place)
    async with visitor.page.expect_navigation():
        await visitor.page.click("main a[href$='/withdrawal']")
    await visitor.look()
    await visitor.press()
    assert visitor.path == home
    assert await visitor.page.locator("[role=status]").count() == 1
    await visitor.open(SITTING)
    await visitor.press()
    assert visitor.path.startswith("/enrollment/registrations/")
    assert visitor.path != home
