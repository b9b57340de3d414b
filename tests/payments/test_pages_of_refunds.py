"""Asking for money back, and saying where to send it: what the pages take, refuse and show."""

import asyncio
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.payments import refunds
from services.payments.order_book import Order
from shared.db import transaction
from tests.enrollment.pictures import draw, open_
from tests.payments.applying import (
    ANN,
    BOB,
    EARLIER,
    LANGUAGES,
    LATER,
    PAYEE,
    PDF,
    apply,
    decide,
    list_applications,
    open_application,
    open_proof,
    owe_paid,
    page_of,
    recommend,
)
from tests.payments.payer import Payer


async def test_each_reason_says_what_proof_it_needs_and_what_goes_back(payer: Payer) -> None:
    order = await owe_paid(payer)
    assert f'href="{page_of(order)}"' in await payer.see_order(order)
    page = await payer.see(page_of(order))
    assert page.count("No proof is needed.<br>Goes back: NT$250.") == 2
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


async def pay_wrongly(payer: Payer, amount_twd: int) -> Order:
    order = await payer.owe()
    await payer.sandbox.pay(await payer.take(order, "atm"), amount=amount_twd)
    await payer.sandbox.deliver()
    return order


async def see_money_back(payer: Payer, order: Order) -> str:
    page = await payer.see_order(order)
    return page.partition(">Money back<")[2].partition("</main>")[0]


async def propose(payer: Payer, *, keep: bool) -> UUID:
    [money] = await payer.till.undecided()
    async with transaction(payer.till.pool) as tx:
        return await refunds.take_surplus(
            tx, capture_id=money.id, keep=keep, actor=ANN, now=datetime.now(UTC)
        )


async def approve(payer: Payer, refund_id: UUID) -> None:
    async with transaction(payer.till.pool) as tx:
        await refunds.approve(tx, refund_id=refund_id, actor=BOB, now=datetime.now(UTC))


@pytest.mark.parametrize("keep", [True, False])
async def test_what_is_only_proposed_is_not_told(payer: Payer, *, keep: bool) -> None:
    order = await pay_wrongly(payer, 249)
    before = await see_money_back(payer, order)
    assert "Nothing is lost" in before
    refund_id = await propose(payer, keep=keep)
    assert await see_money_back(payer, order) == before
    address = f"/payments/orders/{order.id}/refunds/{refund_id}/payee"
    assert (await payer.get(address)).status == 404
    async with transaction(payer.till.pool) as tx:
        await refunds.send_back(tx, refund_id=refund_id, actor=BOB, words="whose is it?")
    assert await see_money_back(payer, order) == before


async def test_what_is_decided_to_go_back_is_told(payer: Payer) -> None:
    order = await pay_wrongly(payer, 249)
    await approve(payer, await propose(payer, keep=False))
    page = await payer.see_order(order)
    assert "NT$191 goes back to you." in page
    assert "Nothing is lost" not in page


@pytest.mark.parametrize(
    ("amount_twd", "words"),
    [
        (249, {"en": "decided to keep it", "zh-TW": "決定不予退還"}),
        (58, {"en": "because of the fee for postage and handling", "zh-TW": "扣除郵資及行政費"}),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_kept_is_told_with_its_reason(
    payer: Payer, amount_twd: int, words: dict[str, str], language: str
) -> None:
    order = await pay_wrongly(payer, amount_twd)
    await approve(payer, await propose(payer, keep=True))
    page = await payer.see_order(order, language=language)
    assert words[language] in page
    assert ("keep it" in page) <= (amount_twd == 249)
