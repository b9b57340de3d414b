"""Daily totals: what came and went by Taipei's days, drawn, as a table and as a file."""

from datetime import date, datetime, timedelta

import pytest

from services.payments.rules import TAIPEI
from shared import table_file
from tests.payments import finance
from tests.payments.finance import Clerk, yesterday
from tests.site import Site


async def prepare(site: Site) -> date:
    """Two payments yesterday, one a second before it began; return yesterday's date."""
    day = yesterday().astimezone(TAIPEI).date()
    began = datetime(day.year, day.month, day.day, tzinfo=TAIPEI)
    await finance.pay(site, await finance.owe(site))
    await finance.pay(site, await finance.owe(site, "R-2"), "line_pay")
    await finance.pay(
        site, await finance.owe(site, "R-3"), paid_at=began - timedelta(seconds=1), amount_twd=1000
    )
    return day


async def test_totals_are_by_method_and_by_taipeis_days(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    day = await prepare(site)
    page = await clerk.read("/totals")
    assert page.count('<svg class="eh-chart"') == 2
    assert "NT$1,500" in page
    one_day = await clerk.read("/totals", first=day.isoformat(), last=day.isoformat())
    assert "NT$500" in one_day
    assert "NT$1,500" not in one_day


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_totals_can_be_taken_away(site: Site, kind: str) -> None:
    clerk = await Clerk.arrive(site)
    day = await prepare(site)
    answer = await clerk.post("/totals/exports", {"format": kind})
    header, *rows = table_file.read(await answer.read())
    assert header[:2] == ["Day", "Convenience store"]
    assert rows == [
        [(day - timedelta(days=1)).isoformat(), "0", "1000", "0", "0", "1000", "0"],
        [day.isoformat(), "0", "250", "0", "250", "500", "0"],
    ]
    assert await finance.acts(site, "totals") == ["totals_exported"]


async def test_any_days_can_be_asked_for(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    for query in (
        {"first": "2026-02-30", "last": "x"},
        {"first": "9999-12-30", "last": "0001-01-02"},
        {"first": "0001-01-01", "last": "9999-12-31"},
        {"first": "1900-01-01", "last": "2000-01-01"},
        {"last": "0001-01-10"},
        {"first": "9999-12-01", "last": "9999-12-20"},
        {"first": "0001-01-10", "last": "0002-01-10"},
    ):
        assert "Nothing came" in await clerk.read("/totals", **query), query
        answer = await clerk.post("/totals/exports", {"format": "csv", **query})
        assert answer.status == 200, query
