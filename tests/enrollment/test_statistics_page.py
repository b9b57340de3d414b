"""The page with figures: what was counted, how old it is, as a drawing and as a table."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment.schedule import count_statistics
from tests.conftest import MakeDatabase
from tests.enrollment.candidates import MULTI, NATIONAL, arrive, open_hall
from tests.site import Site

PAGE = "/enrollment/statistics"


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_hall(make_database) as site:
        yield site


async def read(site: Site, *, language: str = "en", **query: str) -> str:
    site.client.session.cookie_jar.clear()
    answer = await site.client.get(PAGE, params=query, headers={"Accept-Language": language})
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    return await answer.text()


async def count(site: Site, *, now: datetime | None = None) -> None:
    assert await count_statistics(site.pools["enrollment"], now or datetime.now(UTC)) == 0


def rows(page: str, table: str) -> dict[str, str]:
    """Read a table of the page: what each row says."""
    part = page.partition(f'id="{table}"')[2].partition("</table>")[0]
    return dict(re.findall(r'scope="row"[^>]*>([^<]*)</th>\s*<td[^>]*>([^<]*)</td>', part))


async def test_before_the_first_counting_there_are_no_figures(site: Site) -> None:
    assert "Nothing has been counted yet" in await read(site)


async def test_where_nobody_registers_yet_the_page_says_so(site: Site) -> None:
    await site.pools["enrollment"].execute("TRUNCATE programmes CASCADE")
    answer = await site.client.get(PAGE, headers={"Accept-Language": "en"})
    assert (answer.status, "There is no exam yet" in await answer.text()) == (200, True)
    assert (await site.client.get(PAGE, params={"programme": "x"})).status == 404


async def test_figures_stand_in_drawings_and_in_tables(site: Site) -> None:
    await arrive(site)
    await arrive(site)
    sent = await arrive(site, NATIONAL, "taipei")
    await sent.be("confirmed", dialect="hailu")
    await count(site)
    page = await read(site)
    by_area = rows(page, "by-area-table")
    assert (by_area["Hualien"], by_area["Taipei"], by_area["Keelung"]) == ("2", "1", "0")
    assert rows(page, "by-dialect-table")["Hailu"] == "1"
    [by_sitting] = [
        number for name, number in rows(page, "by-sitting-table").items() if "Hualien" in name
    ]
    assert by_sitting == "2"
    assert sum(map(int, rows(page, "by-day-table").values())) == 3
    assert page.count("<svg") == 1 + 4  # our seal, and a drawing for each table
    assert "style=" not in page


async def test_one_sitting_is_shown_by_itself(site: Site) -> None:
    await arrive(site)
    await arrive(site, NATIONAL, "taipei")
    await count(site)
    page = await read(site, programme="hakka-115", sitting=MULTI)
    assert rows(page, "by-area-table")["Taipei"] == "0"
    assert rows(page, "by-area-table")["Hualien"] == "1"
    assert "by-sitting-table" not in page


async def test_the_page_says_how_old_the_figures_are(site: Site) -> None:
    counted_at = datetime(2026, 1, 5, 16, 10, tzinfo=UTC)
    await count(site, now=counted_at)
    assert f'datetime="{counted_at.isoformat()}"' in await read(site)
    assert "2026年1月6日（星期二）00:10" in await read(site, language="zh-TW")


async def test_looking_counts_nothing(site: Site) -> None:
    await count(site, now=datetime.now(UTC) - timedelta(minutes=1))
    await arrive(site)
    assert rows(await read(site), "by-area-table")["Hualien"] == "0"


async def test_somebody_signed_in_gets_a_page_of_their_own(site: Site) -> None:
    candidate = await arrive(site)
    answer = await candidate.get(PAGE)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_what_is_no_programme_is_not_found(site: Site) -> None:
    for query in ({"programme": "none"}, {"programme": "cambridge", "sitting": MULTI}):
        answer = await site.client.get(PAGE, params=query)
        assert answer.status == 404
