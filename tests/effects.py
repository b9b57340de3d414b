"""An event with a number, and a handler that counts how often each number took effect."""

from collections import Counter
from typing import ClassVar

from shared.db import Pool, Tx
from shared.events import Event

EFFECTS = """
CREATE TABLE effects (
    number bigint  PRIMARY KEY,
    times  integer NOT NULL
);
CREATE TABLE repaired (at timestamptz NOT NULL DEFAULT now())
"""


class NumberAnnounced(Event):
    """A number was announced. A poisonous one cannot be handled before a repair."""

    name: ClassVar[str] = "test.number_announced.v1"

    number: int
    is_poison: bool = False


class Poisonous(Exception):
    """A defect in a handler, which this event brings to light."""


async def on_number_announced(tx: Tx, events: list[NumberAnnounced]) -> None:
    poison = [event.number for event in events if event.is_poison]
    if poison and not await tx.fetchval("SELECT EXISTS (SELECT FROM repaired)"):
        raise Poisonous(f"cannot handle {poison[0]}")
    times = Counter(event.number for event in events)
    await tx.execute(
        """
        INSERT INTO effects (number, times)
        SELECT * FROM unnest($1::bigint[], $2::int[])
        ON CONFLICT (number) DO UPDATE SET times = effects.times + EXCLUDED.times
        """,
        list(times),
        list(times.values()),
    )


async def repair(pool: Pool) -> None:
    """Make the handler able to handle poison."""
    await pool.execute("INSERT INTO repaired DEFAULT VALUES")


async def list_effects(pool: Pool) -> dict[int, int]:
    """How often each number took effect."""
    rows = await pool.fetch("SELECT number, times FROM effects ORDER BY number")
    return {row["number"]: row["times"] for row in rows}
