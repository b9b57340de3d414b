"""Registrations that were sent: free ones, which wait for a registrar, and paying ones."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from services.enrollment import registrations
from services.enrollment.registrations import Registration, deciding, drafts
from services.enrollment.registrations.drafts import Sent
from shared.db import Pool, transaction
from tests.enrollment.world import NOW, VAULT, claim_one, wish

BORN_FREE = date(2010, 5, 1)
BORN_PAYING = date(1980, 5, 1)


async def send(
    pool: Pool,
    sitting: str = "m1",
    area: str = "taoyuan",
    *,
    account_id: UUID | None = None,
    person: bytes | None = None,
    birth_date: date = BORN_FREE,
    dialect: str = "sixian",
    at: datetime = NOW,
) -> Registration:
    """Claim a place and send the form."""
    account_id = account_id or uuid4()
    claimed = await claim_one(pool, wish(sitting, area, account_id=account_id, arrived_at=at))
    async with transaction(pool) as tx:
        draft = await drafts.lock(
            tx, registration_id=claimed.id, account_id=account_id, arrived_at=at
        )
        sent = Sent(person or uuid4().bytes, "王大同", "WANG, TA-TUNG", birth_date, dialect)
        return await drafts.submit(tx, draft=draft, sent=sent, arrived_at=at)


async def confirm(pool: Pool, *args: str, at: datetime = NOW, **more: Any) -> Registration:
    """Send one, and let a registrar approve it."""
    sent = await send(pool, *args, at=at, **more)
    async with transaction(pool) as tx:
        await deciding.approve(tx, registration_id=sent.id, vault=VAULT, actor="test", now=at)
        return await registrations.load(tx, registration_id=sent.id)
