"""What enrollment does because time passed."""

from datetime import datetime, timedelta

from services.enrollment.registrations import deciding, drafts
from shared.db import Pool, transaction
from shared.jobs import Job

# What arrived at the last moment may still be on its way to the database.
ON_THE_WAY = timedelta(seconds=2)


async def lapse_drafts(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await drafts.lapse(tx, now=now - ON_THE_WAY)


async def void_unfixed(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await deciding.void_unfixed(tx, now=now - ON_THE_WAY)


async def remind(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return sum(
            [
                await drafts.remind(tx, days_before=days, now=now)
                for days in drafts.REMINDED_DAYS_BEFORE
            ]
        )


JOBS = [
    Job("lapse_drafts", timedelta(seconds=1), lapse_drafts),
    Job("void_unfixed", timedelta(seconds=1), void_unfixed),
    Job("remind", timedelta(minutes=1), remind),
]
