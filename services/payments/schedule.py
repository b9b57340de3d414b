"""What payments does because time passed."""

from datetime import datetime, timedelta

import structlog

from services.payments import notices, orders, readings
from services.payments.cashier import Cashier, count
from services.payments.methods import PROVIDERS
from shared import db
from shared.db import ON_THE_WAY, Pool, transaction
from shared.jobs import Job

log = structlog.get_logger()


def jobs(cashier: Cashier) -> list[Job]:
    def ask(provider: str) -> Job:
        """Each provider has a job of its own: one that hangs keeps nobody waiting for the other."""

        async def work(pool: Pool, now: datetime) -> int:
            return await cashier.ask_due(pool, provider=provider, now=now)

        return Job(f"ask_{provider}", timedelta(seconds=5), work)

    async def send_refunds(pool: Pool, now: datetime) -> int:
        return await cashier.send_refund(pool, now=now)

    async def lapse_orders(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await orders.lapse(tx, now=now - ON_THE_WAY)

    return [
        *map(ask, PROVIDERS),
        Job("settle_notices", timedelta(seconds=30), settle_notices),
        Job("send_refunds", timedelta(seconds=15), send_refunds),
        Job("lapse_orders", timedelta(seconds=30), lapse_orders),
    ]


async def settle_notices(pool: Pool, now: datetime) -> int:
    """Try notices again that are stored and could not be acted upon."""
    async with transaction(pool) as tx:
        waiting = await notices.claim_unsettled(tx, now=now)
        for notice_id, notice in waiting:
            try:
                async with tx.transaction():
                    reading = readings.read_again(notice)
                    captures = await readings.act(tx, readings=[reading], now=now)
                    await notices.mark_settled(tx, notice_ids=[notice_id])
            except Exception as error:
                if db.is_unavailable(error):
                    raise
                log.exception("notice not settled", trade_number=notice.trade_number)
                reason = type(error).__name__
                await notices.put_off(tx, notice_ids=[notice_id], reason=reason, now=now)
            else:
                count(captures)
    return len(waiting)
