"""Refunds as finance works through them: by two, in time, to the right person, and once."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from services.payments.payees import Payee
from services.payments.rules import TAIPEI
from shared import table_file
from tests.payments import finance
from tests.payments.finance import PAYEE, PDF, Clerk, pool_of
from tests.site import Site


def paid_today(number: str = "AB-12345678", *, days_later: int = 0) -> dict[str, str]:
    # By the day on which the test runs: midnight may have passed since it was collected.
    day = datetime.now(TAIPEI).date() + timedelta(days=days_later)
    return {
        "number": number,
        "paid_on-year": str(day.year),
        "paid_on-month": str(day.month),
        "paid_on-day": str(day.day),
    }


async def approved(site: Site, ann: Clerk, bob: Clerk, reference: str = "R-1000-017") -> str:
    """A refund that two have agreed to pay by money order; return its page."""
    order = await finance.owe(site, reference)
    await finance.pay(site, order)
    refund = await finance.make_due(site, order)
    await finance.give_payee(site, refund, order.account_id)
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="payee")
    await bob.do(f"/desk/refunds/{refund.id}/approval")
    return f"/refunds/{refund.id}"


async def test_a_refund_is_proposed_by_one_and_approved_by_another(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order)
    refund = await finance.make_due(site, order)
    assert f"/refunds/{refund.id}" in await ann.read("/refunds", state="due")
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="payee")
    assert "so a colleague approves it" in await ann.read(f"/refunds/{refund.id}")
    assert (await ann.post(f"/desk/refunds/{refund.id}/approval")).status == 409
    assert "Approve, or send back" in await bob.read(f"/refunds/{refund.id}")
    await bob.do(f"/desk/refunds/{refund.id}/approval")
    # A second click finds it done.
    assert (await bob.post(f"/desk/refunds/{refund.id}/approval")).status == 409
    assert f"/refunds/{refund.id}" in await ann.read("/refunds", state="approved", way="payee")
    assert f"/refunds/{refund.id}" not in await ann.read("/refunds", state="due")
    await finance.see_every_dollar(site)


async def test_two_clicks_at_once_approve_once(site: Site) -> None:
    ann, bob, eve = [await Clerk.arrive(site) for _ in range(3)]
    order = await finance.owe(site)
    await finance.pay(site, order)
    refund = await finance.make_due(site, order)
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="payee")
    page = f"/desk/refunds/{refund.id}/approval"
    answers = await asyncio.gather(*(clerk.post(page) for clerk in (bob, eve, bob, eve)))
    assert sorted(answer.status for answer in answers) == [303, 409, 409, 409]
    await finance.see_every_dollar(site)


async def test_what_was_paid_at_a_store_does_not_go_back_through_the_provider(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order)
    refund = await finance.make_due(site, order)
    assert "Through the provider" not in await clerk.read(f"/refunds/{refund.id}")
    answer = await clerk.post(f"/desk/refunds/{refund.id}/proposal", {"way": "provider"})
    assert answer.status == 409
    for way in ("kept", "", "\0"):
        answer = await clerk.post(f"/desk/refunds/{refund.id}/proposal", {"way": way})
        assert answer.status == 404, "a refund that was promised is not written off"


async def test_a_proposal_is_sent_back_with_words(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order, "card")
    refund = await finance.make_due(site, order)
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="payee")
    empty = await bob.post(f"/desk/refunds/{refund.id}/return")
    assert empty.status == 422
    await bob.do(f"/desk/refunds/{refund.id}/return", words="through the provider, please")
    assert "through the provider, please" in await ann.read(f"/refunds/{refund.id}")
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="provider")
    acts = await finance.acts(site, f"refund {refund.id}")
    assert acts == ["refund_due", "refund_proposed", "refund_sent_back", "refund_proposed"]


async def test_a_money_order_is_written_down_with_its_number_and_day(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    page = await approved(site, ann, bob)
    await ann.do(f"/desk{page}/payment", **paid_today())
    said = await ann.read(page)
    assert "AB12345678" in said
    assert "completed" in said
    [row] = await pool_of(site).fetch("SELECT state, refunded_twd FROM orders")
    assert tuple(row) == ("partly_refunded", 192)
    assert (await ann.post(f"/desk{page}/payment", paid_today())).status == 409
    await finance.see_every_dollar(site)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda: paid_today(days_later=1), "still to come"),
        (lambda: paid_today(days_later=-1), "had not been approved"),
        (lambda: paid_today("1"), "printed on the money order"),
        (lambda: paid_today() | {"paid_on-day": "32"}, "no day of the calendar"),
        (dict, "the day on which the money order was sent"),
    ],
)
async def test_a_money_order_that_cannot_be_is_not_written_down(
    site: Site, write: Callable[[], dict[str, str]], words: str
) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    page = await approved(site, ann, bob)
    answer = await ann.post(f"/desk{page}/payment", write())
    assert answer.status == 422
    assert words in await answer.text()


async def test_a_money_order_pays_one_refund(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    first, second = await approved(site, ann, bob), await approved(site, ann, bob, "R-2")
    await ann.do(f"/desk{first}/payment", **paid_today())
    again = await ann.post(f"/desk{second}/payment", paid_today("ab12345678"))
    assert again.status == 409
    assert "Another refund was paid" in await again.text()
    assert "approved" in await ann.read(second)
    await finance.see_every_dollar(site)


async def test_the_list_of_payees_holds_all_that_are_to_be_paid(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    first, second = await approved(site, ann, bob), await approved(site, ann, bob, "R-2")
    await ann.do(f"/desk{second}/payment", **paid_today())
    for kind in ("csv", "xlsx"):
        answer = await ann.post("/desk/payees/exports", {"format": kind})
        [_, row] = table_file.read(await answer.read())
        assert row[:6] == ["R-1000-017", *_written(PAYEE), "192"]
        # The exam is in 90 days; it is paid out by the end of the month after.
        exam = finance.yesterday().date() + timedelta(days=89)
        months = exam.year * 12 + exam.month + 1
        end = date(months // 12, months % 12 + 1, 1) - timedelta(days=1)
        assert row[7] == end.isoformat()
        assert first.endswith(row[8])
    assert await finance.acts(site, "refunds") == ["payees_exported"] * 2


def _written(payee: Payee) -> list[str]:
    return [payee.name, payee.postal_code, payee.address, payee.phone]


async def test_a_formula_in_a_payees_name_is_harmless(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    page = await approved(site, ann, bob)
    form = {"postal_code": "106", "address": "=HYPERLINK(1)+臺北市大安區", "phone": "0912345678"}
    await ann.do(f"/desk{page}/payee", payee="=1+王", **form)
    answer = await ann.post("/desk/payees/exports", {"format": "csv"})
    [_, row] = table_file.read(await answer.read())
    assert row[1] == "'=1+王"
    assert row[3].startswith("'=")


async def test_whoever_looks_at_a_payee_is_remembered(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    page = await approved(site, ann, bob)
    said = await ann.read(f"/desk{page}/payee")
    assert PAYEE.address in said
    assert PAYEE.name not in await ann.read(page)
    wrong = await ann.post(f"/desk{page}/payee", {"payee": "1", "postal_code": "x"})
    assert wrong.status == 422
    acts = await finance.acts(site, f"refund {page.rpartition('/')[2]}")
    assert acts.count("refund_payee_read") == 1
    assert acts.count("refund_payee_given") == 1


async def test_deadlines_that_are_over_are_marked(site: Site) -> None:
    clerk = await Clerk.arrive(site)
    order = await finance.owe(site, exam_date=date(2026, 1, 11))
    await finance.pay(site, order)
    await finance.make_due(site, order)
    page = await clerk.read("/refunds")
    assert "Saturday 28 February 2026 at 23:59" in page
    assert "overdue" in page


async def test_refunds_come_page_by_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.payments.staff.refunds.SHOWN", 1)
    clerk = await Clerk.arrive(site)
    for number in range(2):
        order = await finance.owe(site, f"R-{number}")
        await finance.pay(site, order)
        await finance.make_due(site, order)
    first = await clerk.read("/refunds")
    assert ["R-0" in first, "R-1" in first] == [True, False]
    after = first.partition("<main")[2].partition("after=")[2].partition('"')[0]
    second = await clerk.read("/refunds", state="due", after=after)
    assert ["R-0" in second, "R-1" in second] == [False, True]


async def test_what_only_a_person_can_find_out_is_asked_of_one(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order, "card")
    refund = await finance.make_due(site, order)
    await ann.do(f"/desk/refunds/{refund.id}/proposal", way="provider")
    await bob.do(f"/desk/refunds/{refund.id}/approval")
    await pool_of(site).execute(
        """
        INSERT INTO refund_sends (refund_id, state, sends, due_at, reply)
        VALUES ($1, 'stuck', 1, now(), 'no answer')
        """,
        refund.id,
    )
    assert "a person must look up" in await ann.read("/")
    page = await ann.read(f"/refunds/{refund.id}")
    assert "Did the money go back?" in page
    assert "no answer" in page
    assert (await ann.post(f"/desk/refunds/{refund.id}/finding")).status == 422
    await ann.do(f"/desk/refunds/{refund.id}/finding", happened="yes")
    assert "completed" in await ann.read(f"/refunds/{refund.id}")
    await finance.see_every_dollar(site)


async def test_an_application_is_read_beside_its_proofs_and_decided_by_two(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order)
    application_id = await finance.apply(site, order)
    assert order.reference in await ann.read("/desk/applications")
    page = f"/desk/applications/{application_id}"
    said = await ann.read(page)
    for words in ("&lt;b&gt;Truly.", "illness, injury", PAYEE.address, "proof-1.pdf", "NT$250"):
        assert words in said, words
    proof = said.partition("/desk/proofs/")[2].partition('"')[0]
    answer = await ann.get(f"/desk/proofs/{proof}")
    assert await answer.read() == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await ann.post(f"{page}/recommendation", {"words": "x"})).status == 422
    await ann.do(f"{page}/recommendation", verdict="grant", words="A doctor says so")
    assert "so a colleague decides" in await ann.read(page)
    assert (await ann.post(f"{page}/decision")).status == 409
    await bob.do(f"{page}/decision")
    [refund] = await finance.refunds_of(site, order)
    assert (refund.state, refund.reason, refund.amount_twd) == ("approved", "personal", 192)
    assert refund.has_payee
    acts = await finance.acts(site, f"application {application_id}")
    assert acts.count("proof_read") == 1
    assert [act for act in acts if not act.endswith("_read")] == [
        *("refund_applied_for", "application_recommended", "application_granted"),
    ]
    await finance.see_every_dollar(site)


async def test_an_application_is_refused_or_sent_back_by_another(site: Site) -> None:
    ann, bob = await Clerk.arrive(site), await Clerk.arrive(site)
    order = await finance.owe(site)
    await finance.pay(site, order)
    page = f"/desk/applications/{await finance.apply(site, order, 'other')}"
    assert "last word to the organiser" in await ann.read(page)
    await ann.do(f"{page}/recommendation", verdict="grant", words="Why not")
    await bob.do(f"{page}/return")
    await ann.do(f"{page}/recommendation", verdict="refuse", words="The organiser says no")
    await bob.do(f"{page}/decision")
    said = await ann.read(page)
    assert "refused" in said
    assert "The organiser says no" in said
    assert await finance.refunds_of(site, order) == []
