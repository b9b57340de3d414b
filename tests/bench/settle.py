"""Settle: ECPay's notices arrive in a crowd, and each is answered when its order is paid on disk.

Everything is on that production has: the signature over every field, the raw notice, the order, the
attempt, the captured money, the ledger and the news of it, a log line and figures for each request.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode

import psutil

from services.payments import ecpay, ledger
from shared import db, migrate
from shared.db import Pool
from tests.bench import ground, one_each
from tests.bench.load import Crowd, Load, post
from tests.bench.midnight import bare_rate
from tests.bench.report import Figure, Ratio, Report
from tests.bench.web_process import WebProcess
from tests.servers import Servers
from tests.site import SECRET

NOTICES = 12_000
CONNECTIONS = 256
ROUNDS = 3
YARDSTICK_ORDERS = 40_000
# The merchant that ECPay publishes for tests.
MERCHANT, KEY, IV = "3002607", "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Till:
    """A web process of payments, and its database."""

    web: WebProcess
    database_url: str
    pool: Pool

    def notices(self, prefix: str) -> list[bytes]:
        """ECPay's word that each order was paid."""
        return [
            post(
                self.web.url,
                "/payments/hooks/ecpay/paid",
                urlencode(_sign(_fields(f"{prefix}{number}", number))).encode(),
                headers={},
                content_type=FORM,
            )
            for number in range(1, NOTICES + 1)
        ]

    async def owe(self, prefix: str, count: int) -> None:
        """Let so many orders be open, each with an attempt by card."""
        await self.pool.execute(
            """
            WITH owed AS (
                INSERT INTO orders (id, account_id, reference, titles, methods, amount_twd,
                                    opened_at, pay_by)
                SELECT gen_random_uuid(), gen_random_uuid(), $1 || number,
                       '{"zh-Hant-TW": "基礎級暨初級 第一梯次", "en": "Basic, first sitting"}',
                       '{card}', 250, now(), now() + interval '5 days'
                  FROM generate_series(1, $2) AS number
                RETURNING id, reference
            ), entered AS (
                INSERT INTO ledger_entries (kind, debit, credit, amount_twd, order_id)
                SELECT 'order_opened', 'receivable', 'fees', 250, id FROM owed
            ), items AS (
                INSERT INTO order_items (registration_id, order_id, reference, titles, programme,
                                         exam_date, amount_twd)
                SELECT gen_random_uuid(), id, reference, '{}', 'hakka-115', '2026-09-12', 250
                  FROM owed
            )
            SELECT count(*) FROM owed
            """,
            prefix,
            count,
        )
        await self.pool.execute(
            """
            INSERT INTO attempts (id, order_id, method, variant, provider, trade_number,
                                  amount_twd, created_at, in_time_until, last_ask_at, ask_at)
            SELECT gen_random_uuid(), id, 'card', '', 'ecpay', reference, 250, now(),
                   now() + interval '5 days', now() + interval '6 days', now() + interval '1 day'
              FROM orders WHERE starts_with(reference, $1)
            """,
            prefix,
        )
        await self.pool.execute("DELETE FROM outbox")
        # As autovacuum does all night.
        await self.pool.execute("VACUUM (ANALYZE)")
        await self.pool.execute("CHECKPOINT")


def _fields(trade_number: str, number: int) -> dict[str, str]:
    return {
        "MerchantID": MERCHANT,
        "MerchantTradeNo": trade_number,
        "StoreID": "",
        "RtnCode": "1",
        "RtnMsg": "交易成功",
        "TradeNo": f"2605041000{number:010}",
        "TradeAmt": "250",
        "PaymentDate": "2026/05/04 10:00:00",
        "PaymentType": "Credit_CreditCard",
        "PaymentTypeChargeFee": "7",
        "TradeDate": "2026/05/04 09:58:00",
        "SimulatePaid": "0",
        **{f"CustomField{n}": "" for n in range(1, 5)},
    }


def _sign(fields: dict[str, str]) -> dict[str, str]:
    return {**fields, ecpay.MAC: ecpay.check_mac_value(fields, key=KEY, iv=IV)}


@asynccontextmanager
async def till(servers: Servers, *, flush: timedelta = timedelta()) -> AsyncIterator[Till]:
    async with ground.new_database(servers, flush=flush) as url:
        await migrate.migrate(url, ground.ROOT / "services" / "payments" / "migrations")
        pool = await db.create_pool(url, application="bench", size=2)
        environment = {
            "PAYMENTS_DATABASE_URL": url,
            "EXAMHALL_SECRET_KEY": SECRET,
            "PAYMENTS_ECPAY_MERCHANT_ID": MERCHANT,
            "PAYMENTS_ECPAY_HASH_KEY": KEY,
            "PAYMENTS_ECPAY_HASH_IV": IV,
        }
        async with WebProcess.start("payments", environment, servers.amqp_url) as web:
            yield Till(web, url, pool)
        await pool.close()


