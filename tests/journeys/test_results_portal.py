"""The results service as candidates use it: register, log in, forget, change, and leave."""

import random
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio

from shared import db
from shared.vault import Vault
from tests.identity.holders import NEW_PASSWORD, PASSWORD, SECRET, another, tell
from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import LANGUAGES
from tests.journeys.visitor import Visitor, in_two_ways
from tests.site import SECRET as HOUSE_SECRET

pytestmark = pytest.mark.browser

SUCCESS = {"en": "Registration successful", "zh-Hant-TW": "註冊成功"}
WRONG = {
    "en": "Unable to authenticate user. Please check your details and try again.",
    "zh-Hant-TW": "無法確認使用者身分，請檢查您輸入的資料後再試一次。",
}
LOG_IN = {"en": "Log in", "zh-Hant-TW": "登入"}
SAVE = {"en": "Save", "zh-Hant-TW": "儲存"}


def new_address() -> str:
    return f"{uuid4().hex[:10]}@exam.example"


@pytest_asyncio.fixture(loop_scope="package")
async def id_number(place: Place) -> str:
    """Somebody's whom a centre has just entered."""
    number = f"JRN{random.randrange(10**6):06}"
    pool = await db.create_pool(place.environment["IDENTITY_DATABASE_URL"], application="journeys")
    vault = Vault.from_setting(HOUSE_SECRET)
    await tell(pool, another(vault, number, recorded_at=datetime.now(UTC)))
    await pool.close()
    return number


async def register(visitor: Visitor, id_number: str, address: str, *, secret: str = SECRET) -> None:
    """From the home page to the words of the guides."""
    await visitor.open("/")
    await visitor.page.locator("main a[href='/identity/results/']").click()
    await visitor.look()
    await visitor.page.locator("main a[href='/identity/results/registration']").click()
    await visitor.look()
    await fill(visitor, id_number, address, secret=secret)
    await visitor.press()
    assert visitor.path == "/identity/results/"
    assert SUCCESS[visitor.language] in await visitor.text()


async def fill(visitor: Visitor, id_number: str, address: str, *, secret: str = SECRET) -> None:
    await visitor.fill(
        id_number=id_number,
        secret_number=secret,
        email=address,
        email_again=address,
        password=PASSWORD,
        password_again=PASSWORD,
    )
    await visitor.page.check("[name=terms][value=agreed]")


async def log_in(visitor: Visitor, id_number: str, password: str = PASSWORD) -> None:
    await visitor.open("/identity/results/")
    await visitor.fill(id_number=id_number, password=password)
    await visitor.press(LOG_IN[visitor.language])


@in_two_ways
async def test_from_the_confirmation_of_entry_to_the_results_and_out_again(
    arrive: Arrive, id_number: str, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    address = new_address()
    await register(visitor, id_number, address)
    await log_in(visitor, id_number, "Wrong123")
    assert WRONG[language] in await visitor.text()
    await visitor.fill(password=PASSWORD)
    await visitor.press(LOG_IN[language])
    assert visitor.path == "/scoring/"
    assert await visitor.is_signed_in()

    await visitor.open("/identity/")
    assert visitor.path == "/identity/results/details/"
    assert address in await visitor.text()
    await visitor.page.check("#updates")
    await visitor.press(SAVE[language])
    assert await visitor.page.is_checked("#updates")
    await visitor.sign_out()
    assert not await visitor.is_signed_in()


@in_two_ways
async def test_mistakes_are_shown_where_they_are_and_reset_empties_the_form(
    arrive: Arrive, id_number: str, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    page = visitor.page
    await visitor.open("/identity/results/registration")
    await fill(visitor, id_number, new_address())
    await visitor.fill(email_again=new_address(), password="abcdefg1")
    await page.check("[name=terms][value='not agreed']")
    await visitor.press()
    summary = page.locator(".govuk-error-summary a")
    assert await summary.count() == 3
    for number in range(3):
        words = await summary.nth(number).inner_text()
        target = await summary.nth(number).get_attribute("href")
        assert target
        assert await page.locator(target).count() == 1, words
        assert await page.locator(".govuk-error-message", has_text=words).count() == 1, words
    assert await page.input_value("[name=id_number]") == id_number
    assert await page.input_value("[name=secret_number]") == ""

    await visitor.open("/identity/results/registration")
    await fill(visitor, id_number, new_address())
    await page.click("button[type=reset]")
    assert await page.input_value("[name=id_number]") == ""
    assert not await page.is_checked("[name=terms][value=agreed]")
    await page.locator("main form a[href='/identity/results/help']").click()
    await visitor.look()
    await page.locator("main a[href='/identity/results/terms']").click()
    await visitor.look()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_forgotten_password_is_replaced_by_letter(
    arrive: Arrive, id_number: str, language: str
) -> None:
    address = new_address()
    owner, elsewhere = await arrive(language), await arrive(language, script=False)
    await register(owner, id_number, address)
    await log_in(owner, id_number)
    await elsewhere.open("/identity/results/")
    async with elsewhere.page.expect_navigation():
        await elsewhere.page.click("main a[href='/identity/results/forgotten-password']")
    await elsewhere.look()
    await elsewhere.fill(id_number=id_number)
    await elsewhere.press()
    assert id_number not in await elsewhere.open_letter(address)
    await elsewhere.fill(password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    await elsewhere.press()
    await log_in(elsewhere, id_number, NEW_PASSWORD)
    assert await elsewhere.is_signed_in()
    await owner.open("/identity/results/")
    assert not await owner.is_signed_in(), "whoever knew the old one is out"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_details_are_changed_and_the_account_is_left(
    arrive: Arrive, id_number: str, language: str
) -> None:
    old, new = new_address(), new_address()
    visitor = await arrive(language)
    await register(visitor, id_number, old)
    await log_in(visitor, id_number)
    await visitor.open("/identity/results/details/address")
    await visitor.fill(email=new, email_again=new, present=PASSWORD)
    await visitor.press()
    await visitor.open_letter(new)
    await visitor.press()
    await visitor.open("/identity/results/details/password")
    await visitor.fill(present=PASSWORD, password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    await visitor.press()
    assert re.search(rf"{new}\b", await visitor.text())
    await visitor.page.click("main a[href='/identity/results/details/closing']")
    await visitor.look()
    await visitor.fill(present=NEW_PASSWORD)
    await visitor.press()
    assert visitor.path == "/identity/closed"
    await log_in(visitor, id_number, NEW_PASSWORD)
    assert WRONG[language] in await visitor.text()


async def test_a_stranger_is_locked_out_and_the_own_device_is_not(
    arrive: Arrive, id_number: str
) -> None:
    owner, stranger = await arrive("en"), await arrive("en", script=False)
    await register(owner, id_number, new_address())
    await log_in(owner, id_number)
    await owner.sign_out()
    for _ in range(5):
        await log_in(stranger, id_number, "Guess123")
    assert "more than three times. You will not be able" in await stranger.text()
    await log_in(stranger, id_number)
    assert not await stranger.is_signed_in()
    await log_in(owner, id_number)
    assert await owner.is_signed_in()
