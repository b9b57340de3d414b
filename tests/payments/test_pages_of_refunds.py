"""Asking for money back, and saying where to send it: what the pages take, refuse and show."""

import asyncio
import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse, FormData

from services.payments import (
    application_book,
    applications,
    payees,
    refund_book,
    refunds,
)
from services.payments.application_book import OpenedApplication
from services.payments.applications import Application
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refund_book import Refund
from shared.db import Tx, transaction
from tests.enrollment.pictures import draw, open_
from tests.payments.payer import Payer

ANN, BOB = uuid4(), uuid4()
LATER, EARLIER = date(2036, 9, 12), date(2020, 9, 12)
PDF = b"%PDF-1.7\n% nothing to see\n%%EOF\n"
WHOM = {
    "payee": "王大同",
    "postal_code": "１０６209",
    "address": "臺北市大安區和平東路一段162號",
    "phone": "0912-345-678",
}
PAYEE = Payee("王大同", "106209", "臺北市大安區和平東路一段162號", "0912345678")
LANGUAGES = ["en", "zh-TW"]


def page_of(order: Order) -> str:
    [registration] = order.registration_ids
    return f"/payments/applications/{registration}"


async def owe_paid(payer: Payer, way: str = "card", **changed: Any) -> Order:
    order = await payer.owe(**{"exam_date": LATER, **changed})
    await payer.pay(order, way)
    return order


async def apply(
    payer: Payer, order: Order, *proofs: bytes, reason: str = "health", **changed: str
) -> ClientResponse:
    form = FormData()
    for name, value in ({"reason": reason, "statement": "發燒"} | WHOM | changed).items():
        form.add_field(name, value)
    for proof in proofs:
        form.add_field(
            "proofs", io.BytesIO(proof), filename="../挂號.jpg", content_type="image/jpeg"
        )
    if not proofs:  # as browsers send a file input that nobody used
        form.add_field("proofs", b"", filename="", content_type="application/octet-stream")
    return await payer.post(page_of(order), form)


async def list_applications(payer: Payer, order: Order) -> list[Application]:
    async with transaction(payer.till.pool) as tx:
        return await application_book.list_of_order(tx, order_id=order.id)


async def open_application(payer: Payer, order: Order) -> OpenedApplication:
    [sent] = await list_applications(payer, order)
    async with transaction(payer.till.pool) as tx:
        return await application_book.open_(
            tx, application_id=sent.id, vault=payer.till.settings.vault, actor=ANN
        )


async def open_proof(payer: Payer, proof_id: UUID) -> application_book.OpenedProof:
    async with transaction(payer.till.pool) as tx:
        return await application_book.open_proof(
            tx, proof_id=proof_id, vault=payer.till.settings.vault, actor=ANN
        )


async def recommend(payer: Payer, order: Order, verdict: str) -> None:
    sent = (await list_applications(payer, order))[0]
    async with transaction(payer.till.pool) as tx:
        await applications.recommend(
            tx,
            application_id=sent.id,
            verdict=verdict,
            words="日期看得很清楚。",
            actor=ANN,
            now=datetime.now(UTC),
        )


async def decide(payer: Payer, order: Order, verdict: str) -> None:
    await recommend(payer, order, verdict)
    sent = (await list_applications(payer, order))[0]
    async with transaction(payer.till.pool) as tx:
        await applications.decide(
            tx,
            application_id=sent.id,
            actor=BOB,
            vault=payer.till.settings.vault,
            now=datetime.now(UTC),
        )


async def test_each_reason_says_what_proof_it_needs_and_what_goes_back(payer: Payer) -> None:
    order = await owe_paid(payer)
    assert f'href="{page_of(order)}"' in await payer.see_order(order)
    page = await payer.see(page_of(order))
    assert page.count("No proof is needed. Goes back: NT$250.") == 2
    assert page.count("Goes back: NT$192.") == 5
    assert "Tuesday 30 September 2036 at 23:59" in page, "until when to apply"
    assert "Friday 31 October 2036 at 23:59" in page, "until when it is paid out"


async def test_an_application_is_kept_sealed_with_its_proofs(payer: Payer) -> None:
    order = await owe_paid(payer)
    answer = await apply(payer, order, draw(comment=b"where I live"), PDF)
    assert (answer.status, answer.headers["Location"]) == (
        303,
        f"/payments/registrations/{order.registration_ids[0]}?applied",
    )
    opened = await open_application(payer, order)
    assert (opened.application.reason, opened.statement) == ("health", "發燒")
    assert opened.payee == PAYEE
    assert sorted(proof.name for proof in opened.proofs) == ["proof-1.jpg", "proof-2.pdf"]
    proofs = {each.name: await open_proof(payer, each.id) for each in opened.proofs}
    picture = proofs["proof-1.jpg"].content
    assert open_(picture).format == "JPEG"
    assert b"where I live" not in picture, "cameras write more than one wants to show"
    assert proofs["proof-2.pdf"].content == PDF
    sealed = await payer.till.pool.fetchval(
        "SELECT string_agg(sealed::text, '') FROM refund_applications"
    )
    assert "王大同".encode().hex() not in sealed


