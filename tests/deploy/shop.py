"""A shop of a test's own: signs what it sends to the sandbox, and writes down what it is told."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.sandbox.ecpay.mac import Merchant
from deploy.sandbox.rules import STRICT
from tests.sandbox import MERCHANT, Sandbox, open_sandbox

ACKNOWLEDGED = "1|OK"
QUERY = "/Cashier/QueryTradeInfo/V5"
EXPIRY = {"ATM": {"ExpireDate": "3"}, "CVS": {"StoreExpireDate": "60"}}
NONE: Mapping[str, str] = {}
numbers = count(1)


@dataclass
class Shop:
    """Where notices arrive, what is answered to them, and how the shop asks."""

    sandbox: Sandbox
    url: str = ""
    answer: str = ACKNOWLEDGED
    status: int = 200
    heard: list[dict[str, str]] = field(default_factory=list)
    # What its own page brings the browser's way: a form, and where it leads.
    page: tuple[dict[str, str], str] = field(default_factory=lambda: ({}, ""))
    on_heard: Callable[[], None] = lambda: None

    async def hear(self, request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.heard.append(fields)
        self.on_heard()
        headers = {"Location": "/notices"} if self.status == 302 else {}
        return web.Response(text=self.answer, status=self.status, headers=headers)

    async def show(self, _request: web.Request) -> web.Response:
        form, leads_to = self.page
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in form.items()
        )
        page = f'<form action="{leads_to}" method="post">{inputs}<button>Pay</button></form>'
        return web.Response(text=page, content_type="text/html")

    def form(self, method: str, **changed: str) -> dict[str, str]:
        """Make a signed form; a field that is changed to nothing is left out."""
        return self.form_of(MERCHANT, method, **changed)

    def form_of(self, signer: Merchant, method: str, **changed: str) -> dict[str, str]:
        """Make a form as another shop would."""
        form = {
            "MerchantID": signer.id,
            "MerchantTradeNo": f"EH{next(numbers):08d}",
            "MerchantTradeDate": "2026/05/01 09:30:00",
            "PaymentType": "aio",
            "TotalAmount": "250",
            "TradeDesc": "認證報名費",
            "ItemName": "初級認證報名費 250 元 x 1",
            "ReturnURL": f"{self.url}/notices",
            "ChoosePayment": method,
            "EncryptType": "1",
            **EXPIRY.get(method, {}),
            **({} if method == "Credit" else {"PaymentInfoURL": f"{self.url}/notices"}),
            **changed,
        }
        return signer.sign({name: value for name, value in form.items() if value})

    async def order(self, method: str, **changed: str) -> tuple[str, str]:
        """Check an order out; return its number, and its code if it can have one."""
        form = self.form(method, **changed)
        await self.sandbox.check_out(form)
        number = form["MerchantTradeNo"]
        return number, "" if method == "Credit" else await self.sandbox.issue(number)

    async def ask(
        self, path: str, fields: Mapping[str, str], *, signer: Merchant = MERCHANT
    ) -> tuple[int, dict[str, str], str]:
        """Ask ECPay something, signed; return status, answer and the answer as it came."""
        signed = signer.sign({"MerchantID": signer.id, **fields})
        answer = await self.sandbox.session.post(f"{self.sandbox.ecpay}{path}", data=signed)
        text = await answer.text()
        return answer.status, dict(parse_qsl(text, keep_blank_values=True)), text

    async def about(self, number: str, seconds: int = 0) -> dict[str, str]:
        """What a question about a trade says, if it was written so many seconds from now."""
        stamp = (await self.sandbox.now()).timestamp() + seconds
        return {"MerchantTradeNo": number, "TimeStamp": f"{stamp:.0f}"}

    async def query(self, number: str) -> dict[str, str]:
        """Ask how a trade stands; the answer is signed."""
        status, told, _ = await self.ask(QUERY, await self.about(number))
        assert status == 200
        assert MERCHANT.has_signed(told)
        return told

    async def line(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] = NONE,
        nonce: str = "",
    ) -> dict[str, Any]:
        """Call LINE Pay, signed by hand; headers can be spoiled."""
        payload = raw if raw is not None else json.dumps(body).encode() if body else b""
        address, _, query = path.partition("?")
        nonce, secret = nonce or str(uuid4()), STRICT.channel_secret.encode()
        signed = secret + address.encode() + (payload or query.encode()) + nonce.encode()
        mac = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
        answer = await self.sandbox.session.request(
            method,
            f"{self.sandbox.line_pay}{path}",
            data=payload or None,
            headers={
                "Content-Type": "application/json",
                "X-LINE-ChannelId": STRICT.channel_id,
                "X-LINE-Authorization-Nonce": nonce,
                "X-LINE-Authorization": mac,
                **headers,
            },
        )
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        return told


@asynccontextmanager
async def open_shop(**rules: Any) -> AsyncIterator[Shop]:
    """Open a shop and the sandbox it sells through."""
    async with open_sandbox(**rules) as sandbox:
        shop = Shop(sandbox)
        app = web.Application()
        app.add_routes(
            [
                web.get("/", shop.show),
                web.post("/notices", shop.hear),
                web.post("/result", shop.hear),
            ]
        )
        async with TestServer(app) as server:
            shop.url = str(server.make_url("")).rstrip("/")
            yield shop


def line_order(order_id: str = "", **changed: Any) -> dict[str, Any]:
    """Make the body of a request to LINE Pay that is in order."""
    products = [{"name": "初級認證報名費", "quantity": 1, "price": 250}]
    return {
        "amount": 250,
        "currency": "TWD",
        "orderId": order_id or f"EH{next(numbers):08d}",
        "packages": [{"id": "1", "amount": 250, "name": "認證", "products": products}],
        "redirectUrls": {
            "confirmUrl": "https://shop.example/confirm?language=en",
            "cancelUrl": "https://shop.example/cancel",
        },
        **changed,
    }
