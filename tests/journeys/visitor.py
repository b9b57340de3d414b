"""A person with a phone: looks at pages, fills in forms, and notices what is wrong with them."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, Response

from tests.browsers import find_violations
from tests.journeys.devices import DESKTOP, PHONE, Devices

# Pages are not written twice: what is said does not depend on the script, nor the script on what is
# said. Two ways through a story see both languages, and both with and without script.
in_two_ways = pytest.mark.parametrize(
    ("language", "script"), [("zh-Hant-TW", True), ("en", False)], ids=["zh", "en without script"]
)
# A letter passes through two queues and a worker; it takes a second or two.
PATIENCE_SECONDS = 20


# What makes a page wider than its window, unless it lies in a part that scrolls by itself.
TOO_WIDE = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")]
    .filter((part) => part.getBoundingClientRect().right > room && !part.closest(".eh-scroll"))
    .map((part) => part.outerHTML.slice(0, 100));
}
"""


# Ids, moments, sums, secrets of links: what makes a page another one and looks the same.
NUMBERS = re.compile(r"[\w-]*[0-9][\w-]*", re.ASCII)
# A page that differs from another in words only is no harder to use, though perhaps too wide.
WORDS = re.compile(r'>[^<>]*\S[^<>]*<|(?:alt|aria-label|href|lang|title|value)="[^"]+"')
SEEN: set[int] = set()


def _is_new(markup: str) -> bool:
    """Whether no browser of this run has seen it."""
    is_new = hash(markup) not in SEEN
    SEEN.add(hash(markup))
    return is_new


@dataclass
class Visitor:
    """One browser, one page."""

    page: Page
    url: str
    language: str
    script: bool
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def arrive(cls, devices: Devices, url: str, *, language: str, script: bool) -> "Visitor":
        page = await devices.take(language, script=script)
        visitor = cls(page, url, language, script)
        page.on("console", visitor._hear)
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        return visitor

    def _hear(self, message: Any) -> None:
        # A refused form is told to the console as well; that is what it should be.
        if (
            message.type == "error"
            and "the server responded with a status of 4" not in message.text
        ):
            self.complaints.append(message.text)

    async def open(self, path: str) -> Response:
        answer = await self.page.goto(path if path.startswith("http") else self.url + path)
        assert answer is not None
        await self.look()
        return answer

    async def look(self) -> None:
        """Every page: in the right language, nothing runs off the phone, axe finds nothing.

        Axe is a script itself: it looks at what a browser shows that runs any.
        """
        page = self.page
        assert await page.get_attribute("html", "lang") == self.language, page.url
        assert await page.locator("h1").count() == 1, page.url
        markup = NUMBERS.sub("", await page.content())
        if _is_new(markup):
            await self._measure()
        if self.script and _is_new(WORDS.sub("…", markup)):
            assert await find_violations(page) == [], page.url
        assert self.complaints == [], page.url

    async def _measure(self) -> None:
        for size in (DESKTOP, PHONE):
            await self.page.set_viewport_size(size)
            wide = await self.page.evaluate(TOO_WIDE)
            assert wide == [], f"{self.page.url} at {size}: {wide}"

    async def fill(self, **answers: str) -> None:
        for name, answer in answers.items():
            await self.page.fill(f"main [name={name}]", answer)

    async def press(self, text: str = "") -> None:
        """Press a button of the page, by its words or the first there is."""
        button = self.page.locator("main button[type=submit]")
        button = button.filter(has_text=text) if text else button
        async with self.page.expect_navigation():
            await button.first.click()
        await self.look()

    async def follow(self, text: str) -> None:
        async with self.page.expect_navigation():
            await self.page.locator("a").filter(has_text=text).first.click()
        await self.look()

    async def sign_in(self, email: str, password: str, *, next_page: str = "") -> None:
        await self.open(f"/identity/sign-in?next={next_page}")
        await self.fill(email=email, password=password)
        await self.press()

    async def send(self, path: str, **answers: str) -> str:
        """Send a form that another journey is about, and read the answer without looking at it."""
        answer = await self.page.context.request.post(
            self.url + path,
            form=dict(answers),
            headers={"Sec-Fetch-Site": "same-origin"},
            fail_on_status_code=True,
        )
        return await answer.text()

    async def open_letter(self, address: str, *, number: int = 1) -> str:
        """Wait for somebody's nth letter, follow its link if it has one, and say what it says."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await self.page.goto(f"{self.url}/notify/mailbox/?address={quote(address)}")
                letter = self.page.locator("main table a")
                if await letter.count() >= number:
                    break
                await asyncio.sleep(0.2)
        async with self.page.expect_navigation():
            await letter.first.click()
        await self.look()
        words = await self.page.inner_text("pre")
        link = self.page.locator("main a[href*='/identity/letters/']")
        if await link.count():
            async with self.page.expect_navigation():
                await link.first.click()
            await self.look()
        return words

    async def text(self) -> str:
        return await self.page.inner_text("body")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.url).partition("?")[0]

    async def is_signed_in(self) -> bool:
        return await self.page.locator("header form[action='/identity/sign-out']").count() == 1

    async def sign_out(self) -> None:
        async with self.page.expect_navigation():
            await self.page.click("header form[action='/identity/sign-out'] button")
        await self.look()
