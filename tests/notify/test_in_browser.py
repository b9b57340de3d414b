"""Letters and the pages about them in a real browser: on a phone, by axe, in both languages."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from services.notify import owed
from shared.auth import Role
from shared.i18n import LANGUAGES
from tests.browsers import find_violations, open_browser
from tests.conftest import MakeDatabase
from tests.notify.conftest import House, MakeHouse
from tests.notify.conftest import owed as owe
from tests.notify.samples import owed_for
from tests.site import Site, open_site

SIZES = {
    "phone": ViewportSize(width=360, height=740),
    "desk": ViewportSize(width=1280, height=900),
}
# Where pictures go, for whoever wants to look.
PICTURES = os.environ.get("EXAMHALL_TEST_PICTURES")

pytestmark = pytest.mark.browser


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "notify") as site:
        await site.deliver()
        yield site


@pytest.fixture
def house(site: Site, make_house: MakeHouse) -> House:
    made = make_house(
        database_url=str(site.settings["notify"].database_url),
        channel="mailbox",
        EXAMHALL_PUBLIC_URL=str(site.client.make_url("/")),
    )
    made.pool = site.pools["notify"]
    return made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


async def fill(house: House, language: str) -> str:
    """Have one letter of each kind sent, one fail, and an address marked; return a letter's id."""
    for event in owed.LETTERS:
        letter = owed_for(event)
        await house.owe(owe(template=letter.template, context=letter.context, language=language))
    await house.owe(owe(recipient="no address", language=language))
    await house.send_until("sent", "failed")
    await house.pool.execute(
        "INSERT INTO undeliverable (address_key, kind, marked_at) "
        "VALUES ('gone.with.a.rather.long.name@exam.example', 'permanent', now())"
    )
    found = await house.pool.fetchval("SELECT id FROM letters WHERE template = 'password_changed'")
    return str(found)


async def look(page: Page, name: str) -> None:
    """Nothing runs off the side, and axe finds nothing."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
        if await page.locator("iframe").count():  # what was never in sight is not painted
            await page.locator("iframe").screenshot(path=Path(PICTURES) / f"{name}-frame.png")
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
    assert await find_violations(page) == [], name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_axe_finds_nothing_and_nothing_runs_off_the_side(
    browser: Browser, site: Site, house: House, language: str, size: str
) -> None:
    letter_id = await fill(house, language)
    _, cookie = await site.begin_session(Role.ADMINISTRATOR)
    base = str(site.client.make_url("")).rstrip("/")
    name, _, value = cookie["Cookie"].partition("=")
    context = await browser.new_context(viewport=SIZES[size], locale=language)
    await context.add_cookies([{"name": name, "value": value, "url": base}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    for place, path in {
        "mailbox": "/notify/mailbox/",
        "mailbox_letter": "/notify/mailbox/1",
        "staff": "/notify/staff/",
        "letters": "/notify/staff/letters",
        "letter": f"/notify/staff/letters/{letter_id}",
        "marks": "/notify/staff/undeliverable",
    }.items():
        await page.goto(base + path)
        assert await page.locator("html").get_attribute("lang") == language
        for frame in page.frames[1:]:
            assert "王大同" in await frame.locator("body").inner_text(), "the letter is shown"
        await look(page, f"{place}-{size}-{language}")
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_letters_are_readable_on_a_phone_and_by_axe(
    browser: Browser, site: Site, house: House, language: str, size: str
) -> None:
    await fill(house, language)
    context = await browser.new_context(viewport=SIZES[size], bypass_csp=True)
    page = await context.new_page()
    for row in await house.pool.fetch("SELECT number, subject, html FROM mailbox ORDER BY number"):
        await page.set_content(row["html"])
        await look(page, f"letter{row['number']}-{size}-{language}")


async def test_a_link_in_a_letter_opens_beside_it_and_nothing_else_gets_out_of_its_frame(
    browser: Browser, site: Site, house: House
) -> None:
    await house.owe(owe())
    await house.send_until("sent")
    page = await (await browser.new_context(viewport=SIZES["desk"])).new_page()
    await page.goto(str(site.client.make_url("/notify/mailbox/1")))
    letter = page.frame_locator("iframe")
    async with page.context.expect_page() as opened:
        await letter.locator("a.action").click()
    assert (await opened.value).url.endswith("/identity/sign-in")
    frame = page.frames[1]
    assert await frame.evaluate("self.origin") == "null"


async def test_a_letter_is_found_and_sent_again_by_keyboard_and_without_script(
    browser: Browser, site: Site, house: House
) -> None:
    await house.owe(owe())
    await house.send_until("sent")
    _, cookie = await site.begin_session(Role.ADMINISTRATOR)
    base = str(site.client.make_url("")).rstrip("/")
    name, _, value = cookie["Cookie"].partition("=")
    context = await browser.new_context(
        viewport=SIZES["phone"], java_script_enabled=False, locale="en"
    )
    await context.add_cookies([{"name": name, "value": value, "url": base}])
    page = await context.new_page()
    await page.goto(f"{base}/notify/staff/letters")
    await page.focus("#address")
    await page.keyboard.type("candidate0@")
    await page.keyboard.press("Enter")
    assert page.url == f"{base}/notify/staff/letters", "whom one searches for is not in it"
    await page.focus("td a")
    await page.keyboard.press("Enter")
    await page.locator("h1:has-text('Your password was changed')").wait_for()
    await page.focus("text=Send again")
    await page.keyboard.press("Enter")
    await page.locator("dd:has-text('waiting')").wait_for()
    assert (await house.letter())["round"] == 2
