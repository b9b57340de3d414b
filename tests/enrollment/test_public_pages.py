"""The calendar and the pages of sittings, as everybody sees them."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment.pages.shown import SHOWN, Shown
from shared.auth import Role
from tests.conftest import MakeDatabase
from tests.enrollment import catalogues
from tests.site import Site, open_site

SITTING = "tea-2026-first-1"
PAGE = f"/enrollment/sittings/{SITTING}"
ENGLISH = {"Accept-Language": "en"}
NOW = datetime.now(UTC)


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        await catalogues.load(site.pools["enrollment"])
        yield site


async def put(site: Site, *, opens: timedelta, closes: timedelta = timedelta(days=9)) -> None:
    """Put the window around now, and forget what was shown before."""
    await site.pools["enrollment"].execute(
        "UPDATE sittings SET opens_at = $1, closes_at = $2", NOW + opens, NOW + closes
    )
    forget(site)


def forget(site: Site) -> None:
    for app in site.client.app._subapps:
        if SHOWN in app:
            app[SHOWN].__dict__.update(Shown().__dict__)


async def look(site: Site, path: str = PAGE, **headers: str) -> str:
    answer = await site.client.get(path, headers={**ENGLISH, **headers})
    assert answer.status == 200
    return " ".join((await answer.text()).split())


async def test_the_calendar_shows_every_shipped_sitting_with_its_days(site: Site) -> None:
    await catalogues.load(site.pools["enrollment"], catalogues.shipped())
    forget(site)
    for language, exam, closes in (
        ("en", "Saturday 19 December 2026", "Thursday 1 October 2026 at 23:59"),
        ("zh-TW", "2026年12月19日（星期六）", "2026年10月1日（星期四）23:59"),
    ):
        shown = await look(site, "/enrollment/", **{"Accept-Language": language})
        for number in range(1, 12):
            assert f"/enrollment/sittings/hakka-115-basic-m{number:02}" in shown
        assert exam in shown
        assert closes in shown


@pytest.mark.parametrize(
    ("opens", "closes", "tag"),
    [(1, 9, "Not yet open"), (-1, 9, "Open"), (-9, -1, "Closed")],
)
async def test_the_calendar_tells_whether_a_window_is_open(
    site: Site, opens: int, closes: int, tag: str
) -> None:
    await put(site, opens=timedelta(days=opens), closes=timedelta(days=closes))
    for path in ("/enrollment/", PAGE):
        assert f">{tag}</strong>" in await look(site, path)


async def test_before_the_opening_there_is_a_countdown_and_no_form(site: Site) -> None:
    await put(site, opens=timedelta(hours=3))
    _, cookie = await site.begin_session()
    shown = await look(site, **cookie)
    opens_at = (NOW + timedelta(hours=3)).isoformat()
    assert f'data-countdown="{opens_at}"' in shown
    assert "<form" not in shown.partition("<main")[2]


async def test_while_it_is_open_candidates_get_the_form_and_others_a_way_to_it(site: Site) -> None:
    await put(site, opens=-timedelta(hours=1))
    assert f'href="/identity/sign-in?next={PAGE}"' in await look(site)
    _, cookie = await site.begin_session()
    shown = (await look(site, **cookie)).partition("<main")[2]
    assert 'action="/enrollment/registrations/"' in shown
    assert f'name="sitting" value="{SITTING}"' in shown
    assert re.findall(r'type="radio" value="(\w+)"', shown) == ["hill", "shore"]
    _, cookie = await site.begin_session(Role.REGISTRAR)
    assert "<form" not in (await look(site, **cookie)).partition("<main")[2]


async def test_after_the_closing_there_is_neither(site: Site) -> None:
    await put(site, opens=-timedelta(days=2), closes=-timedelta(days=1))
    _, cookie = await site.begin_session()
    shown = (await look(site, **cookie)).partition("<main")[2]
    assert "<form" not in shown
    assert "data-countdown" not in shown


async def test_an_area_without_places_cannot_be_chosen(site: Site) -> None:
    await put(site, opens=-timedelta(hours=1))
    _, cookie = await site.begin_session()
    for sql, chosen in (
        ("UPDATE places SET taken = 5 WHERE area = 'hill'", 1),
        ("UPDATE places SET capacity = 0 WHERE area = 'shore'", 0),
    ):
        await site.pools["enrollment"].execute(sql)
        forget(site)
        shown = await look(site, **cookie)
        enabled = re.findall(r'type="radio" value="\w+"( disabled)?>', shown)
        assert enabled.count("") == chosen
    assert "Every place is taken at the moment" in shown
    assert "Full for now" in shown


async def test_places_left_are_told_and_that_they_may_be_a_little_old(site: Site) -> None:
    await site.pools["enrollment"].execute("UPDATE places SET taken = 2")
    forget(site)
    shown = await look(site)
    assert re.search(r'Hill</td> <td class="[^"]*">3</td>', shown)
    assert re.search(r'Shore</td> <td class="[^"]*">not limited</td>', shown)
    assert "may be a few seconds old" in shown


async def test_a_crowd_reads_the_calendar_once(site: Site) -> None:
    await look(site)
    await site.pools["enrollment"].execute("UPDATE places SET taken = 5 WHERE area = 'hill'")
    assert '">5</td>' in await look(site), "it was read a moment ago"
    forget(site)
    assert '">0</td>' in await look(site)


async def test_a_page_of_nobody_may_be_kept_for_seconds_and_somebodys_not_at_all(
    site: Site,
) -> None:
    await put(site, opens=timedelta(days=1))
    for path in ("/enrollment/", PAGE):
        answer = await site.client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=3"
        assert {"Cookie", "Accept-Language"} <= set(answer.headers["Vary"].split(", "))
        _, cookie = await site.begin_session()
        answer = await site.client.get(path, headers=cookie)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "林怡君" in await answer.text()


async def test_no_page_is_kept_past_an_opening(site: Site) -> None:
    before = datetime.now(UTC)
    await site.pools["enrollment"].execute(
        "UPDATE sittings SET opens_at = $1, closes_at = $2",
        before + timedelta(seconds=2, milliseconds=500),
        before + timedelta(days=1),
    )
    forget(site)
    answer = await site.client.get("/enrollment/")
    assert answer.headers["Cache-Control"] in {"public, max-age=2", "public, max-age=1", "no-store"}


async def test_the_opening_can_be_added_to_a_calendar(site: Site) -> None:
    await site.pools["enrollment"].execute(
        "UPDATE sittings SET opens_at = '2026-02-01 00:00+08', closes_at = '2026-03-01 00:00+08'"
    )
    forget(site)
    answer = await site.client.get(f"{PAGE}/opening.ics", headers=ENGLISH)
    assert answer.content_type == "text/calendar"
    file = (await answer.text()).replace("\r\n ", "").split("\r\n")
    assert "DTSTART:20260131T160000Z" in file
    assert "SUMMARY:Registration opens: First\\, sitting 1" in file
    assert "TRIGGER:-PT15M" in file
    assert f"URL:http://127.0.0.1{PAGE}" in file


@pytest.mark.parametrize("path", ["/enrollment/sittings/none", f"{PAGE}x/opening.ics"])
async def test_a_sitting_that_does_not_exist_is_not_found(site: Site, path: str) -> None:
    assert (await site.client.get(path)).status == 404


async def test_fees_are_told_by_the_rule(site: Site) -> None:
    assert '<dd class="govuk-summary-list__value">NT$300</dd>' in await look(site)
    await catalogues.load(site.pools["enrollment"], catalogues.shipped())
    forget(site)
    shown = await look(site, "/enrollment/sittings/hakka-115-basic-n01")
    assert "NT$250; free when the exam is held on the day you turn 19 or earlier" in shown
    assert "convenience store" in shown
    assert "You may enter one sitting of this series." in shown
    shown = await look(site, "/enrollment/sittings/hakka-115-basic-m01")
    assert "convenience store" not in shown
    assert "whoever is absent" in shown


async def test_a_programme_that_centres_enter_has_no_sittings_to_register_for(site: Site) -> None:
    await catalogues.load(site.pools["enrollment"], catalogues.shipped("cambridge-english"))
    forget(site)
    assert "Your exam centre enters you" in await look(site, "/enrollment/")


async def test_without_any_sitting_the_calendar_says_so(make_database: MakeDatabase) -> None:
    async with open_site(make_database, "identity", "enrollment") as site:
        assert "No sitting is open at the moment" in await look(site, "/enrollment/")
