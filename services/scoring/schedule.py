"""What scoring does because time passed."""

from datetime import datetime, timedelta

from services.scoring import score_files, tellings
from shared import counters
from shared.db import Pool, transaction
from shared.jobs import Job

# Whoever looked at a file and did not import it by then, will hand it in again.
FILES_KEPT_FOR = timedelta(days=7)


async def tell_results(pool: Pool, now: datetime) -> int:
    """Tell those who are owed released results; again at once while there are more."""
    async with transaction(pool) as tx:
        return await tellings.tell(tx)


async def forget_files(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await score_files.forget_old(tx, before=now - FILES_KEPT_FOR)


async def forget_counters(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await counters.forget_old(tx, now=now)


JOBS = [
    Job("tell_results", timedelta(seconds=1), tell_results),
    Job("forget_files", timedelta(hours=1), forget_files),
    Job("forget_counters", timedelta(minutes=10), forget_counters),
]
