"""LINE Pay: approved in its app, then checked and confirmed by us; given back through its API."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from pydantic import SecretStr

from services.payments import wire
from services.payments.methods import (
    Answer,
    Asked,
    Begun,
    Given,
    Link,
    Money,
    Question,
    Repaid,
    Repayment,
    Reply,
    Standing,
)
from services.payments.wire import Unclear

LAG = timedelta(hours=1)
# A request nobody confirms runs out after about 20 minutes.
REQUEST_LASTS = timedelta(minutes=20)
ANSWER_SECONDS, CONFIRM_SECONDS = 20, 40
CURRENCY = "TWD"
ITEM = "Exam registration fee"

DONE = "0000"
APPROVED, CANCELLED, FAILED, COMPLETED = "0110", "0121", "0122", "0123"
NO_SUCH_TRANSACTION = "1150"
# Nothing moved, and never will by this call: the amount, the state or the parameters are wrong.
REFUSALS = frozenset({"1106", "1124", "1153", "1164", "2101", "2102"})
# A refund of what was given back already: somebody else's, or ours of the last try.
REFUNDED_BEFORE = "1165"


def signature(*, secret: str, path: str, payload: str, nonce: str) -> str:
    """Sign a call: the path without host, and the exact body or the query without its `?`."""
    message = f"{secret}{path}{payload}{nonce}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True)
class LinePay:
    """LINE Pay Online API."""

    url: str
    version: str
    channel_id: str
    secret: SecretStr
    public_url: str
    name: str = "line_pay"
    provider: str = "line_pay"
    variants: Sequence[str] = ("",)
    # Nobody tells when within these minutes somebody approved: they have the benefit of it.
    grace: timedelta = REQUEST_LASTS
    first_ask: timedelta = timedelta(seconds=30)
    longest_wait: timedelta = timedelta(minutes=5)

    def takes(self, amount_twd: int, variant: str) -> bool:
        return amount_twd >= 1

    def last_word_at(self, pay_by: datetime, variant: str) -> datetime:
        return pay_by + LAG

    async def begin(self, asked: Asked) -> Begun:
        back = f"{self.public_url}/payments/hooks/line-pay/{asked.trade_number}"
        product = {"name": ITEM, "quantity": 1, "price": asked.amount_twd}
        package = {"id": "1", "amount": asked.amount_twd, "name": ITEM, "products": [product]}
        body = {
            "amount": asked.amount_twd,
            "currency": CURRENCY,
            "orderId": asked.trade_number,
            "packages": [package],
            "redirectUrls": {"confirmUrl": back, "cancelUrl": back},
        }
        try:
            told = await self._post("/payments/request", body)
            code = _code(told)
            if code == DONE:
                given = _read_request(told, until=asked.now + REQUEST_LASTS)
                return Begun(
                    Standing.OPEN,
                    Link(given.instructions["web"], given.instructions["app"]),
                    given,
                )
        except Unclear as error:
            return Begun(Standing.UNKNOWN, reply=str(error))
        standing = Standing.OVER if code in REFUSALS else Standing.UNKNOWN
        return Begun(standing, reply=code)

    async def ask(self, question: Question) -> Answer:
        """Check, and confirm what was approved; what was completed is read in the details."""
        try:
            if question.provider_number is None:
                return await self._ask_unanswered(question)
            told = await self._get(f"/payments/requests/{question.provider_number}/check")
            match code := _code(told):
                case "0110" if question.may_take:
                    return await self._confirm(question)
                case "0000" | "0110":
                    return Answer(Standing.OPEN, reply=code)
                case "0121" | "0122":
                    return Answer(Standing.OVER, reply=code)
                case "0123":
                    return await self._read_details(question)
        except Unclear as error:
            return Answer(Standing.UNKNOWN, reply=str(error))
        standing = Standing.ABSENT if code == NO_SUCH_TRANSACTION else Standing.UNKNOWN
        return Answer(standing, reply=code)

    async def _ask_unanswered(self, question: Question) -> Answer:
        """Nobody was told where to pay what we had no answer about: it ends with the request."""
        answer = await self._read_details(question)
        has_run_out = question.now >= question.begun_at + REQUEST_LASTS
        if answer.standing is Standing.ABSENT and has_run_out:
            return Answer(Standing.OVER, reply=answer.reply)
        return answer

    async def _confirm(self, question: Question) -> Answer:
        told = await self._post(
            f"/payments/{question.provider_number}/confirm",
            {"amount": question.amount_twd, "currency": CURRENCY},
            seconds=CONFIRM_SECONDS,
        )
        if _code(told) != DONE:
            # Taken already, being taken, or not at all: the next check tells.
            return Answer(Standing.UNKNOWN, reply=_code(told))
        info = _mapping(told.get("info"))
        number = _digits(info, "transactionId")
        if number != question.provider_number or info.get("orderId") != question.trade_number:
            raise Unclear("a confirmation of another payment")
        return Answer(Standing.PAID, money=Money(number, _total(info), question.now))

    async def _read_details(self, question: Question) -> Answer:
        info = await self._find(question.trade_number)
        if info is None:
            return Answer(Standing.ABSENT, reply=NO_SUCH_TRANSACTION)
        paid_at = _instant(info.get("transactionDate"))
        money = Money(_digits(info, "transactionId"), _total(info), paid_at)
        return Answer(Standing.PAID, money=money)

    async def _find(self, trade_number: str) -> Mapping[str, Any] | None:
        """A completed payment's details."""
        told = await self._get("/payments", urlencode({"orderId": trade_number}))
        if _code(told) == NO_SUCH_TRANSACTION:
            return None
        if _code(told) != DONE:
            raise Unclear(_code(told))
        found = told.get("info")
        for info in found if isinstance(found, list) else []:
            if _mapping(info).get("orderId") == trade_number:
                return _mapping(info)
        raise Unclear("details of other payments")

    async def repay(self, repayment: Repayment) -> Reply:
        try:
            told = await self._post(
                f"/payments/{repayment.provider_number}/refund",
                {"refundAmount": repayment.amount_twd},
            )
            code = _code(told)
        except Unclear as error:
            return Reply(Repaid.UNKNOWN, str(error))
        if code == DONE:
            return Reply(Repaid.DONE, code)
        if code in REFUSALS | {REFUNDED_BEFORE, NO_SUCH_TRANSACTION}:
            return Reply(Repaid.REFUSED, code)
        return Reply(Repaid.UNKNOWN, code)

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        """Compare what went back there with what had gone back before; then, if need be, repay."""
        try:
            info = await self._find(repayment.trade_number)
            if info is None:
                return Reply(Repaid.UNKNOWN, NO_SUCH_TRANSACTION)
            back = sum(_amount(one, "refundAmount") for one in _list(info.get("refundList")))
        except Unclear as error:
            return Reply(Repaid.UNKNOWN, str(error))
        if back == repayment.before_twd + repayment.amount_twd:
            return Reply(Repaid.DONE, "found among its refunds")
        if back == repayment.before_twd:
            return await self.repay(repayment)
        return Reply(Repaid.STUCK, f"{back} went back there, {repayment.before_twd} by us")

    async def _post(
        self, path: str, body: Mapping[str, object], *, seconds: float | None = None
    ) -> Mapping[str, Any]:
        # What is signed is what is sent, byte for byte.
        return await self._call("POST", path, json.dumps(body), seconds or ANSWER_SECONDS)

    async def _get(self, path: str, query: str = "") -> Mapping[str, Any]:
        return await self._call("GET", path, query, ANSWER_SECONDS)

    async def _call(
        self, method: str, path: str, payload: str, seconds: float
    ) -> Mapping[str, Any]:
        path, nonce = f"/{self.version}{path}", str(uuid4())
        signed = signature(
            secret=self.secret.get_secret_value(), path=path, payload=payload, nonce=nonce
        )
        status, content = await wire.call(
            method,
            self.url + path + (f"?{payload}" if method == "GET" and payload else ""),
            body=payload.encode() if method == "POST" else None,
            headers={
                "Content-Type": "application/json",
                "X-LINE-ChannelId": self.channel_id,
                "X-LINE-Authorization-Nonce": nonce,
                "X-LINE-Authorization": signed,
            },
            seconds=seconds,
        )
        if status != 200:
            raise Unclear(str(status))
        try:
            return _mapping(json.loads(content))
        except (ValueError, RecursionError) as error:
            raise Unclear("not JSON") from error


