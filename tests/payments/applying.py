"""Candidates who ask for money back, in tests, and finance that judges it."""

import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientResponse, FormData

from services.payments import (
    application_book,
    applications,
)
from services.payments.application_book import Application, OpenedApplication
from services.payments.order_book import Order
from services.payments.payees import Payee
from shared.db import transaction
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
