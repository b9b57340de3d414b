"""What notify does because time passed."""

from datetime import datetime, timedelta

from services.notify import bounces, letters, unaddressed
from services.notify.settings import Settings
from shared.db import Pool, transaction
from shared.jobs import Job


def jobs(settings: Settings) -> list[Job]:
    words_after = timedelta(days=settings.keep_words_days)
    all_after = timedelta(days=settings.keep_letters_days)

    async def give_up(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await letters.give_up(tx)

    async def forget(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            forgotten = await letters.forget_old(
                tx, now=now, words_after=words_after, all_after=all_after
            )
            forgotten += await bounces.forget_old(tx, now=now, after=all_after)
            return forgotten + await unaddressed.forget_old(tx, before=now - words_after)

    return [
        Job("give_up_letters", timedelta(seconds=15), give_up),
        Job("forget_letters", timedelta(hours=1), forget),
    ]
