"""The home page and each service's first page: found, readable, and usable by everybody."""

import pytest

from tests.journeys.conftest import Arrive
from tests.journeys.devices import LANGUAGES
from tests.journeys.visitor import in_two_ways

pytestmark = pytest.mark.browser

PAGES = ["/", "/enrollment/", "/payments/", "/scoring/", "/identity/", "/notify/"]


@in_two_ways
async def test_every_first_page_is_reached_from_the_home_page(
    arrive: Arrive, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    answer = await visitor.open("/")
    assert answer.status == 200
    hrefs = await visitor.page.eval_on_selector_all(
        "header a, main a, footer a", "links => links.map(a => a.getAttribute('href'))"
    )
    assert set(PAGES) <= set(hrefs)
    for path in PAGES:
        answer = await visitor.open(path)
        assert answer.status == 200, path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_language_switch_keeps_the_page(arrive: Arrive, language: str) -> None:
    visitor = await arrive(language, script=False)
    other = next(tag for tag in LANGUAGES if tag != language)
    for path in PAGES:
        await visitor.open(path)
        async with visitor.page.expect_navigation():
            await visitor.page.click(f"header a[hreflang='{other}']")
        visitor.language = other
        await visitor.look()
        assert visitor.path == path
        async with visitor.page.expect_navigation():
            await visitor.page.click(f"header a[hreflang='{language}']")
        visitor.language = language


async def test_by_keyboard_the_main_part_is_one_step_away(arrive: Arrive) -> None:
    visitor = await arrive("en")
    for path in PAGES:
        await visitor.open(path)
        await visitor.page.keyboard.press("Tab")
        assert await visitor.page.evaluate("document.activeElement.textContent") == (
            "Skip to main content"
        )
        await visitor.page.keyboard.press("Enter")
        await visitor.page.wait_for_url("**#main-content")


async def test_by_keyboard_one_walks_from_the_home_page_to_every_service(arrive: Arrive) -> None:
    visitor = await arrive("en")
    for path in PAGES[1:5]:
        await visitor.open("/")
        for _ in range(40):
            await visitor.page.keyboard.press("Tab")
            focused = "document.activeElement.getAttribute('href')"
            if await visitor.page.evaluate(focused) == path:
                break
        async with visitor.page.expect_navigation():
            await visitor.page.keyboard.press("Enter")
        assert visitor.path == path


async def test_an_address_that_leads_nowhere_says_so_in_both_languages(arrive: Arrive) -> None:
    for language in LANGUAGES:
        visitor = await arrive(language)
        answer = await visitor.page.goto(f"{visitor.url}/nowhere")
        assert answer is not None
        assert answer.status == 404
        await visitor.look()
