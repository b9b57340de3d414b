"""Reviews: nobody decides about what a colleague has before them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.enrollment import registration_lists, reviews
from services.enrollment.registration_lists import Wanted
from services.enrollment.registrations import Registration, deciding
from services.enrollment.registrations.deciding import NotWaiting
from services.enrollment.reviews import (
    TAKEN_FOR,
    NothingWaits,
    NotTaken,
    Review,
    Reviewer,
    TakenByColleague,
)
from shared.db import Pool, transaction
from tests.enrollment.sent import BORN_PAYING, confirm, send
from tests.enrollment.world import NOW, VAULT, add_sitting

LIN, CHEN = Reviewer(uuid4(), "林怡君"), Reviewer(uuid4(), "陳建宏")
LATER = NOW + TAKEN_FOR


async def take(pool: Pool, one: Registration, who: Reviewer, *, now: object = NOW) -> Review:
    async with transaction(pool) as tx:
        return await reviews.take(tx, registration_id=one.id, reviewer=who, now=now)  # type: ignore[arg-type]


async def take_next(pool: Pool, who: Reviewer, *, sitting: str = "", area: str = "") -> UUID:
    async with transaction(pool) as tx:
        return await reviews.take_next(tx, sitting=sitting, area=area, reviewer=who, now=NOW)


async def approve(pool: Pool, one: Registration, who: Reviewer) -> None:
    async with transaction(pool) as tx:
        await reviews.finish(tx, registration_id=one.id, reviewer=who.id)
        await deciding.approve(tx, registration_id=one.id, vault=VAULT, actor=str(who.id), now=NOW)


async def test_what_one_has_a_colleague_cannot_take(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    review = await take(pool, one, LIN)
    assert (review.reviewer, review.taken_until) == (LIN.id, NOW + TAKEN_FOR)
    with pytest.raises(TakenByColleague):
        await take(pool, one, CHEN)
    with pytest.raises(NotTaken):
        await approve(pool, one, CHEN)
    await approve(pool, one, LIN)


async def test_whoever_has_it_keeps_it_longer_by_asking_again(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    review = await take(pool, one, LIN, now=LATER - timedelta(seconds=1))
    assert review.taken_until > LATER
    with pytest.raises(TakenByColleague):
        await take(pool, one, CHEN, now=LATER)


async def test_what_is_held_for_too_long_can_be_taken_over(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    with pytest.raises(TakenByColleague):
        await take(pool, one, CHEN, now=LATER - timedelta(microseconds=1))
    assert (await take(pool, one, CHEN, now=LATER)).reviewer == CHEN.id
    with pytest.raises(NotTaken):
        await approve(pool, one, LIN)
    await approve(pool, one, CHEN)


async def test_what_nobody_took_over_can_still_be_decided(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    async with transaction(pool) as tx:
        assert await reviews.find(tx, registration_id=one.id, now=LATER) is None
    await approve(pool, one, LIN)


async def test_without_taking_it_nobody_decides(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    with pytest.raises(NotTaken):
        await approve(pool, one, LIN)


async def test_only_what_waits_can_be_taken(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    unpaid, confirmed = await send(pool, birth_date=BORN_PAYING), await confirm(pool)
    for one in (unpaid, confirmed):
        with pytest.raises(NotWaiting):
            await take(pool, one, LIN)
    with pytest.raises(NothingWaits):
        await take_next(pool, LIN)


async def test_a_second_approval_is_told_that_it_was_decided(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    await approve(pool, one, LIN)
    with pytest.raises(NotWaiting):
        await approve(pool, one, LIN)


async def test_what_is_given_back_is_free_at_once(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    for who in (CHEN, LIN, LIN):
        async with transaction(pool) as tx:
            await reviews.release(tx, registration_id=one.id, reviewer=who)
    assert (await take(pool, one, CHEN)).reviewer == CHEN.id
    acts = [row["act"] for row in await pool.fetch("SELECT act FROM audit_lines ORDER BY id")]
    assert acts == ["review_taken", "review_released", "review_taken"]


async def test_the_next_one_is_what_waited_longest_and_nobody_has(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None, "taipei": None})
    young = await send(pool, at=NOW)
    old = await send(pool, at=NOW - timedelta(hours=2))
    elsewhere = await send(pool, area="taipei", at=NOW - timedelta(hours=3))
    assert await take_next(pool, LIN, area="taoyuan") == old.id
    assert await take_next(pool, LIN, sitting="m1") == elsewhere.id
    assert await take_next(pool, CHEN) == young.id
    with pytest.raises(NothingWaits):
        await take_next(pool, CHEN)


async def test_registrars_who_click_together_get_different_ones(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    waiting = {(await send(pool)).id for _ in range(12)}
    people = [Reviewer(uuid4(), f"registrar {number}") for number in range(12)]
    taken = await asyncio.gather(*(take_next(pool, who) for who in people))
    assert sorted(taken) == sorted(waiting)


async def test_a_colleagues_click_under_way_holds_nobody_up(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    old, young = await send(pool, at=NOW - timedelta(hours=1)), await send(pool)
    async with transaction(pool) as tx:
        taken = await reviews.take_next(tx, sitting="", area="", reviewer=LIN, now=NOW)
        assert taken == old.id
        async with asyncio.timeout(10):
            assert await take_next(pool, CHEN) == young.id


async def test_of_two_who_click_on_the_same_one_gets_it(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    people = [Reviewer(uuid4(), f"registrar {number}") for number in range(8)]
    answers = await asyncio.gather(
        *(take(pool, one, who) for who in people), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == [
        "Review",
        *["TakenByColleague"] * 7,
    ]


async def queue(pool: Pool, wanted: Wanted | None = None, **more: Any) -> list[UUID]:
    asked = {"wanted": wanted or Wanted(), "waiting_before": NOW, "now": NOW, "limit": 10, **more}
    async with transaction(pool) as tx:
        found = await registration_lists.list_queue(tx, **asked)
    return [one.id for one in found]


async def test_the_queue_is_filtered_and_turned_page_by_page(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None, "taipei": None})
    sent = [await send(pool, at=NOW - timedelta(hours=age)) for age in (5, 4, 3)]
    there = await send(pool, area="taipei", at=NOW - timedelta(hours=1))
    await confirm(pool)
    ids = [one.id for one in sent]
    assert await queue(pool) == [*ids, there.id]
    assert await queue(pool, Wanted(area="taipei")) == [there.id]
    assert await queue(pool, Wanted(sitting="m2")) == []
    assert await queue(pool, waiting_before=NOW - timedelta(hours=4)) == ids[:2]
    first = sent[0]
    assert first.waiting_since
    assert await queue(pool, after=(first.waiting_since, first.number), limit=1) == ids[1:2]


async def test_the_queue_tells_who_is_at_it(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await send(pool)
    await take(pool, one, LIN)
    async with transaction(pool) as tx:
        for now, name in ((NOW, LIN.name), (LATER, None)):
            [waiting] = await registration_lists.list_queue(
                tx, wanted=Wanted(), waiting_before=NOW, now=now, limit=1
            )
            assert waiting.name == name
        assert await registration_lists.count_queue(tx) == 1
