"""A window that is made longer: the drafts in it get the time, and no other deadline is touched."""

from datetime import date, datetime, timedelta

from services.enrollment import sittings
from services.enrollment.registrations import Registration, drafts, load
from services.enrollment.registrations.claims import Claimed
from shared.db import Pool, transaction
from shared.events.enrollment import SubmissionDue
from tests.enrollment import catalogues
from tests.enrollment.catalogues import SMALL
from tests.enrollment.life import Life, events
from tests.enrollment.registrar import SITTING, day, send
from tests.enrollment.world import NOW, add_sitting, claim_one, wish
from tests.site import Site

FIRST = "tea-2026-first-1"
LAST_DAY, LATER = (NOW + timedelta(days=2)).date(), (NOW + timedelta(days=9)).date()


async def find(pool: Pool, claimed: Claimed) -> Registration:
    async with transaction(pool) as tx:
        return await load(tx, registration_id=claimed.id)


async def remind(pool: Pool, life: Life, *, hours_before: int) -> list[int]:
    """Remind once of the deadline as it stands, so long before it; tell of which days."""
    now = (await life.now()).submit_by - timedelta(hours=hours_before)
    async with transaction(pool) as tx:
        for days in drafts.REMINDED_DAYS_BEFORE:
            await drafts.remind(tx, days_before=days, now=now)
    return [one.days_left for one in await events(pool) if isinstance(one, SubmissionDue)]


async def make_longer(pool: Pool, sitting: str, *, days: int) -> None:
    await pool.execute(
        "UPDATE sittings SET closes_at = closes_at + make_interval(days => $2) WHERE code = $1",
        sitting,
        days,
    )
    async with transaction(pool) as tx:
        await drafts.extend(tx, sitting=sitting)


async def open_window(pool: Pool, last_day: date) -> None:
    """Let the small programme's sitting be open until the end of a day."""
    await catalogues.load(pool, with_window(last_day))
    await pool.execute(
        "UPDATE sittings SET opens_at = $1 WHERE code = $2", NOW - timedelta(days=5), FIRST
    )


def with_window(last_day: date) -> str:
    exam = last_day + timedelta(days=60)
    days = {
        "opens_on = 2026-02-01": f"opens_on = {NOW.date() - timedelta(days=5)}",
        "closes_on = 2026-02-28": f"closes_on = {last_day}",
        "tickets_on = 2026-03-20": f"tickets_on = {exam - timedelta(days=9)}",
        "exam_date = 2026-04-01": f"exam_date = {exam}",
        "results_on = 2026-05-01": f"results_on = {exam + timedelta(days=30)}",
    }
    text = SMALL
    for old, new in days.items():
        text = text.replace(old, new)
    return text


async def closes_at(pool: Pool) -> datetime:
    async with transaction(pool) as tx:
        return (await sittings.load(tx, code=FIRST)).closes_at


async def test_a_window_that_a_registrar_makes_longer_is_longer_for_drafts(office: Site) -> None:
    pool = office.pools["enrollment"]
    await open_window(pool, LAST_DAY)
    draft = await claim_one(pool, wish(FIRST, "hill"))
    assert draft.submit_by == await closes_at(pool)
    longer = {**day("opens_on", "2026-02-01"), **day("closes_on", str(LATER))}
    await send(office, f"{SITTING}/window", **longer)
    assert (await find(pool, draft)).submit_by == await closes_at(pool) > draft.submit_by
    shorter = {**day("opens_on", "2026-02-01"), **day("closes_on", str(LAST_DAY))}
    await send(office, f"{SITTING}/window", **shorter)
    assert (await find(pool, draft)).submit_by > await closes_at(pool), "as it was said"


async def test_a_window_that_a_catalogue_makes_longer_is_longer_for_drafts(empty: Pool) -> None:
    await open_window(empty, LAST_DAY)
    draft = await claim_one(empty, wish(FIRST, "hill"))
    await catalogues.load(empty, with_window(LATER))
    assert (await find(empty, draft)).submit_by == await closes_at(empty) > draft.submit_by


async def test_whoever_has_so_many_days_from_the_claim_on_gets_no_more_than_these(
    pool: Pool,
) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, closes_at=NOW + timedelta(days=3))
    draft, sent = await Life.begin(pool), await Life.begin(pool)
    untouched = await sent.submit()
    await make_longer(pool, "m1", days=60)
    submit_by = (await draft.now()).submit_by
    assert timedelta(days=6) < submit_by - NOW <= timedelta(days=7)
    assert await sent.now() == untouched
    await make_longer(pool, "m1", days=1)
    assert (await draft.now()).submit_by == submit_by


async def test_whoever_was_reminded_of_the_earlier_deadline_is_reminded_of_the_later(
    pool: Pool,
) -> None:
    await add_sitting(
        pool, "n1", {"taoyuan": None}, series="national", closes_at=NOW + timedelta(days=5)
    )
    life = await Life.begin(pool, "n1")
    assert await remind(pool, life, hours_before=47) == [2]
    assert await remind(pool, life, hours_before=40) == []
    await make_longer(pool, "n1", days=8)
    assert await remind(pool, life, hours_before=47) == [2]
    assert await remind(pool, life, hours_before=23) == [1]
