"""Reconciliation: what the provider says it took, held against our books; found once, kept once."""

from datetime import UTC, datetime, timedelta

import pytest

from services.payments import ecpay_file, reconciliations
from services.payments.rules import TAIPEI
from shared import table_file
from shared.db import transaction
from shared.events.payments import OrderPaid
from tests.payments import ecpay_files, finance
from tests.payments.ecpay_files import of, write
from tests.payments.finance import Clerk, pool_of, yesterday
from tests.payments.till import Till
from tests.site import Site


async def look_at(clerk: Clerk, content: bytes) -> str:
    """Upload a file; return its page."""
    answer = await clerk.upload(content)
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"].removeprefix(finance.STAFF)


async def import_(clerk: Clerk, content: bytes) -> str:
    """Upload a file and import it; return what its page says then."""
    page = await look_at(clerk, content)
    await clerk.do(f"/desk/files/{page.rpartition('/')[2]}/import")
    return await clerk.read(page)


async def found(site: Site) -> list[tuple[str, int | None, int | None]]:
    rows = await pool_of(site).fetch(
        "SELECT kind, file_twd, our_twd FROM reconciliation_differences ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def count(site: Site, table: str) -> int:
    number: int = await pool_of(site).fetchval(f"SELECT count(*) FROM {table}")
    return number


async def test_a_file_that_agrees_finds_nothing(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    money = await finance.pay(site, await finance.owe(site))
    # What LINE Pay took is in no file of ECPay's.
    await finance.pay(site, await finance.owe(site, "R-2"), "line_pay")
    page = await look_at(clerk, write(of(money)))
    assert "Everything in it agrees with our books" in await clerk.read(page)
    await clerk.do(f"/desk/files/{page.rpartition('/')[2]}/import")
    said = await clerk.read(page)
    assert "all agrees" in said
    for words in ("NT$250", "NT$15", "NT$235"):
        assert words in said
    assert await found(site) == []
    await finance.see_every_dollar(site)


async def test_looking_at_a_file_changes_nothing(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    trade = await finance.begin(site, order)
    line = ecpay_files.line(trade=trade, paid=ecpay_files.stamp(yesterday()))
    page = await look_at(clerk, write(line))
    said = await clerk.read(page)
    assert "Money in the file that we had not heard of" in said
    assert trade in said
    assert (await finance.reload(site, order)).state == "open"
    assert await count(site, "captures") == 0
    assert await found(site) == []
    await clerk.do(f"/desk/files/{page.rpartition('/')[2]}/removal")
    assert (await clerk.get(page)).status == 404
    assert await count(site, "reconciliation_lines") == 0


async def test_money_that_only_the_file_knows_pays_its_order(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    trade = await finance.begin(site, order)
    line = ecpay_files.line(trade=trade, paid=ecpay_files.stamp(yesterday()))
    await import_(clerk, write(line))
    paid = await finance.reload(site, order)
    assert (paid.state, paid.paid_at) == ("paid", yesterday())
    assert await found(site) == [("not_known", 250, None)]
    names = await pool_of(site).fetch("SELECT name FROM outbox")
    assert [row["name"] for row in names].count(OrderPaid.name) == 1
    await finance.see_every_dollar(site)


async def test_a_file_and_its_lines_count_once(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    trade = await finance.begin(site, order)
    known = await finance.pay(site, await finance.owe(site, "R-2"), amount_twd=250)
    lines = [
        ecpay_files.line(trade=trade, paid=ecpay_files.stamp(yesterday())),
        of(known, amount="260", net="245"),
        ecpay_files.line(trade="?"),
    ]
    content = write(*lines)
    await import_(clerk, content)
    tables = ("captures", "ledger_entries", "reconciliation_differences", "refunds", "outbox")
    before = [await count(site, table) for table in tables]
    # The same file again is found again; the same lines in another file say nothing new.
    first = await look_at(clerk, content)
    assert first == await look_at(clerk, content)
    await clerk.do(f"/desk/files/{first.rpartition('/')[2]}/import")
    await import_(clerk, write(*lines, encoding="utf-8"))
    assert [await count(site, table) for table in tables] == before
    assert await count(site, "reconciliation_files") == 2
    await finance.see_every_dollar(site)


async def test_the_notice_that_comes_after_the_file_changes_nothing(till: Till) -> None:
    """By the sandbox's own file, written by code that shares nothing with ours."""
    order = await till.owe()
    opened = await till.begin(order, "atm")
    await till.sandbox.misbehave("silent", on="paid")
    await till.sandbox.pay(await till.open(opened))
    await till.sandbox.deliver()
    assert (await till.load(order)).state == "open"
    await till.advance(timedelta(days=1))
    day = (till.now - timedelta(days=1)).astimezone(TAIPEI).date()
    url = f"{till.sandbox.ecpay}/settlement/{day}.csv"
    async with till.sandbox.session.get(url) as answer:
        content = await answer.read()
    table = ecpay_file.read(content, now=till.now)
    assert (len(table.lines), table.faults) == (1, [])
    async with transaction(till.pool) as tx:
        file_id = await reconciliations.look_at(
            tx, name="day.csv", digest=b"1", table=table, actor=order.account_id, now=till.now
        )
        await reconciliations.import_(tx, file_id=file_id, actor=order.account_id, now=till.now)
    assert (await till.load(order)).state == "paid"
    await till.ask_all()
    assert await till.kinds() == {"order": 1}
    assert len(await till.told(OrderPaid)) == 1
    await till.see_every_dollar()


async def test_money_without_an_order_is_kept_and_listed(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    await import_(clerk, write(ecpay_files.line(trade="NOTOURS1")))
    assert await found(site) == [("not_known", 250, None)]
    page = await clerk.read("/reconciliation/differences/1")
    assert "belongs to no order so far" in page
    assert "NOTOURS1" in await clerk.read("/money")
    await finance.see_every_dollar(site)


async def test_money_that_the_file_lacks_is_listed(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    there = await finance.pay(site, await finance.owe(site))
    await finance.pay(site, await finance.owe(site, "R-2"), amount_twd=111)
    unpaid = await finance.pay(site, await finance.owe(site, "R-3"), amount_twd=222)
    # Another day's money is in another file.
    older = yesterday() - timedelta(days=1)
    await finance.pay(site, await finance.owe(site, "R-4"), paid_at=older)
    await import_(clerk, write(of(there), of(unpaid, result="未付款", paid="")))
    assert await found(site) == [("not_in_file", None, 111), ("not_in_file", None, 222)]


async def test_a_day_that_is_not_over_is_not_judged(site: Site) -> None:
    clerk, now = await Clerk.arrive(site), datetime.now(UTC)
    here = await finance.pay(site, await finance.owe(site), paid_at=now)
    await finance.pay(site, await finance.owe(site, "R-2"), paid_at=now)
    await import_(clerk, write(of(here)))
    assert await found(site) == []


async def test_what_a_later_file_has_is_resolved_by_itself(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    first = await finance.pay(site, await finance.owe(site))
    second = await finance.pay(site, await finance.owe(site, "R-2"))
    await import_(clerk, write(of(first)))
    assert await found(site) == [("not_in_file", None, 250)]
    await import_(clerk, write(of(first), of(second)))
    page = await clerk.read("/reconciliation/differences", state="resolved")
    assert second.trade_number in page
    assert "There are none" in await clerk.read("/reconciliation/differences")
    said = await clerk.read("/reconciliation/differences/1")
    assert "Found in the file 3002607_20260504.csv" in said


async def test_amounts_and_fees_that_differ_are_listed(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    money = await finance.pay(site, await finance.owe(site))
    other = await finance.pay(site, await finance.owe(site, "R-2"))
    await import_(clerk, write(of(money, amount="260", net="245"), of(other, net="236")))
    assert await found(site) == [("amount_differs", 260, 250), ("net_differs", 250, 250)]
    # Our books stay as they are: which is right, a person finds out.
    assert await count(site, "captures") == 2
    await finance.see_every_dollar(site)


async def test_another_number_on_a_known_trade_is_for_a_person_to_judge(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    money = await finance.pay(site, order)
    await import_(clerk, write(of(money, number="2605040900000009")))
    assert await found(site) == [("number_differs", 250, None)]
    assert await count(site, "captures") == 1
    note = {"note": "ECPay says it was paid twice", "count": "yes"}
    await clerk.do("/desk/differences/1/resolution", **note)
    [refund] = await finance.refunds_of(site, order)
    assert (refund.reason, refund.amount_twd) == ("overpaid", 192)
    again = await clerk.post("/desk/differences/1/resolution", note)
    assert again.status == 409
    assert await count(site, "captures") == 2
    await finance.see_every_dollar(site)


async def test_only_another_number_can_be_counted(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    money = await finance.pay(site, await finance.owe(site))
    await import_(clerk, write(of(money, amount="260", net="245")))
    answer = await clerk.post("/desk/differences/1/resolution", {"note": "?", "count": "yes"})
    assert answer.status == 409
    assert "waiting" in await clerk.read("/reconciliation/differences")
    assert await count(site, "captures") == 1


async def test_a_line_that_cannot_be_read_is_listed(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    await import_(clerk, write(ecpay_files.line(amount="<script>")))
    assert await found(site) == [("not_readable", None, None)]
    page = await clerk.read("/reconciliation/differences/1")
    assert "no whole number of dollars" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page.partition("<main")[2]


async def test_a_difference_is_resolved_with_a_note_and_once(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    await import_(clerk, write(ecpay_files.line(trade="NOTOURS1")))
    empty = await clerk.post("/desk/differences/1/resolution", {"note": " "})
    assert empty.status == 422
    assert "Write down why" in await empty.text()
    await clerk.do("/desk/differences/1/resolution", note="a colleague's test payment")
    said = await clerk.read("/reconciliation/differences/1")
    assert "a colleague&#39;s test payment" in said
    assert "Resolve it" not in said
    again = await clerk.post("/desk/differences/1/resolution", {"note": "again"})
    assert again.status == 409
    assert await finance.acts(site, "difference 1") == ["difference_resolved"]


async def test_an_imported_file_stays(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    page = await look_at(clerk, write(ecpay_files.line()))
    file_id = page.rpartition("/")[2]
    await clerk.do(f"/desk/files/{file_id}/import")
    assert (await clerk.post(f"/desk/files/{file_id}/removal")).status == 409
    subject = f"reconciliation file {file_id}"
    assert await finance.acts(site, subject) == ["file_looked_at", "file_imported"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file"),
        (b"\xff\xfe\x00", "This file cannot be read"),
        (table_file.ZIP + b"\x00" * 40, "This file cannot be read"),
        (b"a,b\n1,2\n", "綠界交易序號"),
        (b"x" * (4 * 1024 * 1024), "larger than 4 MB"),
    ],
)
async def test_what_is_no_file_of_the_provider_is_refused(
    site: Site, content: bytes, words: str
) -> None:
    clerk = await Clerk.arrive(site)
    answer = await clerk.upload(content, name="" if not content else "day.csv")
    assert answer.status == 422
    assert words in await answer.text()
    assert await count(site, "reconciliation_files") == 0


async def test_differences_come_page_by_page_and_as_a_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payments.staff.reconciliation.SHOWN", 2)
    clerk = await Clerk.arrive(site)
    trades = [f"NOTOURS{number}" for number in range(3)]
    await import_(clerk, write(*(ecpay_files.line(trade=trade) for trade in trades)))
    first = await clerk.read("/reconciliation/differences", kind="not_known")
    assert [trade in first for trade in trades] == [True, True, False]
    second = await clerk.read("/reconciliation/differences", kind="not_known", after="2")
    assert [trade in second for trade in trades] == [False, False, True]
    for kind in ("csv", "xlsx"):
        answer = await clerk.post("/reconciliation/differences/exports", {"format": kind})
        rows = table_file.read(await answer.read())
        assert [row[1] for row in rows[1:]] == trades
