"""Money that nobody owed: it waits until finance has judged it, and never gets lost."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.payments import orders, refunds, settlement
from services.payments.money_lists import Money
from services.payments.refunds import NoSuchMoney
from shared.db import transaction
from tests.eventually import eventually
from tests.payments import finance
from tests.payments.finance import Clerk, pool_of, yesterday
from tests.site import Site


async def count(site: Site, clerk: Clerk) -> int:
    page = await clerk.read("/money")
    return page.count("/payments/staff/money/")


async def judge(clerk: Clerk, money: Money, choice: str) -> str:
    where = await clerk.do(f"/desk/money/{money.id}/judgement", choice=choice, note="as she asked")
    return where.removeprefix("/payments/staff/refunds/").partition("?")[0]


async def wrong_amount(site: Site) -> Money:
    return await finance.pay(site, await finance.owe(site), amount_twd=200)


async def test_late_wrong_and_orphan_money_wait_to_be_judged(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order = await finance.owe(site)
    late = await finance.pay(site, order, paid_at=order.pay_by + timedelta(seconds=1))
    wrong = await wrong_amount(site)
    orphan = await finance.come(site, "NEVEROURS1")
    assert [late.kind, wrong.kind, orphan.kind] == ["late", "wrong_amount", "orphan"]
    page = await clerk.read("/money")
    for money, words in (
        (late, "too late"),
        (wrong, "wrong amount"),
        (orphan, "nobody&#39;s so far"),
    ):
        assert f"/money/{money.id}" in page
        assert words in page
    await finance.see_every_dollar(site)


async def test_money_goes_back_when_two_have_agreed(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    money = await wrong_amount(site)
    refund_id = await judge(ann, money, "refund")
    assert await count(site, ann) == 0
    refused = await ann.post(f"/desk/refunds/{refund_id}/approval")
    assert refused.status == 409
    assert "ask a colleague" in await refused.text()
    await bob.do(f"/desk/refunds/{refund_id}/approval")
    page = await bob.read(f"/refunds/{refund_id}")
    assert "NT$142" in page
    assert "approved" in page
    assert await finance.acts(site, f"capture {money.id}") == ["money_wrong_amount", "money_judged"]
    await finance.see_every_dollar(site)


async def test_money_is_written_off_when_two_have_agreed(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    money = await finance.come(site, "NEVEROURS1", amount_twd=30)
    refund_id = await judge(ann, money, "keep")
    await bob.do(f"/desk/refunds/{refund_id}/approval")
    page = await bob.read(f"/money/{money.id}")
    assert "written off" in page
    assert "What becomes of it" not in page
    [entry] = await pool_of(site).fetch(
        "SELECT debit, credit, amount_twd FROM ledger_entries WHERE kind = 'surplus_kept'"
    )
    assert tuple(entry) == ("surplus", "written_off", 30)
    await finance.see_every_dollar(site)


async def test_a_judgement_needs_a_choice_and_a_reason(site: Site) -> None:
    clerk, money = await Clerk.arrive(site), await wrong_amount(site)
    answer = await clerk.post(f"/desk/money/{money.id}/judgement", {"note": "\0"})
    assert answer.status == 422
    page = await answer.text()
    assert "Choose what becomes of it" in page
    assert "cannot be printed" in page
    assert page.index("<title>Error: ") > 0
    assert await count(site, clerk) == 1


async def test_money_is_judged_once(site: Site) -> None:
    clerk, money = await Clerk.arrive(site), await wrong_amount(site)
    await judge(clerk, money, "keep")
    answer = await clerk.post(
        f"/desk/money/{money.id}/judgement", {"choice": "refund", "note": "again"}
    )
    assert answer.status == 404


async def test_a_proposal_sent_back_leaves_the_money_undecided(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    orphan = await finance.come(site, "NEVEROURS1")
    refund_id = await judge(ann, orphan, "refund")
    payee = {"payee": "王大同", "postal_code": "106", "address": "臺北市大安區和平東路一段162號"}
    # What was noted for the proposal goes with it.
    await ann.do(f"/desk/refunds/{refund_id}/payee", **payee, phone="0912345678")
    where = await bob.do(f"/desk/refunds/{refund_id}/return", words="whose is it?")
    assert where == f"/payments/staff/money/{orphan.id}?done=sent_back"
    assert await count(site, ann) == 1
    await finance.see_every_dollar(site)


async def match(clerk: Clerk, orphan: Money, reference: str) -> str:
    return await clerk.do(
        f"/desk/money/{orphan.id}/owner", reference=reference, why="she sent the slip"
    )


async def test_an_orphan_pays_the_order_it_belongs_to(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    orphan = await finance.come(site, "NEVEROURS1")
    await match(clerk, orphan, "r-1000-017")
    paid = await finance.reload(site, order)
    assert (paid.state, paid.paid_at, paid.paid_method) == ("paid", yesterday(), "atm")
    assert await count(site, clerk) == 0
    page = await clerk.read(f"/orders/{order.id}")
    assert "money came that nobody owed" in page, "where it was before is part of its story"
    assert "money_matched" in page
    await finance.see_every_dollar(site)
    # Whatever goes back of it later goes back as of any order.
    refund = await finance.make_due(site, order)
    assert (refund.amount_twd, refund.is_of_order) == (192, True)


async def test_an_orphan_that_was_paid_in_time_pays_an_order_that_has_lapsed(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    orphan = await finance.come(site, "NEVEROURS1", paid_at=order.pay_by - timedelta(seconds=1))
    async with transaction(pool_of(site)) as tx:
        assert await orders.lapse(tx, now=order.pay_by) == 1
    await match(clerk, orphan, order.reference)
    paid = await finance.reload(site, order)
    assert (paid.state, paid.paid_at, paid.lapsed_at) == ("paid", orphan.paid_at, None)
    assert "owed again" in await clerk.read(f"/orders/{order.id}")
    await finance.see_every_dollar(site)


async def test_an_orphan_of_a_paid_order_is_an_overpayment(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    await finance.pay(site, order)
    orphan = await finance.come(site, "NEVEROURS1")
    await match(clerk, orphan, order.reference)
    [refund] = await finance.refunds_of(site, order)
    assert (refund.capture_id, refund.reason, refund.amount_twd) == (orphan.id, "overpaid", 192)
    await finance.see_every_dollar(site)


async def test_an_orphan_whose_refund_is_being_proposed_pays_nothing(site: Site) -> None:
    order, orphan = await finance.owe(site), await finance.come(site, "NEVEROURS1")
    pool = pool_of(site)
    asked: dict[str, Any] = {"capture_id": orphan.id, "actor": uuid4(), "now": yesterday()}

    async def match_it() -> None:
        async with transaction(pool) as tx:
            await settlement.match(tx, order_id=order.id, note="", **asked)

    async with transaction(pool) as tx:
        await refunds.take_surplus(tx, keep=False, **asked)
        matching = asyncio.create_task(match_it())
        await eventually(
            lambda: tx.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        )
    with pytest.raises(NoSuchMoney):
        await matching
    assert (await finance.reload(site, order)).state == "open"
    await finance.see_every_dollar(site)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"amount_twd": 249}, "wrong amount"),
        ({"paid_at": yesterday() + timedelta(days=9)}, "too late"),
    ],
)
async def test_an_orphan_that_pays_nothing_is_still_somebodys(
    site: Site, changed: dict[str, object], kind: str
) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    orphan = await finance.come(site, "NEVEROURS1", **changed)
    await match(clerk, orphan, order.reference)
    assert (await finance.reload(site, order)).state == "open"
    page = await clerk.read(f"/money/{orphan.id}")
    assert kind in page
    assert "What becomes of it" in page
    await finance.see_every_dollar(site)


async def test_only_an_orphan_finds_an_order_and_only_one_there_is(site: Site) -> None:
    clerk, order = await Clerk.arrive(site), await finance.owe(site)
    orphan = await finance.come(site, "NEVEROURS1")
    for reference in ("R-9999", "\0", "' OR 1=1"):
        answer = await clerk.post(
            f"/desk/money/{orphan.id}/owner", {"reference": reference, "why": "?"}
        )
        assert answer.status == 422, reference
    await match(clerk, orphan, order.reference)
    again = await clerk.post(
        f"/desk/money/{orphan.id}/owner", {"reference": order.reference, "why": "again"}
    )
    assert again.status == 404
    await finance.see_every_dollar(site)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE captures SET amount_twd = 1",
        "UPDATE captures SET kind = 'late', order_id = gen_random_uuid(), amount_twd = 1",
        "UPDATE captures SET paid_at = now()",
        "DELETE FROM captures",
        "TRUNCATE captures CASCADE",
    ],
)
async def test_money_that_was_counted_cannot_be_changed(site: Site, change: str) -> None:
    await finance.come(site, "NEVEROURS1")
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool_of(site).execute(change)


async def test_money_that_found_its_order_stays_there(site: Site) -> None:
    await finance.pay(site, await finance.owe(site))
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool_of(site).execute("UPDATE captures SET kind = 'orphan', order_id = NULL")
