"""Finance looks for orders: found by whatever is on somebody's paper, with all their history."""

from datetime import UTC, datetime, timedelta

import pytest

from services.payments import notices
from services.payments.notices import Notice
from shared import table_file
from shared.auth import Role
from shared.db import transaction
from tests.payments import finance
from tests.payments.finance import Clerk, pool_of
from tests.site import Site


async def test_an_order_is_found_by_every_number_it_has(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order, other = await finance.owe(site), await finance.owe(site, "R-1001-025")
    money = await finance.pay(site, order)
    numbers = ["R-1000-017", "r-1000-017 ", money.trade_number, money.provider_number]
    for number in numbers:
        page = await clerk.read("/orders", number=number)
        assert f"/orders/{order.id}" in page, number
        assert f"/orders/{other.id}" not in page, number


async def test_orders_are_filtered(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order = await finance.owe(site)
    today, day = datetime.now(UTC).date(), timedelta(days=1)
    before, after = order.opened_at.date() - day, order.opened_at.date() + day
    for query, is_shown in (
        ({}, True),
        ({"amount": "250", "state": "open"}, True),
        ({"amount": "251"}, False),
        ({"state": "paid"}, False),
        ({"since": f"{before}", "until": f"{after}"}, True),
        ({"since": f"{today + day}"}, False),
        ({"until": "2020-01-01"}, False),
        ({"number": "no such\0number"}, False),
        ({"number": "X-1"}, False),
        # What cannot be read is not asked for.
        ({"amount": "9" * 30, "state": "\0", "since": "0001-01-01", "until": "9999-12-31"}, True),
        ({"after": "x"}, True),
        ({"after": str(order.id)}, False),
    ):
        page = await clerk.read("/orders", **query)
        assert (f"/orders/{order.id}" in page) is is_shown, query


async def test_orders_come_page_by_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.payments.staff.orders.SHOWN", 2)
    clerk = await Clerk.arrive(site)
    made = [await finance.owe(site, f"R-{number}") for number in range(5)]
    seen: list[str] = []
    query: dict[str, str] = {}
    for _ in range(3):
        page = await clerk.read("/orders", **query)
        shown = [order for order in made if f"/orders/{order.id}" in page]
        seen += [str(order.id) for order in shown]
        older = page.partition("<main")[2].partition("after=")[2]
        query = {"after": older.partition('"')[0]}
    assert sorted(seen) == sorted(str(order.id) for order in made)


async def test_a_number_of_money_without_an_order_leads_to_the_money(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    orphan = await finance.come(site, "SOMEBODYELSES1")
    for number in ("SOMEBODYELSES1", orphan.provider_number):
        assert f"/money/{orphan.id}" in await clerk.read("/orders", number=number)


async def test_one_page_tells_all_that_happened(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order = await finance.owe(site)
    first = await finance.pay(site, order)
    second = await finance.pay(site, order, "card")
    secret = {"CheckMacValue": "***", "CustomField1": "A123456789 and 4311952222222222"}
    async with transaction(pool_of(site)) as tx:
        told = Notice(
            "ecpay",
            "forged",
            first.trade_number,
            "1",
            {"RtnMsg": "<script>", "TradeNo": first.provider_number, **secret},
            datetime.now(UTC),
        )
        await notices.record(tx, notices=[told])
    page = await clerk.read(f"/orders/{order.id}")
    for words in (
        *("R-1000-017", "paid the order", "paid what was paid already", "paid twice"),
        *(first.trade_number, second.trade_number, first.provider_number),
        *("order opened", "order paid", "money came that nobody owed"),
        *("money_overpaid", "refund_due"),
        *("forged: not the provider", "RtnMsg = &lt;script&gt;"),
        *("A1*****789", "************2222"),
    ):
        assert words in page, words
    assert "A123456789" not in page
    assert "4311952222222222" not in page


async def test_orders_can_be_taken_away(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    await finance.owe(site, "=1+1")
    for kind in ("csv", "xlsx"):
        answer = await clerk.post("/orders/exports", {"format": kind, "state": "open"})
        [header, [reference, state, amount, *_]] = table_file.read(await answer.read())
        assert header[0] == "Reference number"
        # In a CSV a formula is made harmless; in an xlsx a text is a text.
        assert reference == ("'=1+1" if kind == "csv" else "=1+1")
        assert (state, amount) == ("open", "250")
    assert await finance.acts(site, "orders") == ["orders_exported"] * 2


async def test_what_is_not_there_is_not_there(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    nothing = "00000000-0000-0000-0000-000000000000"
    for page in ("orders", "money", "refunds", "desk/applications", "desk/proofs"):
        assert (await clerk.get(f"/{page}/{nothing}")).status == 404, page
        assert (await clerk.get(f"/{page}/x")).status == 404, page
    for page in (f"files/{nothing}", "differences/1", "differences/x", f"differences/{'9' * 40}"):
        assert (await clerk.get(f"/reconciliation/{page}")).status == 404, page


async def test_administrators_look_and_do_nothing(site: Site) -> None:
    administrator = await Clerk.arrive(site, Role.ADMINISTRATOR)
    order = await finance.owe(site)
    await finance.pay(site, order)
    refund = await finance.make_due(site, order)
    page = await administrator.read(f"/refunds/{refund.id}")
    assert "Propose" not in page
    answer = await administrator.post(f"/desk/refunds/{refund.id}/proposal", {"way": "payee"})
    assert answer.status == 403
    assert "What waits for finance" in await administrator.read("/")
