"""For payment providers: their signed notices; and for browsers that come back from them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, RootModel

from services.payments import ecpay, notices, readings
from services.payments.cashier import CASHIER, count
from services.payments.ecpay import NotUnderstood
from services.payments.ecpay_desk import Desk
from services.payments.readings import Reading
from services.payments.settlement import Capture
from shared import db
from shared.api import Operation, Operations
from shared.db import POOL, Tx, transaction
from shared.errors import NoSuchPage, Refused
from shared.lanes import Lanes
from shared.metrics import NOTICES
from shared.observe import ARRIVED_AT

log = structlog.get_logger()

FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain"
# The exact answer that ends ECPay's retries.
ACKNOWLEDGED = "1|OK"
# Who tells nothing, and is asked when somebody comes back.
LINE_PAY = "line_pay"

DESK = web.AppKey("desk", Desk)
Notices: TypeAlias = Lanes[Reading, None]
SETTLING = web.AppKey("settling", Notices)


class NotSigned(Refused):
    """The signature does not fit."""

    status = 400


class NotReadable(Refused):
    """This is no form with each name once."""

    status = 400


class NotForUs(Refused):
    """This is about another merchant."""

    status = 400


class Signed(BaseModel):
    """What every notice of ECPay holds. Whatever else comes is signed as well."""

    model_config = ConfigDict(extra="allow")

    MerchantID: str = Field(max_length=10)
    MerchantTradeNo: str = Field(max_length=20)
    TradeNo: str = Field(max_length=20)
    TradeAmt: str
    RtnCode: str
    CheckMacValue: str


class PaidForm(Signed):
    """A payment was made, or failed."""

    PaymentDate: str
    PaymentType: str
    SimulatePaid: str


class IssuedForm(Signed):
    """A code, an account or a slip was given out."""

    ExpireDate: str


class Acknowledged(RootModel[Literal["1|OK"]]):
    """It is on our disks; do not send it again."""


async def take_paid(request: web.Request) -> web.Response:
    """Take ECPay's notice of a payment (ReturnURL).

    It is answered when the notice and all that follows from it are on disk. With `SimulatePaid` it
    is acknowledged and means nothing.
    """
    desk = _find_desk(request)
    fields = await _read_signed(request, desk)
    reading = readings.read_paid(
        fields, merchant_id=desk.merchant_id, received_at=request[ARRIVED_AT]
    )
    return await _settle(request, reading)


async def take_issued(request: web.Request) -> web.Response:
    """Take ECPay's notice of a code, an account or a slip (PaymentInfoURL): not of a payment."""
    desk = _find_desk(request)
    fields = await _read_signed(request, desk)
    reading = readings.read_issued(
        fields, merchant_id=desk.merchant_id, received_at=request[ARRIVED_AT]
    )
    return await _settle(request, reading)


async def come_back_from_ecpay(request: web.Request) -> web.Response:
    """Send a browser that comes back from ECPay's cashier to its order.

    What it posts (OrderResultURL) proves nothing and is not read: the notice does.
    """
    try:
        order_id = UUID(request.match_info["order_id"])
    except ValueError:
        raise NoSuchPage from None
    raise web.HTTPSeeOther(f"/payments/orders/{order_id}")


async def come_back_from_line_pay(request: web.Request) -> web.Response:
    """Send a browser that comes back from LINE Pay to its order, and see whether it was paid.

    That it comes back proves nothing: LINE Pay is asked. It may be another browser than the one
    that left, so it need not be signed in.
    """
    # Whoever closes the page must not stop the confirmation half-way.
    attempt = await asyncio.shield(
        request.app[CASHIER].ask_one(
            request.app[POOL],
            provider=LINE_PAY,
            trade_number=request.match_info["trade_number"],
            now=request[ARRIVED_AT],
        )
    )
    if attempt is None:
        raise NoSuchPage
    raise web.HTTPSeeOther(f"/payments/orders/{attempt.order_id}")


def _find_desk(request: web.Request) -> Desk:
    if DESK not in request.app:
        raise NoSuchPage  # nobody pays through ECPay here
    return request.app[DESK]


async def _read_signed(request: web.Request, desk: Desk) -> Mapping[str, str]:
    """Read a notice that is ECPay's, or raise the alarm."""
    try:
        fields = ecpay.parse(await request.read())
    except NotUnderstood as error:
        NOTICES.labels(readings.PROVIDER, "unreadable").inc()
        log.error("notice not readable", provider=readings.PROVIDER, why=str(error))
        raise NotReadable from error
    if desk.is_signed(fields):
        return fields
    notice = readings.forged(fields, received_at=request[ARRIVED_AT])
    NOTICES.labels(readings.PROVIDER, notice.reading).inc()
    log.error("notice forged", provider=readings.PROVIDER, trade_number=notice.trade_number)
    async with transaction(request.app[POOL]) as tx:
        await notices.record_forged(tx, notice=notice)
    raise NotSigned


async def _settle(request: web.Request, reading: Reading) -> web.Response:
    """Answer when it is on disk, and not before."""
    await request.app[SETTLING].ask(reading, about=reading.notice.trade_number.encode())
    NOTICES.labels(readings.PROVIDER, reading.notice.reading).inc()
    if reading.notice.reading == "foreign":
        log.error("notice foreign", provider=readings.PROVIDER)
        raise NotForUs
    if reading.notice.reading in {"unreadable", "simulated"}:
        log.warning(
            "notice without effect",
            reading=reading.notice.reading,
            trade_number=reading.notice.trade_number,
        )
    return web.Response(text=ACKNOWLEDGED)


async def settle(tx: Tx, told: list[Reading]) -> Sequence[None]:
    """Store and settle many notices in one transaction. What cannot be settled stays stored."""
    now = max(reading.notice.received_at for reading in told)
    notice_ids = await readings.store(tx, readings=told)
    if len(told) > 1:
        # If this fails as a whole, each is tried by itself.
        captures = await readings.act(tx, readings=told, now=now)
    else:
        captures = await _settle_alone(tx, told[0], notice_ids, now=now)
    count(captures)
    return [None] * len(told)


async def _settle_alone(
    tx: Tx, told: Reading, notice_ids: Sequence[int], *, now: datetime
) -> list[Capture]:
    """Settle one notice; if a defect of ours stands in the way it stays stored, for a job."""
    try:
        async with tx.transaction():
            return await readings.act(tx, readings=[told], now=now)
    except Exception as error:
        if db.is_unavailable(error):
            raise
        log.exception("notice not settled", trade_number=told.notice.trade_number)
        await notices.put_off(tx, notice_ids=notice_ids, reason=type(error).__name__, now=now)
        return []


OPERATIONS: Operations = {
    take_paid: Operation(
        request=PaidForm,
        response=Acknowledged,
        refusals=(NotSigned, NotReadable, NotForUs, NoSuchPage),
        request_type=FORM,
        response_type=TEXT,
    ),
    take_issued: Operation(
        request=IssuedForm,
        response=Acknowledged,
        refusals=(NotSigned, NotReadable, NotForUs, NoSuchPage),
        request_type=FORM,
        response_type=TEXT,
    ),
    come_back_from_ecpay: Operation(response=None, status=303, refusals=(NoSuchPage,)),
    come_back_from_line_pay: Operation(response=None, status=303, refusals=(NoSuchPage,)),
}

ROUTES = [
    web.post("/ecpay/paid", take_paid),
    web.post("/ecpay/issued", take_issued),
    web.post("/ecpay/results/{order_id}", come_back_from_ecpay),
    web.get("/line-pay/{trade_number}", come_back_from_line_pay),
]
