"""One registration in tests, and hands to do to it what the world does."""

from datetime import date, datetime, timedelta

from services.enrollment.registrations import Registration, deciding, drafts, load, paying
from services.enrollment.registrations.drafts import Sent
from shared.db import Pool, transaction
from shared.events import Event, all_events, decode
from shared.events.enrollment import ReturnedDocument
from tests.enrollment.world import NOW, VAULT, claim_one, wish

ADULT, CHILD = date(1990, 5, 17), date(2010, 5, 17)
TICK = timedelta(microseconds=1)


def sent(*, birth_date: date = ADULT, person: bytes = b"somebody") -> Sent:
    return Sent(person, "陳大文", "CHEN DA-WEN", birth_date, "sixian")


async def events(pool: Pool) -> list[Event]:
    """Take what was published since the last look, but for the claims."""
    classes = {event.name: event for event in all_events()}
    rows = await pool.fetch(
        "WITH gone AS (DELETE FROM outbox RETURNING id, name, body) SELECT * FROM gone ORDER BY id"
    )
    return [
        event
        for row in rows
        for event in decode(classes[row["name"]], row["body"])
        if row["name"] != "enrollment.place_claimed.v1"
    ]


class Life:
    """One registration, and hands to do to it what the world does."""

    def __init__(self, pool: Pool, registration: Registration) -> None:
        self.pool, self.id, self.account_id = pool, registration.id, registration.account_id

    @staticmethod
    async def begin(pool: Pool, sitting: str = "m1") -> "Life":
        one = wish(sitting)
        claimed = await claim_one(pool, one)
        async with transaction(pool) as tx:
            return Life(pool, await load(tx, registration_id=claimed.id))

    async def now(self) -> Registration:
        async with transaction(self.pool) as tx:
            return await load(tx, registration_id=self.id)

    async def submit(self, form: Sent | None = None, *, arrived_at: datetime = NOW) -> Registration:
        async with transaction(self.pool) as tx:
            draft = await drafts.lock(
                tx, registration_id=self.id, account_id=self.account_id, arrived_at=arrived_at
            )
            return await drafts.submit(tx, draft=draft, sent=form or sent(), arrived_at=arrived_at)

    async def pay(self, paid_at: datetime = NOW) -> Registration:
        async with transaction(self.pool) as tx:
            await paying.pay(tx, paid={self.id: paid_at})
        return await self.now()

    async def lapse_unpaid(self, at: datetime = NOW) -> Registration:
        async with transaction(self.pool) as tx:
            await paying.lapse(tx, lapsed={self.id: at})
        return await self.now()

    async def approve(self) -> Registration:
        async with transaction(self.pool) as tx:
            await deciding.approve(
                tx, registration_id=self.id, vault=VAULT, actor="registrar", now=NOW
            )
        return await self.now()

    async def return_documents(self) -> Registration:
        photo = [ReturnedDocument(document="photo", reason="照片不清楚")]
        async with transaction(self.pool) as tx:
            await deciding.return_documents(
                tx, registration_id=self.id, documents=photo, actor="registrar", now=NOW
            )
        return await self.now()
