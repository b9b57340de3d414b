"""Finance at work: orders that are owed and paid on a site that is up, and clerks who ask it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientResponse, FormData

from services.payments import (
    applications,
    attempts,
    consumers,
    ledger,
    money_lists,
    order_book,
    payees,
    refund_book,
    settlement,
)
from services.payments.applications import Proof
from services.payments.attempts import Plan
from services.payments.money_lists import Money
from services.payments.order_book import Order
from services.payments.payees import Payee
from services.payments.refund_book import Refund
from services.payments.rules import TAIPEI
from services.payments.settings import Settings
from services.payments.settlement import Captured
from shared.auth import Role
from shared.db import Pool, transaction
from shared.events.enrollment import RefundDue, RegistrationSubmitted
from shared.vault import Vault
from tests.payments.till import METHODS, TITLES
from tests.site import FROM_OUR_PAGE, Site

STAFF = "/payments/staff"
DESK = f"{STAFF}/desk"
PAYEE = Payee("王大同", "106209", "臺北市大安區和平東路一段162號", "0912345678")
PDF = b"%PDF-1.7 a doctor's word %%EOF"


@dataclass
class Clerk:
    """Somebody of finance, or somebody else who tries."""

    site: Site
    id: UUID
    cookie: Mapping[str, str]

    @classmethod
    async def arrive(cls, site: Site, role: Role = Role.FINANCE) -> "Clerk":
        account_id, cookie = await site.begin_session(role)
        return cls(site, account_id, cookie)

    async def get(self, page: str, **query: str) -> ClientResponse:
        return await self.site.client.get(
            STAFF + page,
            params=query,
            headers={**self.cookie, "Accept-Language": "en"},
            allow_redirects=False,
        )

    async def read(self, page: str, **query: str) -> str:
        answer = await self.get(page, **query)
        assert answer.status == 200, (answer.status, await answer.text())
        return await answer.text()

    async def post(
        self, page: str, data: Mapping[str, str] | FormData | None = None
    ) -> ClientResponse:
        return await self.site.client.post(
            STAFF + page,
            data=data or {},
            headers={**FROM_OUR_PAGE, **self.cookie, "Accept-Language": "en"},
            allow_redirects=False,
        )

    async def do(self, page: str, **form: str) -> str:
        """Send a form that is followed; return where it leads."""
        answer = await self.post(page, form)
        assert answer.status == 303, (answer.status, await answer.text())
        return answer.headers["Location"]

    async def upload(self, content: bytes, name: str = "3002607_20260504.csv") -> ClientResponse:
        form = FormData()
        form.add_field("file", io.BytesIO(content), filename=name, content_type="text/csv")
        return await self.post("/uploads/files", form)


def pool_of(site: Site) -> Pool:
    return site.pools["payments"]


def vault_of(site: Site) -> Vault:
    settings = site.settings["payments"]
    assert isinstance(settings, Settings)
    return settings.vault


def yesterday(hour: int = 10) -> datetime:
    """An hour of yesterday in Taipei: a day that is over."""
    day = datetime.now(TAIPEI).date() - timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, tzinfo=TAIPEI).astimezone(UTC)


async def owe(site: Site, reference: str = "R-1000-017", **changed: Any) -> Order:
    """Let a registration be submitted two days ago."""
    submitted_at = yesterday() - timedelta(days=1)
    fields: dict[str, Any] = {
        "registration_id": uuid4(),
        "account_id": uuid4(),
        "reference": reference,
        "sitting": "hakka-115-basic-n1",
        "sitting_titles": TITLES,
        "programme": "hakka-115",
        "exam_date": submitted_at.date() + timedelta(days=90),
        "amount_twd": 250,
        "methods": METHODS,
        "submitted_at": submitted_at,
        "pay_by": submitted_at + timedelta(days=5),
    }
    submitted = RegistrationSubmitted(**(fields | changed))
    async with transaction(pool_of(site)) as tx:
        await consumers.on_registration_submitted(tx, [submitted])
        order = await order_book.find_of_registration(
            tx, registration_id=submitted.registration_id, account_id=submitted.account_id
        )
    assert order is not None
    return order


async def begin(site: Site, order: Order, method: str = "atm") -> str:
    """Begin to pay; return the trade number."""
    provider = "line_pay" if method == "line_pay" else "ecpay"
    now = yesterday(9)
    async with transaction(pool_of(site)) as tx:
        attempt = await attempts.begin(
            tx,
            order=order,
            plan=Plan(method, "", provider, order.pay_by, now, order.pay_by),
            now=now,
        )
    return attempt.trade_number


async def come(site: Site, trade_number: str, **changed: Any) -> Money:
    """Let the provider take money, and tell us."""
    fields: dict[str, Any] = {
        "provider": "ecpay",
        "trade_number": trade_number,
        "provider_number": f"26{uuid4().int % 10**14:014}",
        "method": "atm",
        "amount_twd": 250,
        "paid_at": yesterday(),
    }
    async with transaction(pool_of(site)) as tx:
        [capture] = await settlement.settle(
            tx, captured=[Captured(**(fields | changed))], now=datetime.now(UTC)
        )
        return await money_lists.load(tx, capture_id=capture.id)


async def pay(site: Site, order: Order, method: str = "atm", **changed: Any) -> Money:
    provider = "line_pay" if method == "line_pay" else "ecpay"
    trade_number = await begin(site, order, method)
    return await come(site, trade_number, **({"provider": provider} | changed))


async def reload(site: Site, order: Order) -> Order:
    async with transaction(pool_of(site)) as tx:
        return await order_book.load_any(tx, order_id=order.id)


async def refunds_of(site: Site, order: Order) -> list[Refund]:
    async with transaction(pool_of(site)) as tx:
        return await refund_book.list_of_order(tx, order_id=order.id)


async def make_due(site: Site, order: Order) -> Refund:
    """Let the documents of a paid registration be refused."""
    told = RefundDue(
        registration_id=order.registration_ids[0],
        account_id=order.account_id,
        reference=order.reference,
        sitting="hakka-115-basic-n1",
        sitting_titles=TITLES,
        refund_id=uuid4(),
        reason="review_failed",
        less_twd=58,
        due_at=datetime.now(UTC),
    )
    async with transaction(pool_of(site)) as tx:
        await consumers.on_refund_due(tx, [told])
    [refund] = await refunds_of(site, order)
    return refund


async def give_payee(site: Site, refund: Refund, account_id: UUID, payee: Payee = PAYEE) -> None:
    async with transaction(pool_of(site)) as tx:
        await payees.give(
            tx,
            refund_id=refund.id,
            account_id=account_id,
            payee=payee,
            vault=vault_of(site),
            now=datetime.now(UTC),
        )


async def apply(site: Site, order: Order, reason: str = "health") -> UUID:
    """Apply for money back, with a proof."""
    async with transaction(pool_of(site)) as tx:
        return await applications.apply(
            tx,
            registration_id=order.registration_ids[0],
            account_id=order.account_id,
            reason=reason,
            statement="I broke my leg. <b>Truly.</b>",
            payee=PAYEE,
            proofs=[Proof("proof-1.pdf", PDF)],
            vault=vault_of(site),
            zone=TAIPEI,
            now=datetime.now(UTC),
        )


async def acts(site: Site, subject: str) -> list[str]:
    rows = await pool_of(site).fetch(
        "SELECT act FROM audit_lines WHERE subject = $1 ORDER BY id", subject
    )
    return [row["act"] for row in rows]


async def see_every_dollar(site: Site) -> None:
    """Every check of the ledger holds."""
    async with pool_of(site).acquire() as connection:
        assert [check for check in await ledger.verify(connection) if not check.holds] == []
