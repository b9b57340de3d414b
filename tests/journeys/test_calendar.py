"""The calendar on a phone: found, read, waited at; and a registrar who changes it."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import expect

from tests.enrollment.catalogues import SMALL
from tests.eventually import eventually
from tests.journeys.conftest import ROOT, Arrive, Place
from tests.journeys.test_staff import sign_in_as
from tests.journeys.visitor import Visitor, in_two_ways

pytestmark = pytest.mark.browser

HAKKA = "/enrollment/sittings/hakka-115-basic-n02"  # which no other story opens
OPEN, COMING = "/enrollment/sittings/tea-open", "/enrollment/sittings/tea-coming"
STAFF = "/enrollment/staff"


@pytest.fixture(scope="package")
def tea(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A programme with a sitting that is open today, and one that opens in a month."""
    begin = SMALL.index("[[level_groups.series.sittings]]")
    text = SMALL[:begin]
    today = datetime.now(UTC).date()
    for number, (code, opens) in enumerate((("tea-open", -9), ("tea-coming", 30)), start=1):
        days = {
            'code = "tea-2026-first-1"': f'code = "{code}"',
            "number = 1": f"number = {number}",
            "2026-02-01": in_days(today, opens),
            "2026-02-28": in_days(today, opens + 30),
            "2026-03-20": in_days(today, 90),
            "2026-04-01": in_days(today, 100),
            "2026-05-01": in_days(today, 130),
        }
        sitting = SMALL[begin:]
        for old, new in days.items():
            sitting = sitting.replace(old, new)
        text += sitting
    file = tmp_path_factory.mktemp("catalogue") / "tea.toml"
    file.write_text(text)
    load(place, file)


def in_days(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def load(place: Place, file: Path) -> None:
    words = ["-m", "services.enrollment.app", "catalogue", "load", str(file)]
    subprocess.run([sys.executable, *words], cwd=ROOT, env=place.environment, check=True)


@in_two_ways
@pytest.mark.usefixtures("tea")
async def test_from_the_calendar_to_a_sitting_and_to_signing_in(
    arrive: Arrive, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    page = visitor.page
    await shows(visitor, "/enrollment/", f"main a[href='{OPEN}']")
    for address in (HAKKA, OPEN, COMING):
        assert await page.locator(f"main .eh-row a[href='{address}']").count() == 1
    if script:
        for summary in await page.locator("summary").all():
            await summary.click()
        await visitor.look()
    async with page.expect_navigation():
        await page.locator(f"main .eh-row a[href='{COMING}']").click()
    await visitor.look()
    assert await page.locator("[data-countdown]").is_visible() == script
    assert await page.locator("main form").count() == 0
    await visitor.open(OPEN)
    async with page.expect_navigation():
        await page.locator("main a.govuk-button").click()
    assert visitor.path == "/identity/sign-in"
    await visitor.open(HAKKA)
    shown = await visitor.text()
    assert ("2026年9月20日（星期日）" if language != "en" else "Sunday 20 September 2026") in shown


@pytest.mark.usefixtures("tea")
async def test_a_candidate_sees_the_form_with_every_area(arrive: Arrive, place: Place) -> None:
    person = place.people["candidate"]
    visitor = await arrive("zh-Hant-TW")
    await visitor.sign_in(person["email"], person["password"], next_page=OPEN)
    assert visitor.path == OPEN
    assert await visitor.page.locator("main input[type=radio]").count() == 2
    assert await visitor.page.locator("main form button").inner_text() == "確定選取"


@pytest.mark.usefixtures("tea")
async def test_who_waits_with_a_wrong_clock_is_let_in_when_it_opens(
    arrive: Arrive, place: Place
) -> None:
    visitor = await arrive("en")
    await visitor.page.add_init_script("Date.now = () => 0")
    await open_in(place, timedelta(seconds=8))
    try:
        left = visitor.page.locator(".eh-countdown__left")

        async def counts_seconds() -> bool:
            await visitor.open(COMING)
            return (await left.inner_text()).startswith("00:00:0")

        await eventually(counts_seconds, every=0.2)
        await expect(visitor.page.locator("main a.govuk-button")).to_have_text(
            "Sign in to take a place", timeout=30_000
        )
    finally:
        await open_in(place, timedelta(days=30))


async def open_in(place: Place, wait: timedelta) -> None:
    connection = await asyncpg.connect(place.environment["ENROLLMENT_DATABASE_URL"])
    await connection.execute(
        "UPDATE sittings SET opens_at = now() + $1 WHERE code = 'tea-coming'", wait
    )
    await connection.close()


async def shows(visitor: Visitor, path: str, part: str) -> None:
    """Look until the page is no longer the one that was read before."""

    async def there() -> bool:
        await visitor.page.goto(visitor.url + path)
        return await visitor.page.locator(part).count() > 0

    await eventually(there, every=0.2)
    await visitor.look()


@in_two_ways
@pytest.mark.usefixtures("tea")
async def test_a_registrar_changes_what_there_is(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    visitor = await arrive(language, script=script)
    page = visitor.page
    await sign_in_as(visitor, place, "registrar")
    for path in (
        "",
        "/programmes/new",
        "/programmes/hakka-115",
        "/programmes/hakka-115/levels/new",
        "/programmes/hakka-115/levels/basic",
        "/programmes/hakka-115/levels/basic/details",
        "/programmes/hakka-115/levels/basic/series/multi",
        "/programmes/hakka-115/levels/basic/series/new",
        "/sittings/hakka-115-basic-n01",
        "/sittings/tea-coming",
        "/sittings/hakka-115-basic-n01/details",
        "/sittings/tea-open/window",
    ):
        answer = await visitor.open(f"{STAFF}{path or '/'}")
        assert answer.status == 200, path
    await visitor.open(f"{STAFF}/catalogue")
    await visitor.fill(words="tea-open")
    await visitor.press()
    async with page.expect_navigation():
        await page.locator(f"main table a[href='{STAFF}/sittings/tea-open']").click()
    async with page.expect_navigation():
        await page.locator("main table a[href$='/places/shore']").click()
    await visitor.fill(capacity="-1")
    await visitor.press()
    assert await page.input_value("[name=capacity]") == "-1"
    assert await page.locator(".govuk-error-summary").count() == 1
    await visitor.fill(capacity="12")
    await visitor.press()
    assert visitor.path == f"{STAFF}/sittings/tea-open"
    assert (
        "12"
        in await page.locator(
            "main tr", has_text="海邊" if language != "en" else "Shore"
        ).inner_text()
    )

    await visitor.open(f"{STAFF}/programmes/tea-2026/levels/first/series/national/sittings/new")
    await visitor.press()
    assert await page.locator(".govuk-error-summary li").count() > 5
