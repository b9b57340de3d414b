"""What identity does because time passed."""

from datetime import datetime, timedelta

from services.identity import inquiries, keys, links, puzzles, secret_numbers, sessions, tries
from services.identity.sessions import CANDIDATE_SESSION_LASTS
from services.identity.settings import Settings
from shared import counters
from shared.db import Pool, transaction
from shared.jobs import Job


def jobs(settings: Settings) -> list[Job]:
    vault, site = settings.vault, str(settings.public_url)

    async def rotate_keys(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await keys.rotate(
                tx, vault=vault, now=now, sessions_last=CANDIDATE_SESSION_LASTS
            )

    async def answer_inquiries(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await inquiries.answer(tx, site=site, now=now)

    async def forget_old(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            forgotten = [
                await part.forget_old(tx, now=now)
                for part in (counters, links, puzzles, secret_numbers, sessions, tries)
            ]
        return sum(forgotten)

    return [
        Job("rotate_keys", timedelta(minutes=1), rotate_keys),
        Job("answer_inquiries", timedelta(seconds=1), answer_inquiries),
        Job("forget_old", timedelta(minutes=10), forget_old),
    ]
