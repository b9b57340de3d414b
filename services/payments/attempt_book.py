"""The attempt book: tries to pay as they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay by one method."""

    id: UUID
    order_id: UUID
    method: str
    variant: str
    provider: str
    trade_number: str
    amount_twd: int
    state: str
    provider_number: str | None
    instructions: Mapping[str, str]
    created_at: datetime
    issued_at: datetime | None
    expires_at: datetime | None
    in_time_until: datetime
    last_ask_at: datetime
    ask_at: datetime | None  # none: there is nothing more to hear
    asks: int
    closed_at: datetime | None

    def is_usable(self, *, now: datetime) -> bool:
        """Whether it can be paid with what was given out for it."""
        is_given = bool(self.instructions) and self.expires_at is not None
        return is_given and self.closed_at is None and now < (self.expires_at or now)


COLUMNS = ", ".join(f"attempts.{name}" for name in Attempt.__slots__)


def read(row: Row) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.__slots__})


async def list_of_order(tx: Tx, *, order_id: UUID) -> list[Attempt]:
    """An order's attempts, the newest first."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM attempts WHERE order_id = $1 ORDER BY created_at DESC, id
        """,  # noqa: S608 (a constant)
        order_id,
    )
    return [read(row) for row in rows]


async def find(tx: Tx, *, provider: str, trade_number: str) -> Attempt | None:
    row = await tx.fetchrow(
        f"""
        SELECT {COLUMNS} FROM attempts WHERE trade_number = $1 AND provider = $2
        """,  # noqa: S608 (a constant)
        trade_number,
        provider,
    )
    return read(row) if row else None
