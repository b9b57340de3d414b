"""Claiming a place: exact, one for each, and the reason when the answer is no."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.enrollment.registrations.claims import (
    AlreadyThere,
    Claimed,
    NoSuchPlace,
    NotYetOpen,
    OtherSittingHeld,
    SittingFull,
    WindowClosed,
)
from services.enrollment.registrations.openings import Barred
from shared.db import Pool
from shared.errors import Refused
from shared.events import decode
from shared.events.enrollment import PlaceClaimed
from shared.group_commit import AGAIN
from tests.enrollment import world
from tests.enrollment.world import NOW, add_sitting, claim, claim_one, taken, wish


def kinds(answers: list[Claimed | Refused]) -> list[type]:
    return [type(answer) for answer in answers]


async def test_who_comes_first_gets_the_place(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 2})
    answers = await claim(pool, *(wish() for _ in range(5)))
    assert kinds(answers) == [Claimed, Claimed, SittingFull, SittingFull, SittingFull]
    assert await taken(pool) == 2


async def test_areas_and_sittings_fill_up_each_by_itself(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1, "taipei": None})
    await add_sitting(pool, "m2", {"taoyuan": 1}, number=2)
    answers = await claim(
        pool, wish(), wish(), wish(area="taipei"), wish("m2"), wish("m2"), wish(area="taipei")
    )
    assert kinds(answers) == [Claimed, SittingFull, Claimed, Claimed, SittingFull, Claimed]


async def test_a_full_area_is_refused_without_a_try(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1})
    await claim_one(pool, wish())
    number = await pool.fetchval("SELECT max(number) FROM registrations")
    assert kinds(await claim(pool, wish(), wish())) == [SittingFull, SittingFull]
    await pool.execute("UPDATE places SET capacity = 2")
    assert (await claim_one(pool, wish())).number == number + 1


async def test_a_crowd_on_many_connections_oversells_nothing(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 37, "taipei": 11})
    crowds = [[wish(area=area) for area in ("taipei", "taoyuan") * 5] for _ in range(12)]
    answers = [
        answer
        for settled in await asyncio.gather(*(claim(pool, *crowd) for crowd in crowds))
        for answer in settled
    ]
    assert Counter(kinds(answers)) == {Claimed: 48, SittingFull: 72}
    assert (await taken(pool), await taken(pool, area="taipei")) == (37, 11)


async def test_a_double_click_gets_the_same_answer(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 5})
    account_id = uuid4()
    first, second = await claim(pool, wish(account_id=account_id), wish(account_id=account_id))
    assert isinstance(first, Claimed)
    assert isinstance(second, Claimed)
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.id, first.reference) == (second.id, second.reference)
    assert await taken(pool) == 1


async def test_double_clicks_on_many_connections_take_one_place(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    account_id = uuid4()
    answers = await asyncio.gather(
        *(claim_one(pool, wish(account_id=account_id)) for _ in range(8))
    )
    assert len({answer.id for answer in answers}) == 1
    assert [answer.is_new for answer in answers].count(True) == 1
    assert await taken(pool) == 1


@pytest.mark.parametrize("change", ["closes_at = now()", "opens_at = now() + interval '1 hour'"])
async def test_a_retry_finds_the_place_whatever_happened_since(pool: Pool, change: str) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1})
    one = wish()
    first = await claim_one(pool, one)
    await pool.execute(f"UPDATE sittings SET {change}")
    again = await claim_one(pool, wish(account_id=one.account_id))
    assert (again.id, again.is_new) == (first.id, False)


async def test_a_holder_is_told_so_even_when_all_is_full(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1, "taipei": 1})
    one = wish()
    held = await claim_one(pool, one)
    same, other = await claim(
        pool, wish(account_id=one.account_id), wish(account_id=one.account_id, area="taipei")
    )
    assert isinstance(same, Claimed)
    assert same.id == held.id
    assert isinstance(other, AlreadyThere)


async def test_of_two_areas_wished_for_at_once_the_first_counts(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None, "taipei": None})
    account_id = uuid4()
    answers = await claim(
        pool, wish(account_id=account_id), wish(account_id=account_id, area="taipei")
    )
    assert kinds(answers) == [Claimed, AlreadyThere]
    assert (await taken(pool), await taken(pool, area="taipei")) == (1, 0)


async def test_of_the_national_sittings_one_is_entered(pool: Pool) -> None:
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    await add_sitting(pool, "n2", {"taoyuan": None}, series="national", number=2)
    await add_sitting(pool, "m1", {"taoyuan": None})
    me = uuid4()
    answers = await claim(pool, wish("n1", account_id=me), wish("n2", account_id=me), wish("n2"))
    assert kinds(answers) == [Claimed, OtherSittingHeld, Claimed]
    assert kinds(await claim(pool, wish("n2", account_id=me))) == [OtherSittingHeld]
    await claim_one(pool, wish("m1", account_id=me))
    assert await taken(pool, "n2") == 1


async def test_a_wish_that_failed_stands_in_the_way_of_no_other(pool: Pool) -> None:
    await add_sitting(pool, "n1", {"taoyuan": 1}, series="national")
    await add_sitting(pool, "n2", {"taoyuan": None, "taipei": 1}, series="national", number=2)
    me, twice = uuid4(), uuid4()
    wishes = (
        wish("n1"),
        wish("n1", account_id=me),
        wish("n2", account_id=me),
        wish("n1", account_id=twice),
        wish("n1", account_id=twice),
    )
    answers = await claim(pool, *wishes)
    assert kinds(answers[:2]) == [Claimed, SittingFull]
    assert isinstance(answers[3], SittingFull)
    assert answers[2] is answers[4] is AGAIN
    assert kinds(await claim(pool, wishes[2], wishes[4])) == [Claimed, SittingFull]
    assert (await taken(pool, "n1"), await taken(pool, "n2")) == (1, 1)


async def test_who_was_absent_enters_no_later_sitting_of_the_series(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None}, exam_date=date(2026, 6, 27))
    await add_sitting(pool, "m2", {"taoyuan": None}, number=2, exam_date=date(2026, 7, 18))
    await add_sitting(pool, "m0", {"taoyuan": None}, number=3, exam_date=date(2026, 5, 23))
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    me = uuid4()
    await claim_one(pool, wish(account_id=me))
    await pool.execute("UPDATE registrations SET state = 'absent'")
    answers = await claim(pool, *(wish(code, account_id=me) for code in ("m2", "m0", "n1")))
    assert kinds(answers) == [Barred, Claimed, Claimed]
    assert await taken(pool, "m2") == 0


async def test_the_window_is_half_open(pool: Pool) -> None:
    opens_at, closes_at = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    await add_sitting(pool, "m1", {"taoyuan": None}, opens_at=opens_at, closes_at=closes_at)
    tick = timedelta(microseconds=1)
    moments = [opens_at - tick, opens_at, closes_at - tick, closes_at]
    answers = await claim(pool, *(wish(arrived_at=moment) for moment in moments))
    assert kinds(answers) == [NotYetOpen, Claimed, Claimed, WindowClosed]


async def test_nobody_is_early_because_a_machine_runs_fast(pool: Pool) -> None:
    opens_at = NOW + timedelta(hours=1)
    await add_sitting(pool, "m1", {"taoyuan": None}, opens_at=opens_at)
    [answer] = await claim(pool, wish(arrived_at=opens_at + timedelta(seconds=5)))
    assert isinstance(answer, NotYetOpen)
    assert answer.opens_at == opens_at


async def test_what_does_not_exist_cannot_be_claimed(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    answers = await claim(pool, wish("m9"), wish(area="atlantis"), wish())
    assert kinds(answers) == [NoSuchPlace, NoSuchPlace, Claimed]


async def test_a_draft_is_kept_to_the_end_of_the_seventh_day(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": None})
    one = await claim_one(pool, wish())
    taipei = (NOW + timedelta(hours=8)).date()
    assert (one.submit_by + timedelta(hours=8)).date() == taipei + timedelta(days=7)
    assert (one.submit_by + timedelta(hours=8)).hour == 0


async def test_a_draft_is_kept_no_longer_than_the_window(pool: Pool) -> None:
    closes_at = NOW + timedelta(hours=3)
    await add_sitting(pool, "m1", {"taoyuan": None}, closes_at=closes_at)
    await add_sitting(pool, "n1", {"taoyuan": None}, series="national")
    assert (await claim_one(pool, wish())).submit_by == closes_at
    assert (await claim_one(pool, wish("n1"))).submit_by == NOW + timedelta(days=30)


async def test_each_place_is_announced_once(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 2})
    me = uuid4()
    wishes = [wish(account_id=me), wish(account_id=me), wish(), wish()]
    answers = await claim(pool, *wishes)
    [row] = await pool.fetch("SELECT body FROM outbox")
    told = decode(PlaceClaimed, row["body"])
    held = [answer for answer in answers if isinstance(answer, Claimed) and answer.is_new]
    assert [event.registration_id for event in told] == [answer.id for answer in held]
    assert told[0].account_id == me
    assert told[0].sitting_titles["en"] == "Sitting m1"
    assert told[0].reference == held[0].reference


async def test_what_one_gives_up_another_takes(pool: Pool) -> None:
    await add_sitting(pool, "m1", {"taoyuan": 1})
    await claim_one(pool, wish())
    await pool.execute("UPDATE registrations SET state = 'withdrawn'")
    await pool.execute("UPDATE places SET taken = 0")
    await claim_one(pool, wish())
    assert await world.taken(pool) == 1
