"""The pages in a real browser: by keyboard, without script, with a wrong clock, and by axe."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, ViewportSize
from pydantic import BaseModel, SecretStr

from shared.forms import Form, Says
from shared.i18n import LANGUAGES, Catalogues, switch_language
from shared.static import StaticFiles
from shared.templates import TEMPLATES, Templates, render
from tests.browsers import find_violations, open_browser

IDENTITY = Path(__file__).parents[3] / "services" / "identity"
PHONE = ViewportSize(width=360, height=740)
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"

pytestmark = pytest.mark.browser

TIMES = (
    '{% extends "layout.html" %}{% from "macros/times.html" import countdown %}'
    "{% block title %}Soon{% endblock %}"
    "{% block main %}<h1>Soon</h1>{{ countdown(at, now) }}{% endblock %}"
)
WAITING = (
    '{% extends "layout.html" %}{% block title %}Waiting{% endblock %}{% block main %}'
    "<h1>{{ told }}</h1>{% if told < 3 %}<p data-poll='0.05'>Still {{ told }}</p>{% endif %}"
    "{% endblock %}"
)


class SignIn(BaseModel):
    email: Annotated[str, Says("Enter your name")]
    password: Annotated[SecretStr, Says("Enter your password")]


class Site:
    """Pages that show the shared parts, and a few that only the script's tests need."""

    def __init__(self, scrap: Path) -> None:
        (scrap / "times.html").write_text(TIMES)
        (scrap / "waiting.html").write_text(WAITING)
        self.sent: list[str] = []
        self.looks = 0
        self.static = StaticFiles.load()
        self.app = web.Application(middlewares=[switch_language(secure=False)])
        self.app.on_response_prepare.append(self._guard)
        self.app.add_routes(self.static.routes())
        self.app[TEMPLATES] = self._templates(scrap)
        self.app.router.add_get("/", self._page("public/home.html"))
        form = self._page("public/sign_in.html", form=Form.blank(SignIn), with_issuer=False)
        self.app.router.add_get("/identity/sign-in", form)
        self.app.router.add_post("/identity/sign-in", self._sign_in)
        self.app.router.add_get("/missing", self._page("problem.html", status=404, reference="r"))
        self.app.router.add_get("/refused", self._page("refused.html", refusal="No"))
        self.app.router.add_get("/times", self._times)
        self.app.router.add_get("/waiting", self._waiting)

    def _templates(self, scrap: Path) -> Templates:
        catalogues = Catalogues([IDENTITY / "locales"])
        folders = [IDENTITY / "templates", scrap]
        return Templates(folders, static=self.static, catalogues=catalogues)

    def _page(self, template: str, **context: Any) -> Any:
        async def page(request: web.Request) -> web.Response:
            return render(request, template, **context)

        return page

    async def _guard(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = CSP

    async def _sign_in(self, request: web.Request) -> web.Response:
        form = Form.read(SignIn, await request.post())
        self.sent.append(form.typed["email"])
        await asyncio.sleep(0.3)  # time enough for a second click
        form.add_error("email", "Check this answer")
        return render(request, "public/sign_in.html", status=422, form=form, with_issuer=False)

    async def _times(self, request: web.Request) -> web.Response:
        now = datetime.now(UTC)
        return render(request, "times.html", now=now, at=now + timedelta(hours=30))

    async def _waiting(self, request: web.Request) -> web.Response:
        self.looks += 1
        return render(request, "waiting.html", told=self.looks)


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
async def address(site: Site) -> AsyncIterator[str]:
    async with TestServer(site.app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


async def open_page(browser: Browser, **options: Any) -> Page:
    context = await browser.new_context(viewport=PHONE, **options)
    return await context.new_page()


PATHS = ["/", "/missing", "/refused", "/times", "/identity/sign-in"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_axe_finds_nothing_and_nothing_runs_off_a_phone(
    browser: Browser, address: str, language: str
) -> None:
    page = await open_page(browser, locale=language)
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PATHS:
        await page.goto(address + path)
        assert await page.locator("html").get_attribute("lang") == language
        assert await find_violations(page) == [], path
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
    assert [line for line in complaints if "404" not in line] == []


async def test_what_axe_finds_wrong_is_told(browser: Browser) -> None:
    page = await open_page(browser)
    await page.set_content("<main><h1>Soon</h1><input></main>")
    assert any("<input>" in violation for violation in await find_violations(page))


async def test_the_keyboard_comes_first_to_the_skip_link(browser: Browser, address: str) -> None:
    page = await open_page(browser)
    await page.goto(address)
    await page.keyboard.press("Tab")
    link = page.locator(".govuk-skip-link:focus")
    assert await link.is_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.locator("main a:focus").count() == 1


@pytest.mark.parametrize("script", [True, False])
async def test_a_refused_form_is_usable_with_and_without_script(
    browser: Browser, address: str, script: bool
) -> None:
    page = await open_page(browser, java_script_enabled=script, locale="en")
    await page.goto(f"{address}/identity/sign-in")
    await page.fill("#email", "me")
    await page.press("#email", "Enter")
    await page.wait_for_selector(".govuk-error-summary")
    assert await page.title() == "Error: Sign in – Examhall"
    assert await page.input_value("#email") == "me"
    if script:
        assert await page.locator(".govuk-error-summary:focus").count() == 1
    await page.click(".govuk-error-summary a >> nth=0")
    await page.keyboard.type("x")
    assert "x" in await page.input_value("#email")


async def test_a_second_click_sends_nothing(browser: Browser, site: Site, address: str) -> None:
    page = await open_page(browser)
    await page.goto(f"{address}/identity/sign-in")
    await page.fill("#email", "once")
    await page.dblclick("main button")
    await page.wait_for_selector(".govuk-error-summary")
    assert site.sent == ["once"]


async def test_a_countdown_does_not_believe_the_clock_of_the_device(
    browser: Browser, address: str
) -> None:
    page = await open_page(browser, locale="en")
    await page.add_init_script("const now = Date.now; Date.now = () => now() + 86400000 * 400")
    await page.goto(f"{address}/times")
    left = page.locator(".eh-countdown__left")
    await left.wait_for()
    assert re.fullmatch(r"1 day (06:00:00|05:59:5\d)", await left.inner_text())


async def test_a_countdown_without_script_is_not_shown(browser: Browser, address: str) -> None:
    page = await open_page(browser, java_script_enabled=False)
    await page.goto(f"{address}/times")
    assert not await page.locator(".eh-countdown").is_visible()


async def test_a_waiting_page_looks_again_until_there_is_news(
    browser: Browser, address: str
) -> None:
    page = await open_page(browser)
    await page.goto(f"{address}/waiting")
    await page.wait_for_selector("main:not(:has([data-poll]))")


async def test_the_language_can_be_switched_by_a_link(browser: Browser, address: str) -> None:
    page = await open_page(browser, java_script_enabled=False, locale="zh-TW")
    await page.goto(f"{address}/identity/sign-in?next=7")
    await page.click("text=English")
    assert page.url == f"{address}/identity/sign-in?next=7"
    assert await page.locator("h1").inner_text() == "Sign in"