async def test_a_proof_may_be_small(payer: Payer) -> None:
    order = await owe_paid(payer)
    small = draw("PNG", width=16, height=16)
    assert (await apply(payer, order, small[: small.index(b"IEND") + 8])).status == 303


@pytest.mark.parametrize("reason", ["postponed", "disaster"])
async def test_what_everybody_knows_needs_no_proof(payer: Payer, reason: str) -> None:
    order = await owe_paid(payer)
    assert (await apply(payer, order, reason=reason)).status == 303


@pytest.mark.parametrize(
    ("proofs", "status", "words"),
    [
        ([], 422, "This reason needs at least one proof."),
        ([b"GIF89a"], 422, "A proof is a PDF, JPEG or PNG file"),
        ([b"%PDF-1.7 cut off"], 422, "A proof is a PDF, JPEG or PNG file"),
        ([b"\xff\xd8\xff cut off"], 422, "A proof is a PDF, JPEG or PNG file"),
        ([PDF] * 6, 422, "there are at most five of them"),
        ([PDF + b" " * 3 * 1024 * 1024], 422, "A proof is a PDF"),
        ([PDF + b" " * 4 * 1024 * 1024] * 4, 413, "A proof is a PDF"),
    ],
)
async def test_what_proves_nothing_is_refused_beside_the_field(
    payer: Payer, proofs: list[bytes], status: int, words: str
) -> None:
    order = await owe_paid(payer)
    answer = await apply(payer, order, *proofs)
    page = await answer.text()
    assert answer.status == status
    assert '<a href="#proofs">' in page
    assert page.count(words) == 2, "in the summary and at the field"
    assert await list_applications(payer, order) == []


async def test_wrong_answers_are_told_and_right_ones_kept(payer: Payer) -> None:
    order = await owe_paid(payer)
    answer = await apply(
        payer, order, PDF, payee="王大同", postal_code="12", address="here", phone="12", reason=""
    )
    page = await answer.text()
    assert answer.status == 422
    for name in ("reason", "postal_code", "address", "phone"):
        assert f'<a href="#{name}">' in page
    for kept in ('value="王大同"', 'value="here"', "發燒"):
        assert kept in page
    assert '<a href="#payee">' not in page


async def test_two_clicks_at_once_apply_once(payer: Payer) -> None:
    order = await owe_paid(payer)
    answers = await asyncio.gather(*(apply(payer, order, PDF) for _ in range(2)))
    assert [answer.status for answer in answers] == [303, 303]
    assert len(await list_applications(payer, order)) == 1
    assert "You have applied already." in await payer.see(page_of(order))


@pytest.mark.parametrize("exam_date", [EARLIER, LATER])
async def test_what_was_not_paid_cannot_be_asked_back(payer: Payer, exam_date: date) -> None:
    order = await payer.owe(exam_date=exam_date)
    assert "there is nothing to apply for" in await payer.see(page_of(order))
    answer = await apply(payer, order, PDF)
    assert (answer.status, answer.headers["Location"]) == (303, page_of(order))


async def test_after_the_month_of_the_exam_it_is_too_late(payer: Payer) -> None:
    order = await owe_paid(payer, exam_date=EARLIER)
    assert page_of(order) not in await payer.see_order(order)
    assert "that is over" in await payer.see(page_of(order))
    answer = await apply(payer, order, PDF)
    assert (answer.status, answer.headers["Location"]) == (303, page_of(order))
    assert await list_applications(payer, order) == []


async def test_nobody_applies_for_somebody_elses_money(payer: Payer) -> None:
    order = await owe_paid(payer)
    other = await payer.another()
    assert (await other.get(page_of(order))).status == 404
    assert (await apply(other, order, PDF)).status in {303, 404}
    assert await list_applications(payer, order) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_verdict_is_told_when_it_is_one(payer: Payer, language: str) -> None:
    order = await owe_paid(payer)
    await apply(payer, order, PDF)
    waiting = {"en": "We are looking at it.", "zh-TW": "審核中"}[language]
    assert waiting in await payer.see_order(order, language=language)
    await recommend(payer, order, "refuse")
    page = await payer.see_order(order, language=language)
    assert waiting in page
    assert "日期看得很清楚" not in page, "a recommendation is not for the candidate"


