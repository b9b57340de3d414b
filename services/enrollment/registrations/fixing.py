"""Fixing: giving a registration other documents, before it is sent or when some were returned."""

from datetime import datetime
from uuid import UUID

from services.enrollment.registrations import COLUMNS, Registration, drafts, read_row
from services.enrollment.registrations.drafts import TooLate
from shared.db import Tx


async def lock(
    tx: Tx, *, registration_id: UUID, account_id: UUID, arrived_at: datetime
) -> Registration:
    """Hold still what may be given documents; refuse what was sent and not returned."""
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM registrations
         WHERE id = $1 AND account_id = $2 AND state = 'returned' FOR UPDATE
        """,  # noqa: S608
        registration_id,
        account_id,
    )
    if row is None:
        return await drafts.lock(
            tx, registration_id=registration_id, account_id=account_id, arrived_at=arrived_at
        )
    registration = read_row(row)
    if registration.fix_by is None or arrived_at >= registration.fix_by:
        raise TooLate
    return registration
