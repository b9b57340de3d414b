"""Somebody who has to pay: goes to the sandbox's cashier, to its store, and to LINE Pay."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.payments import orders
from shared import db, outbox
from shared.db import Connection
from shared.events.enrollment import RegistrationSubmitted
from tests.eventually import eventually
from tests.journeys.conftest import Arrive, Place
from tests.journeys.visitor import PATIENCE_SECONDS, Visitor

ALL_WAYS = ["convenience_store", "atm", "card", "line_pay"]
TITLES = {"zh-Hant-TW": "基礎級暨初級全國認證", "en": "Basic, national"}
PAID = {"en": "Your payment has arrived.", "zh-Hant-TW": "已收到您的繳費"}
# How long the page takes that looks by itself without script: ten seconds between two looks.
LONG_MS = 30_000


@dataclass
class Payer:
    """Somebody signed in who has sent a registration."""

    visitor: Visitor
    place: Place
    account_id: UUID
    registration_id: UUID = field(default_factory=uuid4)

    @property
    def sandbox(self) -> str:
        return self.place.environment["SANDBOX_URL"]

    async def owe(self, **changed: Any) -> None:
        """Let enrollment publish that the registration was submitted."""
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "registration_id": self.registration_id,
            "account_id": self.account_id,
            "reference": f"HK-{uuid4().hex[:4].upper()}-2XKD",
            "sitting": "hakka-115-basic-n01",
            "sitting_titles": TITLES,
            "programme": "hakka-115",
            "exam_date": date(2036, 9, 12),
            "amount_twd": 250,
            "methods": ALL_WAYS,
            "submitted_at": now,
            "pay_by": now + timedelta(days=4),
        }
        async with self.connect("enrollment") as connection, connection.transaction():
            await outbox.publish(connection, [RegistrationSubmitted(**(told | changed))])

    @asynccontextmanager
    async def connect(self, service: str) -> AsyncIterator[Connection]:
        url = self.place.environment[f"{service.upper()}_DATABASE_URL"]
        connection = await db.connect(url, application="journeys")
        try:
            yield connection
        finally:
            await connection.close()

    @property
    def _way_to_the_order(self) -> str:
        return f"/payments/registrations/{self.registration_id}"

    async def find_order(self) -> None:
        """Ask for the payment as soon as word of the registration has come."""
        visitor = self.visitor
        await self.owe()

        async def has_come() -> bool:
            answer = await visitor.page.request.get(
                visitor.url + self._way_to_the_order, max_redirects=0
            )
            return answer.status == 303

        await eventually(has_come, every=0.1)
        await visitor.open(self._way_to_the_order)

    async def find_order_by_waiting(self) -> None:
        """Ask for the payment too early, and be led to it as soon as it is there."""
        visitor = self.visitor
        await visitor.open(self._way_to_the_order)
        assert await visitor.page.locator("[data-poll]").count() == 1
        await self.owe()
        await visitor.page.wait_for_url("**/payments/orders/*")
        await visitor.look()

    async def choose(self, way: str) -> None:
        """Choose a way to pay; without script, press the button that leads to the cashier."""
        page = self.visitor.page
        if await page.locator("[name=way]").count() == 0:
            await page.click("main a[href$='/ways']")
            await self.visitor.look()
        await page.check(f"[name=way][value='{way}']")
        await page.click("main button[type=submit]")
        if way == "line_pay":
            await page.wait_for_url("**/payments/orders/*")
            await self.visitor.look()
            return
        if not self.visitor.script:
            await page.wait_for_url("**/attempts/*")
            await self.visitor.look()
            await page.click("main button[type=submit]")
        await page.wait_for_url("**/ecpay/cashier/*")

    async def press_there(self, choice: str) -> None:
        """Press a button of a provider's page."""
        async with self.visitor.page.expect_navigation():
            await self.visitor.page.click(f"button[value={choice}]")

    async def come_back(self, door: str) -> None:
        """Leave a provider's page for ours."""
        await self.visitor.page.click(door)
        await self.visitor.page.wait_for_url("**/payments/orders/*")
        await self.visitor.look()

    async def waits_for(self, what: str) -> None:
        """Do nothing until the page shows something by itself."""
        await self.visitor.page.wait_for_selector(what, timeout=LONG_MS)
        await self.visitor.look()

    async def pay_at_the_counter(self, code: str) -> None:
        """Pay at the store or bank, with another device."""
        page = await self.visitor.page.context.new_page()
        await page.goto(f"{self.sandbox}/counter/")
        await page.fill("#code", code)
        await page.click("button.main")
        await page.wait_for_url("**/counter/receipts/*")
        await page.close()

    async def sees(self, words: str) -> None:
        """Look again until the page says it: the news passes through queues and processes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while words not in await self.visitor.text():
                await self.visitor.page.reload()
                await asyncio.sleep(0.2)
        await self.visitor.look()

    async def sees_paid(self) -> None:
        await self.sees(PAID[self.visitor.language])
        await self.visitor.page.wait_for_selector("main a[href$='/receipt.pdf']")

    async def read_paper(self, link: str) -> str:
        """Download a PDF that the page links to, and read it."""
        address = await self.visitor.page.get_attribute(f"main a[href$='{link}']", "href")
        answer = await self.visitor.page.request.get(f"{self.visitor.url}{address}")
        assert answer.headers["content-type"] == "application/pdf"
        reader = await asyncio.create_subprocess_exec(
            "pdftotext", "-", "-", stdin=PIPE, stdout=PIPE
        )
        read, _ = await reader.communicate(await answer.body())
        return read.decode()

    async def let_time_pass(self) -> None:
        """Let the deadline be over for this order, and the worker's job look at it now."""
        now = datetime.now(UTC)
        async with self.connect("payments") as connection, connection.transaction():
            await connection.execute(
                """
                UPDATE orders SET pay_by = $2 FROM order_items
                 WHERE orders.id = order_id AND registration_id = $1
                """,
                self.registration_id,
                now - timedelta(seconds=1),
            )
            await orders.lapse(connection, now=now)


async def arrive_to_pay(
    arrive: Arrive, place: Place, language: str = "zh-Hant-TW", *, script: bool = True
) -> Payer:
    """Sign somebody in who has no payment yet."""
    visitor = await arrive(language, script=script)
    email, password = await place.add_candidate()
    connection = await asyncpg.connect(place.environment["IDENTITY_DATABASE_URL"])
    account_id = await connection.fetchval("SELECT id FROM accounts WHERE email = $1", email)
    await connection.close()
    await visitor.send("/identity/sign-in", email=email, password=password)
    # On a site that has just started, payments first has to hear by which key identity signs.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await visitor.page.request.get(f"{place.url}/payments/", max_redirects=0)).ok:
            await asyncio.sleep(0.2)
    await visitor.open("/payments/")
    return Payer(visitor, place, account_id)