async def test_a_granted_application_shows_its_refund(payer: Payer) -> None:
    order = await owe_paid(payer)
    await apply(payer, order, PDF)
    await decide(payer, order, "grant")
    page = await payer.see_order(order)
    for words in ("It was granted.", "日期看得很清楚", "NT$192 goes back to you."):
        assert words in page
    assert "in the way it was paid" in page
    assert page_of(order) not in page


async def test_after_a_refusal_one_may_apply_again(payer: Payer) -> None:
    order = await owe_paid(payer)
    await apply(payer, order, PDF)
    await decide(payer, order, "refuse")
    page = await payer.see_order(order)
    assert "It was refused." in page
    assert f'href="{page_of(order)}"' in page
    assert (await apply(payer, order, PDF, reason="family")).status == 303
    assert len(await list_applications(payer, order)) == 2


async def pay_twice(payer: Payer) -> tuple[Order, Refund]:
    """Pay by transfer, twice: the second goes back, less 58."""
    order = await payer.owe()
    code = await payer.take(order, "convenience_store/code")
    account = await payer.take(order, "atm")
    for paid in (code, account):
        await payer.sandbox.pay(paid)
        await payer.sandbox.deliver()
    [refund] = await payer.till.refunds(order)
    return order, refund


async def find_payee(payer: Payer, refund: Refund) -> Payee | None:
    async with transaction(payer.till.pool) as tx:
        return await payees.find(tx, refund_id=refund.id, vault=payer.till.settings.vault)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_paid_twice_says_where_the_money_goes(payer: Payer, language: str) -> None:
    order, refund = await pay_twice(payer)
    page = f"/payments/orders/{order.id}/refunds/{refund.id}/payee"
    shown = await payer.see_order(order, language=language)
    assert "NT$192" in shown
    assert f'href="{page}"' in shown
    wrong = await payer.post(page, {}, language=language)
    assert wrong.status == 422
    assert await find_payee(payer, refund) is None
    answer = await payer.post(page, WHOM, language=language)
    assert (answer.status, answer.headers["Location"]) == (
        303,
        f"/payments/orders/{order.id}?payee",
    )
    assert await find_payee(payer, refund) == PAYEE
    assert 'role="status"' in await payer.see(answer.headers["Location"])
    # Not shown again, but it can be replaced.
    assert PAYEE.address not in await payer.see(page)
    await payer.post(page, WHOM | {"payee": "林怡君"})
    given = await find_payee(payer, refund)
    assert given
    assert given.name == "林怡君"


async def pay_by_money_order(tx: Tx, refund: Refund) -> None:
    now = datetime.now(UTC)
    await refunds.mark_paid(
        tx, refund_id=refund.id, number="AB12345678", paid_on=now.date(), actor=BOB, now=now
    )


async def complete(payer: Payer, refund: Refund) -> None:
    """Let finance pay it by hand."""
    now = datetime.now(UTC)
    async with transaction(payer.till.pool) as tx:
        await refunds.propose(tx, refund_id=refund.id, route="payee", actor=ANN, now=now)
        await refunds.approve(tx, refund_id=refund.id, actor=BOB, now=now)
        await pay_by_money_order(tx, refund)


async def test_where_it_goes_cannot_be_changed_when_it_is_gone(payer: Payer) -> None:
    order, refund = await pay_twice(payer)
    page = f"/payments/orders/{order.id}/refunds/{refund.id}/payee"
    await payer.post(page, WHOM)
    await complete(payer, refund)
    assert "by postal money order" in await payer.see_order(order)
    for answer in (await payer.get(page), await payer.post(page, WHOM | {"payee": "林怡君"})):
        assert (answer.status, answer.headers["Location"]) == (
            303,
            f"/payments/orders/{order.id}",
        )
    given = await find_payee(payer, refund)
    assert given == PAYEE


async def test_nobody_says_where_somebody_elses_refund_goes(payer: Payer) -> None:
    order, refund = await pay_twice(payer)
    other = await payer.another()
    own = await other.owe()
    for home in (order, own):
        page = f"/payments/orders/{home.id}/refunds/{refund.id}/payee"
        assert (await other.get(page)).status == 404
        assert (await other.post(page, WHOM)).status == 404
    assert await find_payee(payer, refund) is None


async def test_a_refund_and_what_is_left_are_on_the_page_and_the_receipt(payer: Payer) -> None:
    order = await owe_paid(payer, "atm")
    await apply(payer, order, PDF)
    await decide(payer, order, "grant")
    async with transaction(payer.till.pool) as tx:
        [granted] = await refund_book.list_of_order(tx, order_id=order.id)
        await pay_by_money_order(tx, granted)
    page = await payer.see_order(order)
    assert "Paid, partly paid back" in page
    assert "NT$192 went back on" in page
    assert (await payer.get(f"/payments/orders/{order.id}/receipt.pdf")).status == 200
