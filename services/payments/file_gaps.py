"""File gaps: days of which no file of the provider has all the money that we know of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.payments.ecpay_file import PROVIDER
from services.payments.rules import TAIPEI
from shared.days import start_of_day
from shared.db import Tx

# Slips are reported about two days after they were paid, and later over a weekend. By then a file
# that is fetched has what the first one of its day could not have.
COMPLETE_AFTER = timedelta(days=5)
# Older days are in books that are closed.
LOOKED_BACK = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Gap:
    """A day's money that was never held against a file."""

    day: date
    payments: int
    amount_twd: int
    has_file: bool  # one without this money


async def list_(tx: Tx, *, now: datetime) -> Sequence[Gap]:
    """List them, the oldest day first. What a file was found to lack is listed there instead."""
    until = start_of_day((now - COMPLETE_AFTER).astimezone(TAIPEI).date(), TAIPEI)
    rows = await tx.fetch(
        """
        WITH gaps AS (
            SELECT (paid_at AT TIME ZONE $4)::date AS day, count(*) AS payments,
                   sum(amount_twd) AS amount_twd
              FROM captures
             WHERE provider = $1 AND paid_at >= $2 AND paid_at < $3
               AND NOT EXISTS (SELECT FROM reconciliation_lines AS line
                                 JOIN reconciliation_files AS file ON file.id = file_id
                                WHERE line.trade_number = captures.trade_number
                                  AND line.paid_at IS NOT NULL AND imported_at IS NOT NULL)
               AND NOT EXISTS (SELECT FROM reconciliation_differences AS lacked
                                WHERE lacked.trade_number = captures.trade_number
                                  AND kind = 'not_in_file')
             GROUP BY day
        )
        SELECT day, payments, amount_twd,
               EXISTS (SELECT FROM reconciliation_files
                        WHERE imported_at IS NOT NULL AND day BETWEEN first_day AND last_day)
                      AS has_file
          FROM gaps ORDER BY day
        """,
        PROVIDER,
        until - LOOKED_BACK,
        until,
        TAIPEI.key,
    )
    return [Gap(**row) for row in rows]
