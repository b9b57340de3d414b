"""Accounts: opened by letter, signed in to, changed, locked for strangers, left, deleted."""

from uuid import uuid4

import pytest

from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import LANGUAGES
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

PASSWORD = "a sentence of my own"
NEW_PASSWORD = "another sentence of mine"


def new_address() -> str:
    return f"{uuid4().hex[:10]}@exam.example"


async def sign_up(visitor: Visitor, address: str) -> None:
    """From the home page to an open account."""
    await visitor.open("/")
    await visitor.page.locator("header a[href='/identity/sign-in']").click()
    await visitor.page.locator("main a[href='/identity/sign-up']").click()
    await visitor.look()
    await visitor.fill(
        person="王大同",
        email=address,
        email_again=address,
        password=PASSWORD,
        password_again=PASSWORD,
    )
    await visitor.page.check("[name=terms]")
    await visitor.press()
    assert visitor.path == "/identity/sign-up/sent"
    await visitor.open_letter(address)
    await visitor.press()
    assert visitor.path == "/identity/"


@in_two_ways
async def test_from_the_home_page_to_an_account_and_out_again(
    arrive: Arrive, language: str, *, script: bool
) -> None:
    address = new_address()
    visitor = await arrive(language, script=script)
    await sign_up(visitor, address)
    assert await visitor.is_signed_in()
    assert address in await visitor.text()
    assert await visitor.page.locator("[role=status]").count() == 1, "it says what was done"

    other = next(tag for tag in LANGUAGES if tag != language)
    await visitor.page.select_option("#language", other)
    visitor.language = other
    await visitor.press({"en": "Use this language", "zh-Hant-TW": "使用此語言"}[language])
    assert await visitor.is_signed_in()

    await visitor.sign_out()
    assert not await visitor.is_signed_in()
    await visitor.sign_in(address, PASSWORD, next_page="/enrollment/")
    assert visitor.path == "/enrollment/"
    assert await visitor.is_signed_in()


