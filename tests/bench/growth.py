"""Growth: the same midnight with none, a million and five million registrations already there."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from shared.db import Pool
from tests.bench import midnight
from tests.bench.load import Crowd
from tests.bench.midnight import Night
from tests.bench.report import Figure, Ratio, Report
from tests.servers import Servers

THERE = (1_000_000, 5_000_000)
ROUNDS = 5
AT_ONCE = 500_000

# Earlier years: everybody has a person, a fee and a state, in as many sittings as a decade has.
EARLIER = """
    INSERT INTO registrations
           (id, account_id, sitting, area, one_of, state, person, claimed_at, submit_by,
            submitted_at, dialect, person_name, birth_date, fee_twd, paid_at, confirmed_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'earlier-' || n % 160, 'area-' || n % 16 + 1,
           CASE WHEN n % 8 = 0 THEN 'earlier-' || n % 160 END, 'confirmed',
           decode(md5(n::text) || md5('x' || n), 'hex'),
           now() - interval '1 year', now(), now(), 'sixian', '王大同', '1990-05-17', 250, now(),
           now()
      FROM generate_series($1::bigint, $2::bigint) AS n
"""


@dataclass(frozen=True)
class Beside:
    """What was measured beside so many registrations, and in a database without any between."""

    registrations: int
    claims: float
    claims_with_none: float


async def run(servers: Servers) -> Report:
    crowd = Crowd()
    found: list[Beside] = []
    async with midnight.night(servers) as empty, midnight.night(servers) as grown:
        for tonight in (empty, grown):
            await midnight.warm_up(crowd, tonight)
        for there, wanted in pairwise((0, *THERE)):
            await _fill(grown.pool, there, wanted)
            found.append(await _measure(crowd, grown, empty, wanted))
    crowd.close()
    return Report(
        "growth",
        f"{midnight.PEOPLE:,} people claim a place each, beside what earlier years left",
        [
            figure
            for beside in found
            for figure in (
                Figure(f"claims beside {beside.registrations:,} registrations",
                       beside.claims, "claims/s"),
                Figure(f"claims beside none, by turns with {beside.registrations:,}",
                       beside.claims_with_none, "claims/s"),
            )
        ],
        [
            Ratio(f"with {beside.registrations:,} to with none",
                  beside.claims / beside.claims_with_none, at_least=0.85)
            for beside in found
        ],
    )  # fmt: skip


async def _measure(crowd: Crowd, grown: Night, empty: Night, registrations: int) -> Beside:
    """By turns, since a machine is not as fast in every minute."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for tonight, measured in zip((grown, empty), rates, strict=True):
            load = await midnight.claim(crowd, tonight, areas=midnight.AREAS)
            measured.append(load.rate)
    return Beside(registrations, *map(median, rates))


async def _fill(pool: Pool, there: int, wanted: int) -> None:
    async with pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        for start in range(there, wanted, AT_ONCE):
            await connection.execute(EARLIER, start + 1, min(start + AT_ONCE, wanted))
        await connection.execute("VACUUM (ANALYZE) registrations")
        await connection.execute("RESET statement_timeout")
