"""What scoring does because time passed."""

from datetime import datetime, timedelta

import structlog

from services.scoring import approvals, drafts, errands, score_files, tellings
from services.scoring.errands import Errand, Failed
from shared import counters, db
from shared.db import Pool, Tx, transaction
from shared.errors import Refused
from shared.jobs import Job

log = structlog.get_logger()

# Whoever looked at a file and did not import it by then, will hand it in again.
FILES_KEPT_FOR = timedelta(days=7)


async def tell_results(pool: Pool, now: datetime) -> int:
    """Tell those who are owed released results; again at once while there are more."""
    async with transaction(pool) as tx:
        return await tellings.tell(tx)


async def do_errands(pool: Pool, now: datetime) -> int:
    """Do the next thing that staff asked for, all of it or nothing, and write down what came of
    it."""
    async with transaction(pool) as tx:
        errand = await errands.take(tx)
        if errand is None:
            return 0
        refusal: Refused | None = None
        try:
            async with tx.transaction():
                await _do(tx, errand, now)
        except Refused as refused:
            refusal = refused
        except Exception as error:
            if db.is_unavailable(error):
                raise  # it stays open, and is begun again
            log.exception("errand failed", errand=errand.id, act=errand.act)
            refusal = Failed()
        await errands.end(tx, errand=errand, refusal=refusal, now=now)
    return 1


async def _do(tx: Tx, errand: Errand, now: datetime) -> None:
    if errand.number is None:
        await drafts.compute(tx, code=errand.sitting, actor=errand.asked_by, now=now)
    else:
        await approvals.approve(
            tx, code=errand.sitting, number=errand.number, actor=errand.asked_by, now=now
        )


async def forget_files(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await score_files.forget_old(tx, before=now - FILES_KEPT_FOR)


async def forget_counters(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await counters.forget_old(tx, now=now)


JOBS = [
    Job("do_errands", timedelta(seconds=1), do_errands),
    Job("tell_results", timedelta(seconds=1), tell_results),
    Job("forget_files", timedelta(hours=1), forget_files),
    Job("forget_counters", timedelta(minutes=10), forget_counters),
]
