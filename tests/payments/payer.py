"""Somebody signed in who has to pay, with a browser; and a till, to see what comes of it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

from aiohttp import ClientResponse, FormData

from deploy.one_machine.ports import any_free
from services.payments.cashier import Cashier
from services.payments.order_book import Order
from services.payments.settings import Settings
from services.payments.ways import create_ways
from tests.conftest import MakeDatabase
from tests.payments.till import Till
from tests.sandbox import CREDENTIALS, Sandbox, open_sandbox
from tests.site import FROM_OUR_PAGE, Site, open_site


@dataclass
class Payer:
    """Somebody signed in."""

    site: Site
    till: Till
    account_id: UUID
    cookie: dict[str, str]

    @property
    def sandbox(self) -> Sandbox:
        return self.till.sandbox

    async def owe(self, **changed: Any) -> Order:
        return await self.till.owe(account_id=self.account_id, **changed)

    async def get(self, page: str, *, language: str = "en") -> ClientResponse:
        headers = {**self.cookie, "Accept-Language": language}
        return await self.site.client.get(page, headers=headers, allow_redirects=False)

    async def see(self, page: str, *, language: str = "en") -> str:
        """Open a page that is there; return what it says, entities and all written out."""
        answer = await self.get(page, language=language)
        text = await answer.text()
        assert answer.status == 200, f"{page}: {answer.status} {text[:500]}"
        return unescape(text)

    async def see_order(self, order: Order, *, language: str = "en") -> str:
        return await self.see(f"/payments/orders/{order.id}", language=language)

    async def post(
        self, page: str, form: Mapping[str, Any] | FormData, *, language: str = "en"
    ) -> ClientResponse:
        headers = {**self.cookie, **FROM_OUR_PAGE, "Accept-Language": language}
        return await self.site.client.post(page, data=form, headers=headers, allow_redirects=False)

    async def choose(self, order: Order, way: str) -> str:
        """Choose a way to pay; return where the browser is sent."""
        answer = await self.post(f"/payments/orders/{order.id}/attempts", {"way": way})
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]

    async def check_out(self, order: Order, way: str) -> str:
        """Choose a way and go to ECPay's cashier with the form there is; return its number."""
        fields = read_hidden(await self.see(await self.choose(order, way)))
        await self.sandbox.check_out(fields)
        return fields["MerchantTradeNo"]

    async def take(self, order: Order, way: str) -> str:
        """Get what is paid at a store or bank; return what names it there."""
        code = await self.sandbox.issue(await self.check_out(order, way))
        await self.sandbox.deliver()
        return code

    async def pay(self, order: Order, way: str = "card") -> None:
        """Pay by card or at a store, and let the notice arrive."""
        number = await self.check_out(order, way)
        code = number if way == "card" else await self.sandbox.issue(number)
        await self.sandbox.pay(code)
        await self.sandbox.deliver()

    async def another(self) -> "Payer":
        """Somebody else, on the same site."""
        account_id, cookie = await self.site.begin_session()
        return replace(self, account_id=account_id, cookie=cookie)


def read_hidden(page: str) -> dict[str, str]:
    """Read what a form sends without being asked."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


@asynccontextmanager
async def open_payer(make_database: MakeDatabase, **rules: Any) -> AsyncIterator[Payer]:
    """Open a site with a sandbox to pay at; `rules` are the sandbox's."""
    port = any_free()
    async with (
        open_sandbox(**rules) as sandbox,
        open_site(
            make_database,
            *("identity", "payments"),
            EXAMHALL_PORT=str(port),
            EXAMHALL_PUBLIC_URL=f"http://127.0.0.1:{port}",
            ecpay_url=sandbox.ecpay,
            line_pay_url=sandbox.line_pay,
            **CREDENTIALS,
        ) as site,
    ):
        settings = site.settings["payments"]
        assert isinstance(settings, Settings)
        cashier = Cashier(create_ways(settings))
        now = datetime.now(UTC)
        till = Till(site.pools["payments"], site.client, sandbox, settings, cashier, now)
        account_id, cookie = await site.begin_session()
        yield Payer(site, till, account_id, cookie)
