"""What others tell: in any order, as often as they like, the newest news counts."""

import itertools
from datetime import timedelta
from uuid import uuid4

import pytest

from services.scoring import candidates, sittings
from shared.db import Pool, transaction
from tests.scoring.world import (
    BASIC,
    ENTERED_AT,
    account_of,
    entered,
    entry_id,
    hear,
    opened,
)

HOUR = timedelta(hours=1)


async def find_holders(pool: Pool) -> dict[object, object]:
    rows = await pool.fetch("SELECT account_id, registered_at FROM holders")
    return {row["account_id"]: row["registered_at"] for row in rows}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
async def test_the_newest_word_of_an_entry_counts_in_whatever_order_it_comes(
    pool: Pool, order: tuple[int, ...], together: bool
) -> None:
    news = [
        entered(1, person_name="王"),
        entered(1, person_name="王大", recorded_at=ENTERED_AT + HOUR),
        entered(
            1,
            person_name="王大同",
            is_cancelled=True,
            recorded_at=ENTERED_AT + 2 * HOUR,
            results_at=ENTERED_AT + 100 * HOUR,
        ),
    ]
    came = [news[at] for at in order]
    for happened in [came] if together else [[one] for one in came]:
        await hear(pool, *happened)
    await hear(pool, *came)  # and once more
    async with transaction(pool) as tx:
        candidate = await candidates.load(tx, entry_id=entry_id(1))
        sitting = await sittings.load(tx, code=BASIC)
    assert (candidate.person_name, candidate.is_cancelled) == ("王大同", True)
    assert sitting.results_at == ENTERED_AT + 100 * HOUR
    # Since when somebody holds an entry, its first news tells.
    assert await find_holders(pool) == {account_of(1): ENTERED_AT}


async def test_an_account_of_the_results_service_holds_an_entry_beside_the_one_here(
    pool: Pool,
) -> None:
    later, sooner = opened(1, ENTERED_AT + 2 * HOUR), opened(1, ENTERED_AT + HOUR)
    await hear(pool, later)  # before there is word of the entry
    await hear(pool, entered(1))
    await hear(pool, sooner)
    await hear(pool, later)
    assert await find_holders(pool) == {
        account_of(1): ENTERED_AT,
        sooner.account_id: ENTERED_AT + HOUR,
    }


async def test_a_message_that_comes_twice_changes_nothing(pool: Pool) -> None:
    same = uuid4()
    await hear(pool, entered(1), message_id=same)
    await hear(pool, entered(1, person_name="other"), message_id=same)
    async with transaction(pool) as tx:
        assert (await candidates.load(tx, entry_id=entry_id(1))).person_name == "考生1"
