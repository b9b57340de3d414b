"""Orders as finance looks for them: by any number that is on somebody's paper, amount, state, day.
Writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.payments.order_book import COLUMNS, Order, read
from shared.db import Tx
from shared.i18n import mark

STATES = {
    "open": mark("open"),
    "paid": mark("paid"),
    "partly_refunded": mark("partly refunded"),
    "refunded": mark("refunded"),
    "lapsed": mark("lapsed"),
}
# A file somebody opens in a spreadsheet; more than this is asked for in parts.
LONGEST_EXPORT = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody searches for; what is empty does not matter."""

    number: str = ""  # a reference, a trade number or the provider's number
    amount_twd: int | None = None
    state: str = ""
    since: datetime | None = None  # when it was opened
    until: datetime | None = None


_BY_NUMBER = """
    id IN (SELECT id FROM orders WHERE reference = $1
            UNION ALL SELECT order_id FROM order_items WHERE reference = $1
            UNION ALL SELECT order_id FROM attempts WHERE trade_number = $1
            UNION ALL SELECT order_id FROM captures WHERE trade_number = $1
            UNION ALL SELECT order_id FROM captures WHERE provider_number = $1)
"""


async def search(tx: Tx, *, wanted: Wanted, limit: int, after: UUID | None = None) -> list[Order]:
    """Find orders, the newest first, those after the one that was shown last."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM orders
         WHERE {_BY_NUMBER if wanted.number else "$1 = ''"}
           AND ($2::int IS NULL OR amount_twd = $2) AND ($3 = '' OR state = $3)
           AND ($4::timestamptz IS NULL OR opened_at >= $4)
           AND ($5::timestamptz IS NULL OR opened_at < $5)
           AND ($6::uuid IS NULL
                OR (opened_at, id) < (SELECT opened_at, id FROM orders WHERE id = $6))
         ORDER BY opened_at DESC, id DESC
         LIMIT $7
        """,  # noqa: S608 (constants)
        wanted.number,
        wanted.amount_twd,
        wanted.state,
        wanted.since,
        wanted.until,
        after,
        limit,
    )
    return [read(row) for row in rows]


async def find_by_number(tx: Tx, *, number: str) -> Order | None:
    """The newest order that bears a number."""
    wanted = Wanted(number=number)
    found = await search(tx, wanted=wanted, limit=1) if number else []
    return found[0] if found else None
