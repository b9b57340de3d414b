"""Applications for money back: the reasons and proofs of the regulations, and four eyes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.payments import application_book, applications, order_book, payees, refund_lists
from services.payments.application_book import NoSuchApplication
from services.payments.applications import (
    AppliedBefore,
    NotAProof,
    NothingToRefund,
    Proof,
    ProofMissing,
    TooLateToApply,
)
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refunds import AlreadyDone, FourEyes
from services.payments.rules import TAIPEI
from shared.db import transaction
from shared.events.enrollment import ExamMoved
from shared.events.payments import ApplicationRefused, RefundDue
from tests.payments.till import Till

ANN, BOB = uuid4(), uuid4()
PAYEE = Payee("王大同", "106209", "臺北市大安區和平東路一段162號", "0912345678")
PROOF = Proof("doctor.pdf", b"%PDF-1.7 ...")
WORDS = "I was in hospital."


async def pay(till: Till, **changed: Any) -> Order:
    order = await till.owe(**changed)
    await till.pay(await till.begin(order, "card"))
    await till.learn()
    return await till.load(order)


async def apply(till: Till, order: Order, reason: str = "health", **changed: Any) -> UUID:
    given: dict[str, Any] = {
        "registration_id": order.registration_ids[0],
        "account_id": order.account_id,
        "reason": reason,
        "statement": WORDS,
        "payee": PAYEE,
        "proofs": [PROOF],
        "now": till.now,
    }
    async with transaction(till.pool) as tx:
        return await applications.apply(
            tx, vault=till.settings.vault, zone=TAIPEI, **(given | changed)
        )


async def recommend(till: Till, application_id: UUID, verdict: str) -> None:
    async with transaction(till.pool) as tx:
        await applications.recommend(
            tx,
            application_id=application_id,
            verdict=verdict,
            words="as the doctor wrote",
            actor=ANN,
            now=till.now,
        )


async def decide(till: Till, application_id: UUID, actor: UUID = BOB) -> str:
    async with transaction(till.pool) as tx:
        decided = await applications.decide(
            tx, application_id=application_id, actor=actor, vault=till.settings.vault, now=till.now
        )
    return decided.state


@pytest.mark.parametrize(
    ("reason", "amount_twd", "told"),
    [
        ("postponed", 250, "postponed"),
        ("disaster", 250, "disaster"),
        ("transport", 192, "personal"),
        ("military", 192, "personal"),
        ("health", 192, "personal"),
        ("family", 192, "personal"),
        ("other", 192, "personal"),
    ],
)
async def test_a_granted_application_gives_back_what_the_table_says(
    till: Till, reason: str, amount_twd: int, told: str
) -> None:
    order = await pay(till)
    application_id = await apply(till, order, reason)
    await recommend(till, application_id, "grant")
    assert await decide(till, application_id) == "granted"
    [refund] = await till.refunds(order)
    assert (refund.amount_twd, refund.reason, refund.state) == (amount_twd, told, "approved")
    assert (refund.proposed_by, refund.approved_by) == (ANN, BOB)
    [due] = await till.told(RefundDue)
    assert (due.amount_twd, due.reason) == (amount_twd, told)
    async with transaction(till.pool) as tx:
        found = await payees.find(tx, refund_id=refund.id, vault=till.settings.vault)
    assert found == PAYEE
    await till.advance(timedelta(days=2))
    assert await till.send_refunds() == 1
    assert (await till.load(order)).refunded_twd == amount_twd
    await till.see_every_dollar()


@pytest.mark.parametrize("reason", ["transport", "military", "health", "family", "other"])
async def test_a_personal_reason_needs_a_proof(till: Till, reason: str) -> None:
    order = await pay(till)
    with pytest.raises(ProofMissing):
        await apply(till, order, reason, proofs=[])


@pytest.mark.parametrize("reason", ["postponed", "disaster"])
async def test_what_everybody_knows_needs_no_proof(till: Till, reason: str) -> None:
    await apply(till, await pay(till), reason, proofs=[])


@pytest.mark.parametrize("beginning", [b"<svg", b"MZ", b"", b"PK\x03\x04", b"%PDF"])
async def test_a_proof_is_judged_by_its_content(till: Till, beginning: bytes) -> None:
    order = await pay(till)
    with pytest.raises(NotAProof):
        await apply(till, order, proofs=[Proof("proof.pdf", beginning)])


async def test_proofs_are_few_and_small(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    order = await pay(till)
    with pytest.raises(NotAProof):
        await apply(till, order, proofs=[PROOF] * 6)
    monkeypatch.setattr(applications, "LARGEST_PROOF_BYTES", 5)
    with pytest.raises(NotAProof):
        await apply(till, order)


async def test_applications_end_with_the_month_of_the_exam(till: Till) -> None:
    order = await pay(till, exam_date=date(2026, 9, 12))
    end = datetime(2026, 9, 30, 16, tzinfo=UTC)  # midnight in Taipei
    with pytest.raises(TooLateToApply):
        await apply(till, order, now=end)
    await apply(till, order, now=end - timedelta(seconds=1))


def moved(day: date, hour: int) -> ExamMoved:
    at = datetime(2026, 9, 11, hour, tzinfo=UTC)
    return ExamMoved(sitting="hakka-115-basic-n1", exam_date=day, moved_at=at)


PUT_OFF, BROUGHT_FORWARD = moved(date(2026, 10, 3), 9), moved(date(2026, 8, 29), 8)


@pytest.mark.parametrize(
    "heard", [[BROUGHT_FORWARD, PUT_OFF], [PUT_OFF, BROUGHT_FORWARD]], ids=["in order", "reversed"]
)
@pytest.mark.parametrize("is_owed_first", [True, False])
async def test_a_postponed_exam_puts_off_until_when_money_can_be_asked_back(
    till: Till, heard: list[ExamMoved], *, is_owed_first: bool
) -> None:
    if not is_owed_first:
        await till.hear(*heard)
    order = await pay(till, exam_date=date(2026, 9, 12))
    for each in heard if is_owed_first else []:
        await till.hear(each)
    end = datetime(2026, 10, 31, 16, tzinfo=UTC)
    with pytest.raises(TooLateToApply):
        await apply(till, order, now=end)
    application_id = await apply(till, order, now=end - timedelta(seconds=1), reason="postponed")
    await recommend(till, application_id, "grant")
    await decide(till, application_id)
    async with transaction(till.pool) as tx:
        [item] = await order_book.list_items(tx, order_id=order.id)
        [listed] = await refund_lists.list_of_order(tx, order_id=order.id)
    assert item.exam_date == listed.exam_date == PUT_OFF.exam_date


async def test_another_exam_that_is_postponed_changes_nothing(till: Till) -> None:
    order = await pay(till, sitting="hakka-115-basic-n2", exam_date=date(2026, 9, 12))
    await till.hear(PUT_OFF)
    with pytest.raises(TooLateToApply):
        await apply(till, order, now=datetime(2026, 10, 1, tzinfo=UTC))


async def test_nobody_applies_for_what_was_not_paid_or_is_not_theirs(till: Till) -> None:
    unpaid = await till.owe()
    with pytest.raises(NothingToRefund):
        await apply(till, unpaid)
    order = await pay(till)
    with pytest.raises(NothingToRefund):
        await apply(till, order, account_id=uuid4())
    with pytest.raises(NothingToRefund):
        await apply(till, order, registration_id=uuid4())


async def test_one_application_at_a_time_and_another_after_a_refusal(till: Till) -> None:
    order = await pay(till)
    application_id = await apply(till, order)
    with pytest.raises(AppliedBefore):
        await apply(till, order)
    await recommend(till, application_id, "refuse")
    assert await decide(till, application_id) == "refused"
    assert await till.refunds(order) == []
    [told] = await till.told(ApplicationRefused)
    assert (told.order_id, told.application_id) == (order.id, application_id)
    assert told.words == "as the doctor wrote"
    again = await apply(till, order)
    await recommend(till, again, "grant")
    await decide(till, again)
    with pytest.raises(NothingToRefund):
        await apply(till, order)
    await till.see_every_dollar()


async def test_two_people_decide(till: Till) -> None:
    order = await pay(till)
    application_id = await apply(till, order)
    with pytest.raises(AlreadyDone):
        await decide(till, application_id)
    await recommend(till, application_id, "grant")
    with pytest.raises(FourEyes):
        await decide(till, application_id, ANN)
    async with transaction(till.pool) as tx:
        await applications.send_back(tx, application_id=application_id, actor=BOB)
    with pytest.raises(AlreadyDone):
        await decide(till, application_id)
    await recommend(till, application_id, "grant")
    await decide(till, application_id)
    with pytest.raises(AlreadyDone):
        await decide(till, application_id)
    with pytest.raises(NoSuchApplication):
        await decide(till, uuid4())
    assert len(await till.refunds(order)) == 1
    rows = await till.pool.fetch("SELECT act FROM audit_lines WHERE subject LIKE 'application%'")
    assert [row["act"] for row in rows] == [
        "refund_applied_for",
        "application_recommended",
        "application_sent_back",
        "application_recommended",
        "application_granted",
    ]


async def test_what_a_candidate_wrote_is_sealed_and_every_look_is_on_record(till: Till) -> None:
    order = await pay(till)
    application_id = await apply(till, order)
    for table in ("refund_applications", "refund_proofs"):
        sealed = await till.pool.fetchval(f"SELECT sealed FROM {table}")
        assert b"hospital" not in sealed
        assert b"PDF" not in sealed
    async with transaction(till.pool) as tx:
        vault = till.settings.vault
        opened = await application_book.open_(
            tx, application_id=application_id, vault=vault, actor=ANN
        )
        assert (opened.statement, opened.payee) == (WORDS, PAYEE)
        [line] = opened.proofs
        proof = await application_book.open_proof(tx, proof_id=line.id, vault=vault, actor=ANN)
        assert (proof.content, proof.media_type) == (PROOF.content, "application/pdf")
        [(waiting, _)] = await application_book.list_(tx, state="sent", limit=9)
        assert waiting.id == application_id
    rows = await till.pool.fetch("SELECT act FROM audit_lines WHERE actor = $1", str(ANN))
    assert [row["act"] for row in rows] == ["application_read", "proof_read"]