@in_two_ways
async def test_a_form_with_mistakes_says_what_to_do_and_keeps_what_was_typed(
    arrive: Arrive, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    await visitor.open("/identity/sign-up")
    await visitor.fill(
        person="王大同",
        email="one@exam.example",
        email_again="two@exam.example",
        password="12345678",
    )
    await visitor.press()
    page = visitor.page
    title = {"en": "Error: ", "zh-Hant-TW": "錯誤："}[language]
    assert (await page.title()).startswith(title)
    summary = page.locator(".govuk-error-summary a")
    for number in range(await summary.count()):
        words = await summary.nth(number).inner_text()
        target = await summary.nth(number).get_attribute("href")
        assert target
        assert await page.locator(target).count() == 1, words
        assert await page.locator(".govuk-error-message", has_text=words).count() == 1, words
    assert await page.input_value("[name=person]") == "王大同"
    assert await page.input_value("[name=email]") == "one@exam.example"
    assert await page.input_value("[name=password]") == ""
    if script:
        focused = "document.activeElement.classList.contains('govuk-error-summary')"
        assert await page.evaluate(focused)


async def test_signing_in_by_keyboard_alone(arrive: Arrive, place: Place) -> None:
    person = place.people["candidate"]
    visitor = await arrive("en")
    await visitor.open("/identity/sign-in")
    keyboard = visitor.page.keyboard
    for _ in range(30):
        await keyboard.press("Tab")
        if await visitor.page.evaluate("document.activeElement.name") == "email":
            break
    await keyboard.type(person["email"])
    await keyboard.press("Tab")
    await keyboard.type(person["password"])
    async with visitor.page.expect_navigation():
        await keyboard.press("Enter")
    assert await visitor.is_signed_in()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_forgotten_password_is_replaced(arrive: Arrive, language: str) -> None:
    address = new_address()
    visitor = await arrive(language)
    await sign_up(visitor, address)
    elsewhere = await arrive(language, script=False)
    await elsewhere.open("/identity/sign-in")
    async with elsewhere.page.expect_navigation():
        await elsewhere.page.click("main a[href='/identity/forgotten-password']")
    await elsewhere.fill(email=address)
    await elsewhere.press()
    await elsewhere.open_letter(address, number=2)
    await elsewhere.fill(password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    await elsewhere.press()
    assert await elsewhere.is_signed_in()
    await visitor.open("/identity/")
    assert not await visitor.is_signed_in(), "whoever knew the old one is out"
    assert PASSWORD not in await elsewhere.open_letter(address, number=3)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_another_address(arrive: Arrive, language: str) -> None:
    old, new = new_address(), new_address()
    visitor = await arrive(language)
    await sign_up(visitor, old)
    await visitor.page.click("main a[href='/identity/account/address']")
    await visitor.look()
    await visitor.fill(email=new, email_again=new, present=PASSWORD)
    await visitor.press()
    await visitor.open_letter(new)
    await visitor.press()
    assert new in await visitor.text()
    assert old not in await visitor.text()
    await visitor.open_letter(old, number=2)
    await visitor.sign_out()
    await visitor.sign_in(new, PASSWORD)
    assert await visitor.is_signed_in()


async def test_a_stranger_is_locked_out_and_the_own_device_is_not(arrive: Arrive) -> None:
    address = new_address()
    owner = await arrive("en")
    await sign_up(owner, address)
    await owner.sign_out()
    stranger = await arrive("en", script=False)
    for _ in range(5):
        await stranger.sign_in(address, "a guess")
    assert "more than three wrong tries" in await stranger.text()
    await stranger.sign_in(address, PASSWORD)
    assert not await stranger.is_signed_in()
    await owner.sign_in(address, PASSWORD)
    assert await owner.is_signed_in()


async def test_signing_out_everywhere_is_seen_by_another_service_at_once(arrive: Arrive) -> None:
    address = new_address()
    visitor, elsewhere = await arrive("en"), await arrive("en")
    await sign_up(visitor, address)
    await elsewhere.sign_in(address, PASSWORD, next_page="/payments/")
    assert await elsewhere.is_signed_in()
    await visitor.press("Sign out all other devices")
    assert await visitor.is_signed_in()
    for _ in range(50):
        await elsewhere.open("/payments/")
        if not await elsewhere.is_signed_in():
            break
    assert not await elsewhere.is_signed_in()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_deleted_account_says_goodbye(arrive: Arrive, language: str) -> None:
    address = new_address()
    visitor = await arrive(language)
    await sign_up(visitor, address)
    await visitor.page.click("main a[href='/identity/account/closing']")
    await visitor.look()
    await visitor.fill(present=PASSWORD)
    await visitor.press()
    assert visitor.path == "/identity/closed"
    assert not await visitor.is_signed_in()
    await visitor.open_letter(address, number=2)
    await visitor.sign_in(address, PASSWORD)
    assert not await visitor.is_signed_in()


@in_two_ways
async def test_signing_in_with_google(arrive: Arrive, language: str, *, script: bool) -> None:
    address = new_address()
    visitor = await arrive(language, script=script)
    page = visitor.page
    for _ in range(2):  # the first time opens the account, the second finds it
        await visitor.open("/identity/sign-in?next=/enrollment/")
        await page.click("main a[href^='/identity/google']")
        await page.wait_for_url("**/oidc/**")
        await page.fill("#name", "吳美玲")
        await page.fill("#email", address)
        await page.click("button[value=typed]")
        await page.wait_for_url("**/enrollment/")
        await visitor.look()
        assert "吳美玲" in await visitor.text()
        await visitor.sign_out()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_google_gets_into_a_known_account_only_after_its_password(
    arrive: Arrive, language: str
) -> None:
    address = new_address()
    visitor = await arrive(language)
    await sign_up(visitor, address)
    await visitor.sign_out()
    await visitor.open("/identity/sign-in")
    await visitor.page.click("main a[href^='/identity/google']")
    await visitor.page.wait_for_url("**/oidc/**")
    await visitor.page.fill("#email", address)
    await visitor.page.click("button[value=typed]")
    await visitor.page.wait_for_url("**/identity/google/link")
    await visitor.look()
    assert not await visitor.is_signed_in()
    await visitor.fill(password=PASSWORD)
    await visitor.press()
    assert await visitor.is_signed_in()