def _read_request(told: Mapping[str, Any], *, until: datetime) -> Given:
    info = _mapping(told.get("info"))
    address = _mapping(info.get("paymentUrl"))
    web, app = address.get("web"), address.get("app")
    if not isinstance(web, str) or not isinstance(app, str):
        raise Unclear("no address to pay at")
    return Given(_digits(info, "transactionId"), {"web": web, "app": app}, until)


def _code(told: Mapping[str, Any]) -> str:
    return str(told.get("returnCode", ""))[:20]


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unclear("not an object")
    return value


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _digits(info: Mapping[str, Any], name: str) -> str:
    """Their numbers have 19 digits: a JSON number that Python reads whole, and keeps as text."""
    value = str(info.get(name, ""))
    if not (value.isascii() and value.isdigit()):
        raise Unclear(f"no {name}")
    return value


def _amount(info: object, name: str) -> int:
    value = _mapping(info).get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise Unclear(f"no {name}")
    return int(value)


def _total(info: Mapping[str, Any]) -> int:
    total = sum(_amount(part, "amount") for part in _list(info.get("payInfo")))
    if total <= 0:
        raise Unclear("no amount")
    return total


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Unclear("no date") from error
    if instant.tzinfo is None:
        raise Unclear("a date without a zone")
    return instant
