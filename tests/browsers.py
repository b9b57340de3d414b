"""The browser that tests look with, without what it does for people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from playwright.async_api import Browser, Page, async_playwright

from deploy.one_machine.installed import find_browser
from shared.static import DIST

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page is shown where the one before it was: to make another place for each takes a sixth of
    # all that a page takes.
    "--enable-features=RenderDocument:level/crashed-frame",
)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    program = find_browser()
    assert program, "there is no Chromium; ./examhall test installs it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        await browser.close()


# Frames are looked into as pages of their own: axe cannot run in a sandbox. Only what is wrong is
# brought over; all that is right takes longer than looking.
LOOK_FOR_VIOLATIONS = """
async () => {
  const found = await axe.run(document, { iframes: false, resultTypes: ["violations"] });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
}
"""


@cache
def _axe() -> str:
    return (DIST.parent / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def find_violations(page: Page) -> list[str]:
    """Let axe look for what keeps people from using this page."""
    await page.evaluate(_axe())
    found: list[str] = await page.evaluate(LOOK_FOR_VIOLATIONS)
    return found
