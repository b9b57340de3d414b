"""Places of a sitting in an area, and how many are taken. Sole writer of the `places` table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from shared import audit
from shared.audit import Line
from shared.db import Tx
from shared.errors import NoSuchPage, Refused

Room: TypeAlias = tuple[str, str]  # a sitting and an area


class MoreAreTaken(Refused):
    """More places are taken already than this: a capacity cannot be below what is taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """How many one area of a sitting holds, and how many of them are taken."""

    sitting: str
    area: str
    capacity: int | None  # None: unlimited
    taken: int
    edited_at: datetime | None

    @property
    def left(self) -> int | None:
        """How many more may come; None: as many as want to."""
        return None if self.capacity is None else self.capacity - self.taken


async def list_(tx: Tx, *, sittings: Sequence[str]) -> list[Place]:
    rows = await tx.fetch(
        """
        SELECT sitting, area, capacity, taken, edited_at FROM places
         WHERE sitting = ANY ($1::text[])
         ORDER BY sitting, area
        """,
        sittings,
    )
    return [Place(**row) for row in rows]


async def load(tx: Tx, *, sitting: str, area: str) -> Place:
    row = await tx.fetchrow(
        """
        SELECT sitting, area, capacity, taken, edited_at FROM places
         WHERE sitting = $1 AND area = $2
        """,
        sitting,
        area,
    )
    if row is None:
        raise NoSuchPage
    return Place(**row)


async def offer(
    tx: Tx,
    *,
    sitting: str,
    capacities: Mapping[str, int | None],
    actor: str,
    edited_at: datetime | None = None,
) -> list[str]:
    """Let a sitting be held in these areas; return the areas that are new or hold another number.

    A capacity that a registrar chose stays. One below what is taken is refused.
    """
    # Locked first: a claim under way is counted before it is compared.
    lacking = await tx.fetchval(
        """
        WITH held AS (
            SELECT area, taken, edited_at FROM places
             WHERE sitting = $1 AND area = ANY ($2::text[]) ORDER BY area FOR UPDATE
        )
        SELECT held.area
          FROM held JOIN unnest($2::text[], $3::integer[]) AS wanted (area, capacity) USING (area)
         WHERE edited_at IS NULL AND taken > wanted.capacity
         ORDER BY held.area LIMIT 1
        """,
        sitting,
        list(capacities),
        list(capacities.values()),
    )
    if lacking is not None:
        raise MoreAreTaken(lacking)
    rows = await tx.fetch(
        """
        INSERT INTO places (sitting, area, capacity, edited_at)
        SELECT $1, area, capacity, $4
          FROM unnest($2::text[], $3::integer[]) AS wanted (area, capacity)
        ON CONFLICT (sitting, area) DO UPDATE SET capacity = EXCLUDED.capacity
         WHERE places.edited_at IS NULL
           AND places.capacity IS DISTINCT FROM EXCLUDED.capacity
        RETURNING area, capacity
        """,
        sitting,
        list(capacities),
        list(capacities.values()),
        edited_at,
    )
    changed = {row["area"]: row["capacity"] for row in rows}
    if changed:
        line = Line(actor, "areas_offered", f"sitting {sitting}", {"capacities": changed})
        await audit.record(tx, [line])
    return list(changed)


async def change_capacity(
    tx: Tx, *, sitting: str, area: str, capacity: int | None, actor: str, now: datetime
) -> Place:
    """Let an area hold more or fewer; never fewer than are taken."""
    # One statement that waits for claims under way and then sees what they took.
    row = await tx.fetchrow(
        """
        UPDATE places SET capacity = $3, edited_at = $4
         WHERE sitting = $1 AND area = $2 AND ($3::integer IS NULL OR taken <= $3)
        RETURNING sitting, area, capacity, taken, edited_at
        """,
        sitting,
        area,
        capacity,
        now,
    )
    if row is None:
        await load(tx, sitting=sitting, area=area)
        raise MoreAreTaken
    changed = {"area": area, "capacity": capacity}
    await audit.record(tx, [Line(actor, "capacity_changed", f"sitting {sitting}", changed)])
    return Place(**row)


async def take(tx: Tx, *, wanted: Mapping[Room, int]) -> dict[Room, int]:
    """Take up to so many places in each; return how many there were. Never more than exist.

    The rows stay locked until the transaction ends, so this is what it does last. They are locked
    in one order, whoever asks.
    """
    rows = await tx.fetch(
        """
        WITH locked AS (
            SELECT places.sitting, places.area,
                   LEAST(wanted.count, COALESCE(capacity - taken, wanted.count)) AS granted
              FROM places
              JOIN unnest($1::text[], $2::text[], $3::int[]) AS wanted (sitting, area, count)
             USING (sitting, area)
             ORDER BY sitting, area
               FOR UPDATE OF places
        )
        UPDATE places SET taken = taken + granted
          FROM locked
         WHERE places.sitting = locked.sitting AND places.area = locked.area
        RETURNING places.sitting, places.area, granted
        """,
        [sitting for sitting, _ in wanted],
        [area for _, area in wanted],
        list(wanted.values()),
    )
    return {(row["sitting"], row["area"]): row["granted"] for row in rows}


async def give_back(tx: Tx, *, rooms: Iterable[Room]) -> None:
    """Give back one place for each room named; a room may be named often."""
    returned = Counter(rooms)
    await tx.execute(
        """
        WITH locked AS (
            SELECT places.sitting, places.area, returned.count
              FROM places
              JOIN unnest($1::text[], $2::text[], $3::int[]) AS returned (sitting, area, count)
             USING (sitting, area)
             ORDER BY sitting, area
               FOR UPDATE OF places
        )
        UPDATE places SET taken = taken - locked.count
          FROM locked
         WHERE places.sitting = locked.sitting AND places.area = locked.area
        """,
        [sitting for sitting, _ in returned],
        [area for _, area in returned],
        list(returned.values()),
    )
