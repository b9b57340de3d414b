"""Statistics: counted ahead, exact when they are counted, and left alone when all is over."""

from datetime import UTC, date, datetime, timedelta

from services.enrollment import statistics
from services.enrollment.registrations import drafts
from services.enrollment.statistics import Figures
from shared.db import Pool, transaction
from tests.enrollment.sent import confirm, send
from tests.enrollment.world import NOW, add_sitting, claim_one, wish

# Ten past midnight of the 6th in Taipei.
MIDNIGHT = datetime(2026, 1, 5, 16, 10, tzinfo=UTC)


async def count(pool: Pool, *, now: datetime = NOW) -> dict[str, Figures]:
    async with transaction(pool) as tx:
        await statistics.count(tx, now=now)
        return {figures.sitting: figures for figures in await statistics.list_(tx)}


async def test_what_holds_a_place_is_counted_by_area_dialect_and_day(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None, "taipei": None}, opens_at=MIDNIGHT)
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2)
    await confirm(pool, at=MIDNIGHT)
    await send(pool, area="taipei", dialect="hailu", at=MIDNIGHT - timedelta(0))
    await claim_one(pool, wish(arrived_at=MIDNIGHT + timedelta(days=1)))
    given_up = wish(arrived_at=MIDNIGHT + timedelta(days=1))
    await claim_one(pool, given_up)
    async with transaction(pool) as tx:
        draft = await drafts.lock(
            tx,
            registration_id=given_up.id,
            account_id=given_up.account_id,
            arrived_at=given_up.arrived_at,
        )
        await drafts.withdraw(tx, draft=draft, arrived_at=given_up.arrived_at)
    counted = await count(pool)
    assert counted["m1"] == Figures(
        sitting="m1",
        counted_at=NOW,
        total=3,
        confirmed=1,
        by_area={"taoyuan": 2, "taipei": 1},
        by_dialect={"sixian": 1, "hailu": 1},
        by_day={"2026-01-06": 2, "2026-01-07": 1},
    )
    assert (counted["m2"].total, counted["m2"].by_day) == (0, {})


async def test_figures_are_as_of_the_last_counting(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    await count(pool)
    await claim_one(pool, wish())
    async with transaction(pool) as tx:
        [before] = await statistics.list_(tx)
    assert before.total == 0
    later = NOW + timedelta(minutes=1)
    after = (await count(pool, now=later))["m1"]
    assert (after.total, after.counted_at) == (1, later)


async def test_what_is_long_over_is_not_counted_again(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=NOW.date())
    await claim_one(pool, wish())
    await count(pool)
    much_later = NOW + statistics.COUNTED_AFTER_EXAM + timedelta(days=2)
    figures = (await count(pool, now=much_later))["m1"]
    assert (figures.total, figures.counted_at) == (1, NOW)


def test_sittings_are_added_up() -> None:
    one = Figures("a", NOW, 2, 1, {"x": 2}, {"d": 1}, {"2026-01-07": 1, "2026-01-06": 1})
    other = Figures("b", NOW, 1, 0, {"x": 1, "y": 0}, {}, {"2026-01-06": 1})
    sums = statistics.add_up([one, other])
    assert (sums.total, sums.confirmed) == (3, 1)
    assert (dict(sums.by_area), dict(sums.by_dialect)) == ({"x": 3, "y": 0}, {"d": 1})
    assert sums.by_day == {date(2026, 1, 6): 2, date(2026, 1, 7): 1}
    assert list(sums.by_day) == sorted(sums.by_day)
