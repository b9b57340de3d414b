"""Money that no file of the provider was held against is asked for by its day."""

from datetime import date, timedelta

import pytest

from services.payments import file_gaps
from services.payments.file_gaps import Gap
from services.payments.money_lists import Money
from services.payments.rules import TAIPEI
from shared.db import transaction
from tests.payments import finance
from tests.payments.ecpay_files import of, write
from tests.payments.finance import Clerk, pool_of, yesterday
from tests.site import Site


def day() -> date:
    """The day of all money here."""
    return yesterday().astimezone(TAIPEI).date()


async def gaps(site: Site, *, days: int = 7) -> list[Gap]:
    """What is asked for so many days after the money came."""
    async with transaction(pool_of(site)) as tx:
        return [*await file_gaps.list_(tx, now=yesterday() + timedelta(days=days))]


async def take(site: Site, reference: str, method: str = "atm") -> Money:
    return await finance.pay(site, await finance.owe(site, reference), method)


async def import_(site: Site, *known: Money) -> None:
    clerk = await Clerk.arrive(site)
    answer = await clerk.upload(write(*map(of, known)))
    file_id = answer.headers["Location"].rpartition("/")[2]
    await clerk.do(f"/desk/files/{file_id}/import")


async def test_a_day_without_a_file_is_asked_for_once_its_file_is_complete(site: Site) -> None:
    await take(site, "R-1")
    await take(site, "R-2")
    await take(site, "R-3", "line_pay")  # is in no file of ECPay's
    assert await gaps(site, days=5) == []
    assert await gaps(site, days=6) == [Gap(day(), 2, 500, has_file=False)]


async def test_money_told_after_its_day_was_imported_is_asked_for(site: Site) -> None:
    first = await take(site, "R-1")
    await import_(site, first)
    assert await gaps(site) == []
    late = await take(site, "R-2")
    assert await gaps(site) == [Gap(day(), 1, 250, has_file=True)]
    await import_(site, first, late)
    assert await gaps(site) == []


async def test_what_a_file_was_found_to_lack_is_a_difference_and_no_gap(site: Site) -> None:
    first = await take(site, "R-1")
    await take(site, "R-2")
    await import_(site, first)
    assert await gaps(site) == []


async def test_a_file_that_was_only_looked_at_proves_nothing(site: Site) -> None:
    await (await Clerk.arrive(site)).upload(write(of(await take(site, "R-1"))))
    assert await gaps(site) == [Gap(day(), 1, 250, has_file=False)]


async def test_finance_reads_which_days_to_fetch(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = await Clerk.arrive(site)
    await take(site, "R-1")
    assert "Days to be compared" not in await clerk.read("/reconciliation")
    monkeypatch.setattr(file_gaps, "COMPLETE_AFTER", timedelta())
    said = await clerk.read("/reconciliation")
    assert "Days to be compared" in said
    assert f'<td class="govuk-table__cell">{day()}</td>' in said
