"""Devices that visitors come with. Whoever leaves one leaves nothing behind on it."""

from collections import defaultdict

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

PHONE = ViewportSize(width=360, height=740)
DESKTOP = ViewportSize(width=1280, height=900)
LOCALES = {"zh-Hant-TW": "zh-TW", "en": "en-GB"}
LANGUAGES = list(LOCALES)


class Devices:
    """Windows that share nothing with each other, nor with whoever had them before.

    To make one takes half a second of a core, and hundreds are asked for: they are used again.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[tuple[str, bool], list[BrowserContext]] = defaultdict(list)
        self._taken: list[tuple[tuple[str, bool], BrowserContext]] = []

    async def take(self, language: str, *, script: bool) -> Page:
        kind = language, script
        device = self._free[kind].pop() if self._free[kind] else await self._make(*kind)
        self._taken.append((kind, device))
        return device.pages[0]

    async def take_back(self) -> None:
        """All who had one are gone."""
        while self._taken:
            kind, device = self._taken.pop()
            await _forget(device)
            self._free[kind].append(device)

    async def _make(self, language: str, script: bool) -> BrowserContext:
        device = await self._browser.new_context(
            viewport=PHONE, locale=LOCALES[language], java_script_enabled=script
        )
        device.set_default_timeout(15_000)
        await device.new_page()
        return device


async def _forget(device: BrowserContext) -> None:
    """Make it as new: no cookie, no page kept to be shown again, one window that shows nothing.

    No page of ours keeps anything else.
    """
    before = device.pages
    page = await device.new_page()
    for each in before:
        await each.close()
    await device.clear_cookies()
    tools = await device.new_cdp_session(page)
    await tools.send("Network.clearBrowserCache")
    await tools.detach()
