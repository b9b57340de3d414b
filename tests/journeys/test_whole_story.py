"""The whole story: the wait for midnight, a place, the form, the money, the review, the letter."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import expect

from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.payer import PAID
from tests.journeys.test_calendar import shows
from tests.journeys.test_registration import (
    agree,
    fill_in,
    identity_number,
    portrait,
    sees_mistakes,
    upload,
)
from tests.journeys.test_review import open_queue, press, take_next
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import PATIENCE_SECONDS, Visitor, in_two_ways

pytestmark = pytest.mark.browser

__all__ = ["identity_number", "portrait"]  # fixtures of a neighbouring story

# Of a level that no other story is about.
CODE = "hakka-115-advanced-n01"
SITTING = f"/enrollment/sittings/{CODE}"
AREA = "hsinchu"
CONFIRMED = "您的資料審查通過"  # letters are in the language of the account


async def let_it_open_in(place: Place, wait: timedelta) -> None:
    connection = await asyncpg.connect(place.environment["ENROLLMENT_DATABASE_URL"])
    now = datetime.now(UTC)
    await connection.execute(
        """
        UPDATE sittings SET opens_at = $2, closes_at = $3, tickets_at = $4, results_at = $4,
                            exam_date = $4::timestamptz::date
         WHERE code = $1
        """,
        CODE,
        now + wait,
        now + timedelta(days=20),
        now + timedelta(days=40),
    )
    await connection.close()


async def wait_for_the_opening(visitor: Visitor, place: Place) -> None:
    """Stand before the door, see how long it still takes, and be let in."""
    page = visitor.page
    await let_it_open_in(place, timedelta(days=1))
    await shows(visitor, SITTING, "[data-countdown]")
    assert await page.locator("main form").count() == 0
    await let_it_open_in(place, timedelta(seconds=8))
    if visitor.script:
        await count_down(visitor)
    else:
        await shows(visitor, SITTING, "main form [name=area]")
    await visitor.look()


async def count_down(visitor: Visitor) -> None:
    """Do nothing but wait: the page lets one in by itself."""
    page = visitor.page

    async def counts_seconds() -> bool:  # the page may be a few seconds old
        await visitor.open(SITTING)
        left = page.locator(".eh-countdown__left")
        return await left.count() == 1 and (await left.inner_text()).startswith("00:00:0")

    await eventually(counts_seconds, every=0.2)
    await expect(page.locator("main form [name=area]").first).to_be_visible(timeout=30_000)


async def take_place(visitor: Visitor) -> str:
    await visitor.page.check(f"main [name=area][value={AREA}]")
    await visitor.press()
    assert visitor.path.startswith("/enrollment/registrations/")
    return visitor.path


async def send(visitor: Visitor, home: str, portrait: Path, identity_number: str) -> str:
    """Everything from the first page of the form to the last button; the reference number."""
    page = visitor.page
    await agree(visitor)
    await fill_in(visitor, identity_number)
    for document in ("photo", "id_front"):
        await upload(visitor, home, document, portrait)
    await visitor.open(f"{home}/check")
    async with page.expect_navigation():
        await page.click("main a.govuk-button")
    await visitor.press()
    await sees_mistakes(visitor, 1)
    await page.check("[name=certain]")
    await visitor.press()
    assert visitor.path == f"{home}/sent"
    return await page.inner_text(".govuk-panel strong")


async def pay_by_card(visitor: Visitor, home: str) -> None:
    page = visitor.page
    async with page.expect_navigation():
        await page.click(f"main a[href='/payments/registrations/{home[-36:]}']")
    await page.wait_for_url("**/payments/orders/*")
    await visitor.look()
    await page.check("[name=way][value=card]")
    await page.click("main button[type=submit]")
    if not visitor.script:
        await page.wait_for_url("**/attempts/*")
        await page.click("main button[type=submit]")
    await page.wait_for_url("**/ecpay/cashier/*")
    async with page.expect_navigation():
        await page.click("button[value=pay]")
    await page.click("a[href*='/payments/orders/'], form[action*='/payments/hooks/'] button")
    await page.wait_for_url("**/payments/orders/*")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while PAID[visitor.language] not in await visitor.text():
            await page.reload()
    await visitor.look()


async def approve(registrar: Visitor, place: Place, reference: str) -> None:
    await sign_in_as(registrar, place, "registrar")

    async def waits_for_review() -> bool:
        await open_queue(registrar, AREA)
        return reference in await registrar.text()

    await eventually(waits_for_review, every=0.2)
    await take_next(registrar)
    assert reference in await registrar.text()
    await press(registrar, "approval")


@in_two_ways
async def test_from_the_countdown_to_the_letter_that_confirms(
    arrive: Arrive,
    place: Place,
    language: str,
    portrait: Path,
    identity_number: str,
    *,
    script: bool,
) -> None:
    visitor = await arrive(language, script=script)
    email, password = await place.add_candidate()
    await visitor.sign_in(email, password, next_page=SITTING)
    await wait_for_the_opening(visitor, place)
    home = await take_place(visitor)
    reference = await send(visitor, home, portrait, identity_number)
    await pay_by_card(visitor, home)

    await approve(await arrive(language, script=script), place, reference)

    await visitor.open(home)
    assert await visitor.page.locator("main a[href$='/form/person']").count() == 0
    # Before it came those about the place, the form and the money.
    letter = await visitor.open_letter(email, number=4)
    assert reference in letter
    assert CONFIRMED in letter
