"""Growth: the same midnight with none, a million and five million registrations already there."""

from statistics import median

from shared.db import Pool
from tests.bench import midnight
from tests.bench.load import Crowd
from tests.bench.report import Figure, Ratio, Report
from tests.servers import Servers

THERE = (0, 1_000_000, 5_000_000)
ROUNDS = 3
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


async def run(servers: Servers) -> Report:
    crowd = Crowd()
    rates: list[float] = []
    async with midnight.night(servers) as tonight:
        await midnight.warm_up(crowd, tonight)
        there = 0
        for wanted in THERE:
            await _fill(tonight.pool, there, wanted)
            there = wanted
            loads = [
                await midnight.claim(crowd, tonight, areas=midnight.AREAS) for _ in range(ROUNDS)
            ]
            rates.append(median(load.rate for load in loads))
    crowd.close()
    return Report(
        "growth",
        f"{midnight.PEOPLE:,} people claim a place each, beside what earlier years left",
        [
            Figure(f"claims beside {there:,} registrations", rate, "claims/s")
            for there, rate in zip(THERE, rates, strict=True)
        ],
        [
            Ratio(f"with {there:,} to with none", rate / rates[0], at_least=0.85)
            for there, rate in zip(THERE[1:], rates[1:], strict=True)
        ],
    )


async def _fill(pool: Pool, there: int, wanted: int) -> None:
    async with pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        for start in range(there, wanted, AT_ONCE):
            await connection.execute(EARLIER, start + 1, min(start + AT_ONCE, wanted))
        await connection.execute("VACUUM (ANALYZE) registrations")
        await connection.execute("RESET statement_timeout")
