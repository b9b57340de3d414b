"""A small programme for tests: two series with their rules, and sittings as a test wants them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from services.enrollment.registrations import claims, openings
from services.enrollment.registrations.claims import Claim, Claimed
from shared.db import Pool, transaction
from shared.errors import Refused
from shared.vault import Vault
from tests.site import SECRET

NOW = datetime.now(UTC)
VAULT = Vault.from_setting(SECRET)
EXAM = date(2026, 12, 19)


async def add_programme(pool: Pool) -> None:
    await pool.execute(
        """
        INSERT INTO programmes (code, titles, zone, year, publish_time, entry, fee_rule, fee_twd,
                                fee_free_to_birthday)
        VALUES ('test', '{"zh-Hant-TW": "認證", "en": "Exam"}', 'Asia/Taipei', 2026, '09:00',
                'candidate', 'free_to_birthday', 250, 19)
        """
    )
    await pool.execute(
        """
        INSERT INTO level_groups (programme, code, titles, position)
        VALUES ('test', 'basic', '{"zh-Hant-TW": "基礎級", "en": "Basic"}', 1)
        """
    )
    await pool.execute(
        """
        INSERT INTO series (programme, level_group, code, titles, submit_within_days, one_only,
                            absence_bars, position)
        VALUES ('test', 'basic', 'multi', '{"zh-Hant-TW": "多梯次", "en": "Multi"}',
                7, false, true, 1),
               ('test', 'basic', 'national', '{"zh-Hant-TW": "全國", "en": "National"}',
                NULL, true, false, 2)
        """
    )


async def add_sitting(
    pool: Pool,
    code: str,
    areas: Mapping[str, int | None],
    *,
    series: str = "multi",
    number: int = 1,
    exam_date: date = EXAM,
    opens_at: datetime = NOW - timedelta(days=1),
    closes_at: datetime = NOW + timedelta(days=30),
) -> None:
    await pool.execute(
        """
        INSERT INTO sittings (code, programme, level_group, series, number, titles, year,
                              exam_date, opens_at, closes_at, tickets_at, results_at,
                              methods, dialects)
        VALUES ($1, 'test', 'basic', $2, $3, $4, 2026, $5, $6, $7, $7, $7,
                '{atm,card,line_pay}', '{sixian,hailu}')
        """,
        code,
        series,
        number,
        {"zh-Hant-TW": f"梯次 {code}", "en": f"Sitting {code}"},
        exam_date,
        opens_at,
        closes_at,
    )
    await pool.executemany(
        "INSERT INTO places (sitting, area, capacity) VALUES ($1, $2, $3)",
        [(code, area, capacity) for area, capacity in areas.items()],
    )


def wish(
    sitting: str = "m1",
    area: str = "taoyuan",
    *,
    account_id: UUID | None = None,
    arrived_at: datetime = NOW,
) -> Claim:
    return Claim(uuid4(), account_id or uuid4(), sitting, area, arrived_at)


async def claim(pool: Pool, *wishes: Claim) -> list[Claimed | Refused]:
    async with transaction(pool) as tx:
        opened = await openings.load(tx, sittings={one.sitting for one in wishes})
        return await claims.claim(tx, openings=opened, claims=wishes)


async def claim_one(pool: Pool, one: Claim) -> Claimed:
    [answer] = await claim(pool, one)
    assert isinstance(answer, Claimed), answer
    return answer


async def taken(pool: Pool, sitting: str = "m1", area: str = "taoyuan") -> int:
    """How many places the counter says are taken; it equals the registrations that hold one."""
    counted: int = await pool.fetchval(
        """
        SELECT count(*) FROM registrations
         WHERE sitting = $1 AND area = $2 AND state NOT IN ('lapsed', 'void', 'withdrawn')
        """,
        sitting,
        area,
    )
    counter: int = await pool.fetchval(
        "SELECT taken FROM places WHERE sitting = $1 AND area = $2", sitting, area
    )
    assert counter == counted
    return counter
