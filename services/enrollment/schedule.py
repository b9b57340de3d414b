"""What enrollment does because time passed."""

from contextlib import suppress
from datetime import datetime, timedelta

from services.enrollment import answers, documents, entries, entry_lists, idempotency, statistics
from services.enrollment.document_store import DocumentStore, StoreAway
from services.enrollment.registrations import deciding, drafts
from services.enrollment.settings import Settings
from shared import counters
from shared.db import ON_THE_WAY, Pool, transaction
from shared.jobs import Job

# No upload takes so long: a file that does not count by then never will.
LONGEST_UPLOAD = timedelta(hours=1)
# Somebody who gave up or was too late may want to know what became of it.
KEPT_AFTER_THE_END = timedelta(days=30)
ENTERED_AT_ONCE = 500  # a second's work


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


async def forget_unsent(pool: Pool, now: datetime) -> int:
    """Forget what was written and uploaded for registrations that were never sent."""
    async with transaction(pool) as tx:
        ended = await answers.find_forgettable(tx, before=now - KEPT_AFTER_THE_END)
        await documents.drop(tx, registration_ids=ended)
        await answers.forget(tx, registration_ids=ended)
    return len(ended)


async def count_statistics(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        await statistics.count(tx, now=now)
    return 0  # there is no more of it to do


async def forget_keys(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await idempotency.forget_old(tx, now=now)


async def forget_counters(pool: Pool, now: datetime) -> int:
    async with transaction(pool) as tx:
        return await counters.forget_old(tx, now=now)


def jobs(settings: Settings) -> list[Job]:
    store = DocumentStore(settings)

    async def remove_files(pool: Pool, now: datetime) -> int:
        """Remove files that no registration needs; their rows go last, so none is forgotten."""
        async with transaction(pool) as tx:
            unneeded = await documents.find_unneeded(tx, before=now - LONGEST_UPLOAD)
        removed = []
        for document_id in unneeded:
            # One that cannot be removed now does not keep the others; the store has logged it.
            with suppress(StoreAway):
                await store.remove(document_id)
                removed.append(document_id)
        async with transaction(pool) as tx:
            await documents.forget(tx, document_ids=removed)
        return len(removed)

    async def enter_older(pool: Pool, now: datetime) -> int:
        """Enter those who were confirmed when there were no entries yet."""
        async with transaction(pool) as tx:
            found = await entry_lists.take_unentered(tx, limit=ENTERED_AT_ONCE)
            await entries.enter_registrations(
                tx, registration_ids=found, vault=settings.vault, now=now
            )
        return len(found)

    return [
        Job("lapse_drafts", timedelta(seconds=1), lapse_drafts),
        Job("void_unfixed", timedelta(seconds=1), void_unfixed),
        Job("remind", timedelta(minutes=1), remind),
        Job("forget_unsent", timedelta(hours=1), forget_unsent),
        Job("remove_files", timedelta(minutes=1), remove_files),
        Job("count_statistics", timedelta(minutes=1), count_statistics),
        Job("forget_keys", timedelta(minutes=10), forget_keys),
        Job("forget_counters", timedelta(hours=1), forget_counters),
        Job("enter_older", timedelta(hours=1), enter_older),
    ]
