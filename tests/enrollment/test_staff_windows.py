"""What registrars do with windows and places."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment import places
from shared.db import Pool, transaction
from tests.enrollment.registrar import (
    DETAILS,
    NEW,
    SERIES,
    SITTING,
    STAFF,
    WINDOW,
    acts,
    day,
    errors,
    look,
    seen,
    send,
)
from tests.site import Site

NOW = datetime.now(UTC)


@pytest.fixture
def site(office: Site) -> Site:
    return office


@pytest.fixture
def pool(site: Site) -> Pool:
    return site.pools["enrollment"]


async def test_an_exam_cannot_be_put_before_the_end_of_registration(site: Site) -> None:
    await send(site, f"{SITTING}/details", **DETAILS)
    await send(site, f"{SITTING}/window", **WINDOW)
    early = DETAILS | day("exam_date", "2027-04-30") | day("tickets_on", "2027-04-01")
    wrong = {"exam_date": "Registration must end before the exam"}
    assert await errors(site, f"{SITTING}/details", **early) == wrong
    late = WINDOW | day("closes_on", "2027-06-06")
    wrong = {"closes_on": "Registration must end before the exam"}
    assert await errors(site, f"{SITTING}/window", **late) == wrong


async def test_who_opened_a_form_before_somebody_elses_change_is_told(site: Site) -> None:
    old = await seen(site, f"{SITTING}/window")
    await send(site, f"{SITTING}/details", **DETAILS)
    answer = await site.post(f"{SITTING}/window", seen=old, **WINDOW)
    assert answer.status == 409
    assert "Somebody else changed this" in await answer.text()


@pytest.mark.parametrize(
    ("capacity", "shown"), [("12", "12"), ("7", "7"), ("", "not limited"), (" 8 ", "8")]
)
async def test_a_capacity_is_changed_and_what_is_taken_is_seen(
    site: Site, pool: Pool, capacity: str, shown: str
) -> None:
    async with transaction(pool) as tx:
        await places.take(tx, wanted={("tea-2026-first-1", "shore"): 7})
    assert "shore: 7" in await look(site, f"{SITTING}/places/shore")
    page = await send(site, f"{SITTING}/places/shore", capacity=capacity)
    row = page.partition("Shore</td>")[2]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row)[:2] == [shown, "7"]
    assert (await acts(pool))[-1] == "capacity_changed"


@pytest.mark.parametrize("capacity", ["6", "0", "-1", "1.5", "many", "9999999"])
async def test_a_capacity_that_cannot_be_is_refused_at_its_field(
    site: Site, pool: Pool, capacity: str
) -> None:
    async with transaction(pool) as tx:
        await places.take(tx, wanted={("tea-2026-first-1", "shore"): 7})
    assert "capacity" in await errors(site, f"{SITTING}/places/shore", capacity=capacity)
    assert await pool.fetchval("SELECT capacity FROM places WHERE area = 'shore'") is None


async def test_another_area_is_offered_once_and_holds_nobody_yet(site: Site, pool: Pool) -> None:
    await send(site, f"{SERIES}/sittings/new", **(NEW | {"areas": "hill"}))
    path = f"{STAFF}/sittings/tea-2026-first-2"
    for _ in range(2):
        answer = await site.post(f"{path}/places", area="shore")
        assert answer.headers["Location"] == f"{path}/places/shore"
    await site.post(f"{path}/places", area="hill")
    held = await pool.fetch(
        "SELECT area, capacity FROM places WHERE sitting = 'tea-2026-first-2' ORDER BY area"
    )
    assert [tuple(row.values()) for row in held] == [("hill", None), ("shore", 0)]
    assert (await acts(pool)).count("areas_offered") == 3, "the file's, the form's and this one"
    assert (await site.post(f"{path}/places", area="moon")).status == 404


async def test_a_window_is_opened_and_closed_by_hand_once(site: Site, pool: Pool) -> None:
    tomorrow, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    await pool.execute("UPDATE sittings SET opens_at = $1, closes_at = $2", tomorrow, later)
    before = len(await acts(pool))
    assert "Open registration now" in await look(site, SITTING)
    for way, act in (("openings", "window_opened"), ("closings", "window_closed")):
        for _ in range(2):
            assert (await site.post(f"{SITTING}/{way}")).status == 303
        assert (await acts(pool))[-1] == act
    assert len(await acts(pool)) == before + 2
    assert (await site.post(f"{SITTING}/openings")).status == 303, "what is over stays over"
    row = await pool.fetchrow("SELECT opens_at, closes_at FROM sittings")
    assert row
    assert NOW < row["opens_at"] < row["closes_at"] < tomorrow
