"""A till: payments' web side and jobs on a fresh database, and the sandbox as both providers."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from socket import AddressFamily
from typing import Any
from uuid import uuid4

from aiohttp.test_utils import TestClient, TestServer, get_port_socket

from services.payments import (
    attempt_book,
    consumers,
    ledger,
    money_lists,
    notices,
    order_book,
    orders,
    refund_book,
)
from services.payments.app import create_app
from services.payments.attempt_book import Attempt
from services.payments.cashier import Cashier, Opened
from services.payments.methods import PROVIDERS, Form, Link
from services.payments.money_lists import Money
from services.payments.notices import Notice
from services.payments.order_book import Item, Order
from services.payments.orders import NewOrder
from services.payments.refund_book import Refund
from services.payments.schedule import settle_notices
from services.payments.settings import Settings
from services.payments.ways import create_ways
from shared import db
from shared.db import Pool, transaction
from shared.events import Event, decode
from shared.events.enrollment import RegistrationSubmitted
from shared.web import build
from tests.sandbox import CREDENTIALS, Sandbox, open_sandbox
from tests.site import SECRET

# A Monday morning in Taipei, far from ECPay's closing hour.
MORNING = datetime(2026, 5, 4, 2, tzinfo=UTC)
PAY_BY = datetime(2026, 5, 8, 16, tzinfo=UTC)
TITLES = {"zh-Hant-TW": "基礎級暨初級", "en": "Basic"}
METHODS = ["convenience_store", "atm", "card", "line_pay"]


@dataclass
class Till:
    """Everything a story needs: hands, a clock, and eyes."""

    pool: Pool
    client: TestClient  # type: ignore[type-arg]
    sandbox: Sandbox
    settings: Settings
    cashier: Cashier
    now: datetime

    async def owe(self, **changed: Any) -> Order:
        """Let a registration be submitted, and its news arrive."""
        submitted = self.submitted(**changed)
        await self.hear(submitted)
        return await self.order_of(submitted)

    async def owe_together(self, count: int) -> Order:
        """Let a group owe for several registrations."""
        parts = [self.submitted() for _ in range(count)]
        first = parts[0]
        new = NewOrder(
            account_id=first.account_id,
            reference=first.reference,
            titles=TITLES,
            methods=METHODS,
            opened_at=self.now,
            pay_by=self.now + (PAY_BY - MORNING),
            items=[
                Item(
                    part.registration_id,
                    part.reference,
                    TITLES,
                    part.sitting,
                    part.programme,
                    part.exam_date,
                    part.amount_twd,
                )
                for part in parts
            ],
        )
        async with transaction(self.pool) as tx:
            await orders.open_(tx, orders=[new, new])
        return await self.order_of(first)

    def submitted(self, **changed: Any) -> RegistrationSubmitted:
        fields: dict[str, Any] = {
            "registration_id": uuid4(),
            "account_id": uuid4(),
            "reference": "HK-7Q4M-2XKD",
            "sitting": "hakka-115-basic-n1",
            "sitting_titles": TITLES,
            "programme": "hakka-115",
            "exam_date": date(2026, 9, 12),
            "amount_twd": 250,
            "methods": METHODS,
            "submitted_at": self.now,
            "pay_by": self.now + (PAY_BY - MORNING),
        }
        return RegistrationSubmitted(**(fields | changed))

    async def hear(self, *events: Event) -> None:
        """Let news arrive, each kind in one message."""
        for event_class in dict.fromkeys(type(event) for event in events):
            async with transaction(self.pool) as tx:
                same = [event for event in events if type(event) is event_class]
                await consumers.HANDLERS[event_class](tx, same)

    async def order_of(self, submitted: RegistrationSubmitted) -> Order:
        async with transaction(self.pool) as tx:
            order = await order_book.find_of_registration(
                tx, registration_id=submitted.registration_id, account_id=submitted.account_id
            )
        assert order is not None
        return order

    async def load(self, order: Order) -> Order:
        async with transaction(self.pool) as tx:
            return await order_book.load_any(tx, order_id=order.id)

    async def begin(self, order: Order, method: str, variant: str = "") -> Opened:
        """Press the button of a way to pay."""
        return await self.cashier.begin(
            self.pool,
            order_id=order.id,
            account_id=order.account_id,
            method=method,
            variant=variant,
            language="en",
            now=self.now,
        )

    async def attempts(self, order: Order) -> list[Attempt]:
        async with transaction(self.pool) as tx:
            return await attempt_book.list_of_order(tx, order_id=order.id)

    async def refunds(self, order: Order) -> list[Refund]:
        async with transaction(self.pool) as tx:
            return await refund_book.list_of_order(tx, order_id=order.id)

    async def notices(self, order: Order) -> list[Notice]:
        async with transaction(self.pool) as tx:
            return await notices.list_of_order(tx, order_id=order.id, limit=100)

    async def undecided(self) -> Sequence[Money]:
        async with transaction(self.pool) as tx:
            return await money_lists.list_undecided(tx, limit=100)

    async def kinds(self) -> dict[str, int]:
        """How often money was counted, by what it was."""
        rows = await self.pool.fetch("SELECT kind FROM captures")
        return dict(Counter(row["kind"] for row in rows))

    async def advance(self, by: timedelta) -> None:
        """Let time pass, here and at the providers."""
        self.now += by
        await self.sandbox.set_time(self.now)

    async def ask(self) -> None:
        """Do what the jobs do that ask providers, for all that is due."""
        for provider in PROVIDERS:
            while await self.cashier.ask_due(self.pool, provider=provider, now=self.now):
                pass

    async def ask_all(self) -> None:
        """Ask now about every attempt that is to be asked about, whenever it would be due."""
        await self.pool.execute(
            "UPDATE attempts SET ask_at = $1 WHERE ask_at IS NOT NULL", self.now
        )
        await self.ask()

    async def lapse(self) -> int:
        async with transaction(self.pool) as tx:
            return await orders.lapse(tx, now=self.now)

    async def retry_notices(self) -> int:
        return await settle_notices(self.pool, self.now)

    async def send_refunds(self) -> int:
        sent = 0
        while await self.cashier.send_refund(self.pool, now=self.now):
            sent += 1
        return sent

    async def told(self, event_class: type[Event]) -> list[Any]:
        """What was published of one kind, in any order."""
        rows = await self.pool.fetch("SELECT body FROM outbox WHERE name = $1", event_class.name)
        return [event for row in rows for event in decode(event_class, row["body"])]

    async def news(self) -> dict[str, int]:
        """How often each kind of our own news was published."""
        names: Counter[str] = Counter()
        for row in await self.pool.fetch("SELECT name, body FROM outbox"):
            if row["name"].startswith("payments."):
                names[row["name"].split(".")[1]] += len(json.loads(row["body"]))
        return dict(names)

    async def see_balance(self) -> dict[str, int]:
        """The ledger is balanced, and says what orders, captures and refunds say."""
        async with self.pool.acquire() as connection:
            broken = [check for check in await ledger.verify(connection) if not check.holds]
            assert broken == []
            return await ledger.list_balances(connection)

    async def see_every_dollar(self, *, claimed_twd: int = 0) -> None:
        """The ledger is balanced, and both providers hold just what it says they hold, beside
        what they only claimed to have taken."""
        balances = await self.see_balance()
        taken = await self.sandbox.captured()
        held = balances.get("ecpay", 0) + balances.get("line_pay", 0)
        assert held == taken["captured_twd"] - taken["refunded_twd"] + claimed_twd

    async def visit(self, opened: Opened) -> None:
        """Go to ECPay's page, if that is where the attempt is paid."""
        if isinstance(opened.page, Form):
            await self.sandbox.check_out(opened.page.fields)

    async def open(self, opened: Opened) -> str:
        """Go to the provider's page and take what one pays with; return what names it there."""
        await self.visit(opened)
        if opened.attempt.method in {"card", "line_pay"}:
            return opened.attempt.trade_number
        return await self.sandbox.issue(opened.attempt.trade_number)

    async def pay(self, opened: Opened, *, at: datetime | None = None) -> None:
        """Pay an attempt at its provider, now or at a time that has passed; nothing is told yet."""
        now = await self.sandbox.now()
        if at is not None:
            await self.sandbox.set_time(at)
        if isinstance(opened.page, Link):
            await self.sandbox.approve(opened.page.web, comes_back=False)
        else:
            await self.sandbox.pay(await self.open(opened))
        if at is not None:
            await self.sandbox.set_time(now)

    async def learn(self) -> list[str]:
        """Let the providers' notices arrive, then ask those that send none."""
        answers = await self.sandbox.deliver()
        await self.pool.execute(
            "UPDATE attempts SET ask_at = $1 WHERE provider = 'line_pay' AND closed_at IS NULL",
            self.now,
        )
        await self.cashier.ask_due(self.pool, provider="line_pay", now=self.now)
        return answers


@asynccontextmanager
async def open_till(
    database_url: str, *, start: datetime = MORNING, **rules: Any
) -> AsyncIterator[Till]:
    """Open a till; `rules` are the sandbox's."""
    # Bound before it is named: nobody else gets it in between.
    socket = get_port_socket("127.0.0.1", 0, AddressFamily.AF_INET)
    port = socket.getsockname()[1]
    async with open_sandbox(**rules) as sandbox:
        settings = Settings.model_validate(
            {
                "database_url": database_url,
                "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
                "EXAMHALL_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "EXAMHALL_SECRET_KEY": SECRET,
                "ecpay_url": sandbox.ecpay,
                "line_pay_url": sandbox.line_pay,
                **CREDENTIALS,
            }
        )
        app = build([create_app(settings)])
        pool = await db.create_pool(database_url, application="test")
        async with TestClient(
            TestServer(app, port=port, socket_factory=lambda *_: socket)
        ) as client:
            await sandbox.set_time(start)
            yield Till(pool, client, sandbox, settings, Cashier(create_ways(settings)), start)
        await pool.close()
