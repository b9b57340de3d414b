"""The sandbox's payment providers, running in this process, and hands to pay, cheat and look with.

    async with open_sandbox() as sandbox:
        settings = {
            "ecpay_url": sandbox.ecpay, "ecpay_cashier_url": sandbox.ecpay,
            "line_pay_url": sandbox.line_pay, **CREDENTIALS,
        }
        page = await sandbox.check_out(form)     # what the browser posts, signed by the shop
        code = await sandbox.issue(number)       # somebody presses "get the code"
        await sandbox.misbehave("duplicate", number=number, copies=10)
        await sandbox.pay(code)                  # at the store; a card by its trade number
        answers = await sandbox.deliver()        # every notice that is due, sent now
        assert (await sandbox.captured())["captured_twd"] == 250

Nothing is sent by itself unless `sends_by_itself` is asked for: a test delivers when it wants to.
Its clock is the real one until `set_time`; queries must carry a TimeStamp within three minutes.
"""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse, ClientSession, DummyCookieJar
from aiohttp.test_utils import TestServer
from yarl import URL

from deploy.one_machine import ports
from deploy.sandbox.app import create_app
from deploy.sandbox.bank import Bank
from deploy.sandbox.rules import STRICT

FROM_ITS_OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
MERCHANT = STRICT.merchants["3002607"]
# What the sandbox knows the shop by, as payments' settings are named.
CREDENTIALS = {
    "ecpay_merchant_id": MERCHANT.id,
    "ecpay_hash_key": MERCHANT.key,
    "ecpay_hash_iv": MERCHANT.iv,
    "line_pay_channel_id": STRICT.channel_id,
    "line_pay_channel_secret": STRICT.channel_secret,
}


@dataclass
class Sandbox:
    """Both providers at an address, and everything that people and tests do with them."""

    url: str
    session: ClientSession

    @property
    def ecpay(self) -> str:
        return f"{self.url}/ecpay"

    @property
    def line_pay(self) -> str:
        return f"{self.url}/line-pay"

    async def check_out(self, form: Mapping[str, str]) -> str:
        """Post the shop's form as a browser does; return the address of the cashier's page."""
        answer = await self.session.post(
            f"{self.ecpay}/Cashier/AioCheckOut/V5", data=dict(form), allow_redirects=False
        )
        assert answer.status == 303, await answer.text()
        return f"{self.url}{answer.headers['Location']}"

    async def press(self, page: str, choice: str, **more: str) -> str:
        """Press a button of a provider's page; return where the browser is sent."""
        answer = await self.session.post(
            page, data={"choice": choice, **more}, headers=FROM_ITS_OWN_PAGE, allow_redirects=False
        )
        assert answer.status == 303, await answer.text()
        return str(URL(page).join(URL(answer.headers["Location"])))

    async def issue(self, number: str, *, bank: str = "ATM_BOT") -> str:
        """Take the code, account or slip of an order that was checked out."""
        order = await self.order(number)
        await self.press(f"{self.ecpay}/cashier/{order['trade_no']}", "issue", bank=bank)
        return str((await self.order(number))["code"])

    async def pay(
        self, code: str, *, amount: int | None = None, place: str = "", also_expired: bool = False
    ) -> dict[str, Any]:
        """Pay a code, an account, a slip, or whatever the trade number names, also a card."""
        asked = {"code": code, "amount": amount, "place": place, "also_expired": also_expired}
        return dict(await self._control("POST", "payments", asked))

    async def decline(self, number: str) -> dict[str, Any]:
        """Let the card's bank say no."""
        return dict(await self._control("POST", "declines", {"code": number}))

    async def misbehave(self, kind: str, **more: Any) -> None:
        """Let something go wrong: see deploy/sandbox/faults.py for kinds and their details.

        `number` is the order's (MerchantTradeNo or orderId), else the next one's; `times` how
        often; `on` the moment: issued, paid, checkout, query, query_code, action, request,
        confirm, check, details, refund; `done=False` lets it fail before any work was done.
        """
        await self._control("POST", "faults", {"kind": kind, **more})

    async def behave(self) -> None:
        """Nothing goes wrong any more."""
        await self._control("DELETE", "faults")

    async def faults(self) -> list[dict[str, Any]]:
        """What is still to go wrong."""
        return [dict(one) for one in await self._control("GET", "faults")]

    async def claim_paid(
        self, number: str, *, kind: str = "forged", amount: int | None = None
    ) -> None:
        """Prepare a notice about a payment that never was: forged, simulated, or well signed."""
        await self._control("POST", "notices", {"number": number, "kind": kind, "amount": amount})

    async def deliver(self) -> list[str]:
        """Send every notice that is due, wait for the answers, and return them."""
        return [str(one) for one in await self._control("POST", "notices/delivery")]

    async def captured(self) -> dict[str, Any]:
        """All money: captured_twd, payments, refunded_twd, refunds, by_method and movements."""
        return dict(await self._control("GET", "captured"))

    async def order(self, number: str) -> dict[str, Any]:
        """What the providers know about an order: by its trade number or orderId."""
        orders = await self._control("GET", f"orders?number={quote(number)}")
        found: list[dict[str, Any]] = orders["ecpay"] + orders["line_pay"]
        [order] = found
        return order

    async def notices(self) -> list[dict[str, Any]]:
        """What was told or is to be told, the newest first."""
        return [dict(one) for one in (await self._control("GET", "notices"))["latest"]]

    async def count_waiting(self) -> int:
        """How many notices are still to arrive: neither acknowledged nor given up."""
        return int((await self._control("GET", "notices"))["waiting"])

    async def now(self) -> datetime:
        """What time it is at the providers."""
        return datetime.fromisoformat((await self._control("GET", "clock"))["now"])

    async def set_time(self, now: datetime) -> None:
        """Let it be this time at the providers; their clock goes on from there."""
        await self._control("PUT", "clock", {"now": now.isoformat()})

    async def set_ahead(self, by: timedelta) -> None:
        """Let the providers' clock be ahead of the real one."""
        await self._control("PUT", "clock", {"ahead_seconds": by.total_seconds()})

    async def approve(self, payment_url: str, *, comes_back: bool = True) -> str:
        """Approve at LINE Pay; return where the browser is sent, unless it is closed then."""
        return await self.press(payment_url, "approve" if comes_back else "approve_only")

    async def cancel(self, payment_url: str) -> str:
        return await self.press(payment_url, "cancel")

    async def fail(self, payment_url: str) -> str:
        """Have not enough money at LINE Pay."""
        return await self.press(payment_url, "fail")

    async def _control(self, method: str, what: str, asked: Mapping[str, Any] | None = None) -> Any:
        answer: ClientResponse = await self.session.request(
            method, f"{self.url}/control/{what}", json=asked
        )
        assert answer.ok, await answer.text()
        return await answer.json()


@asynccontextmanager
async def open_sandbox(
    *, folder: Path | None = None, sends_by_itself: bool = False, **rules: Any
) -> AsyncIterator[Sandbox]:
    """Run the sandbox on a free port; `rules` are those of deploy/sandbox/rules.py."""
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="sandbox-") as fresh:
        bank = Bank(
            folder or Path(fresh),
            url=url,
            rules=replace(STRICT, **rules),
            sends_by_itself=sends_by_itself,
        )
        async with (
            TestServer(create_app(bank=bank), port=port),
            ClientSession(cookie_jar=DummyCookieJar()) as session,
        ):
            yield Sandbox(url, session)