@dataclass(frozen=True)
class Rounds:
    """What was measured on one disk: the yardstick of the database, and notices beside it."""

    each: list[float] = field(default_factory=list)
    settled: list[Load] = field(default_factory=list)
    again: list[Load] = field(default_factory=list)

    async def add(self, crowd: Crowd, at: Till, prefix: str, *, kept: str) -> None:
        self.each.append(
            await one_each.settle(at.database_url, orders=YARDSTICK_ORDERS, fields=kept, clients=8)
        )
        first, second = await settle(crowd, at, prefix)
        self.settled.append(first)
        self.again.append(second)

    @property
    def rate(self) -> float:
        return median(load.rate for load in self.settled)

    def tell(self, disk: str) -> list[Figure]:
        return [
            Figure(f"pgbench doing the same one by one, {disk}", median(self.each), "notices/s"),
            Figure(f"notices settled, {disk}", self.rate, "notices/s"),
        ]


async def run(servers: Servers) -> Report:
    crowd = Crowd()
    bare, here, slower = list[float](), Rounds(), Rounds()
    kept = json.dumps(ecpay.masked(_sign(_fields("PG1", 1))))
    async with till(servers) as open_till:
        await prepare(crowd, open_till)
        for number in range(ROUNDS):
            bare.append(await bare_rate(crowd))
            await here.add(crowd, open_till, f"R{number}N", kept=kept)
        memory = psutil.Process(open_till.web.pid).memory_info().rss / 2**20
    async with till(servers, flush=ground.FLUSH) as open_till:
        await prepare(crowd, open_till)
        for number in range(ROUNDS):
            await slower.add(crowd, open_till, f"R{number}N", kept=kept)
    crowd.close()
    return Report(
        "settle",
        f"{NOTICES:,} notices over {CONNECTIONS} connections, durable when answered",
        [
            Figure("bare aiohttp, JSON in, JSON out", median(bare), "answers/s"),
            *here.tell("this disk"),
            *slower.tell("1 ms a flush"),
            Figure("notices that were settled before",
                   median(load.rate for load in here.again), "notices/s"),
            Figure("median", median(load.percentile(50) for load in here.settled) * 1e3, "ms"),
            Figure("p99", median(load.percentile(99) for load in here.settled) * 1e3, "ms"),
            Figure("a core's share that making the load took",
                   max(load.busy for load in here.settled), ""),
            Figure("memory of the web process afterwards", memory, "MB"),
        ],
        [
            Ratio("notices to bare aiohttp", here.rate / median(bare), at_least=0.3),
            Ratio("notices to pgbench, one each, this disk", here.rate / median(here.each)),
            Ratio("notices to pgbench, one each, 1 ms a flush",
                  slower.rate / median(slower.each), at_least=1.5),
        ],
    )  # fmt: skip


async def prepare(crowd: Crowd, at: Till) -> None:
    """Load everything that is needed; let the yardstick have orders."""
    await settle(crowd, at, "W")
    await at.owe("PG", YARDSTICK_ORDERS)


async def settle(crowd: Crowd, at: Till, prefix: str) -> tuple[Load, Load]:
    """Send every notice, and then all of them once more."""
    await at.owe(prefix, NOTICES)
    notices = at.notices(prefix)
    loads = [await _send(crowd, at, notices) for _ in range(2)]
    paid = await at.pool.fetchval(
        "SELECT count(*) FROM orders WHERE state = 'paid' AND starts_with(reference, $1)", prefix
    )
    told = await at.pool.fetchval(
        """
        SELECT sum(jsonb_array_length(body::jsonb)) FROM outbox WHERE name LIKE 'payments.%'
        """
    )
    assert (paid, told) == (NOTICES, NOTICES), "not every notice paid one order, once"
    async with at.pool.acquire() as connection:
        checks = await ledger.verify(connection)
    broken = {check.what for check in checks if not check.holds}
    assert broken <= _BY_YARDSTICK, broken
    return loads[0], loads[1]


# What pgbench writes is as much work, and is no bookkeeping.
_BY_YARDSTICK = {
    "owed by open orders",
    "money that came",
    "paid orders",
    "money that paid an order",
    "captures without an entry of their amount",
}


async def _send(crowd: Crowd, at: Till, notices: Sequence[bytes]) -> Load:
    load = await crowd.send(at.web.url, notices, connections=CONNECTIONS)
    assert len(load.told(200)) == NOTICES
    return load
