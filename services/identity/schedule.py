"""What identity does because time passed."""

from datetime import datetime, timedelta

from services.identity import keys
from services.identity.sessions import CANDIDATE_SESSION_LASTS
from services.identity.settings import Settings
from shared.db import Pool, transaction
from shared.jobs import Job


def jobs(settings: Settings) -> list[Job]:
    vault = settings.vault

    async def rotate_keys(pool: Pool, now: datetime) -> int:
        async with transaction(pool) as tx:
            return await keys.rotate(
                tx, vault=vault, now=now, sessions_last=CANDIDATE_SESSION_LASTS
            )

    return [Job("rotate_keys", timedelta(minutes=1), rotate_keys)]
