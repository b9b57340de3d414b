"""No event is lost or doubled, whatever is killed on its way."""

import secrets

import pytest

from tests.chaos import plan
from tests.chaos.run import run
from tests.chaos.verdict import Comparison, compare

SECONDS = 35


def test_the_same_seed_draws_the_same_faults() -> None:
    assert plan.draw(7, 60) == plan.draw(7, 60)
    assert plan.draw(7, 60) != plan.draw(8, 60)


def test_every_kind_of_fault_strikes_in_every_round() -> None:
    faults = plan.draw(7, 300)
    first_round = faults[: len(plan.ROUND)]
    assert {fault.kind for fault in first_round} == {fault.kind for fault in faults}


def test_every_number_is_compared() -> None:
    effects = {1: 1, 2: 2, 4: 1}
    assert compare({1, 2, 3}, effects) == Comparison(lost=1, doubled=1, invented=1)
    assert compare({1, 2}, {1: 1, 2: 1}) == Comparison(lost=0, doubled=0, invented=0)


@pytest.mark.chaos
async def test_nothing_is_lost_and_nothing_doubled_whatever_is_killed() -> None:
    verdict = await run(seed=secrets.randbelow(1_000_000), seconds=SECONDS)
    verdict.print()
    assert verdict.faults.total() >= len(plan.ROUND)
    assert verdict.events_published > 0
    assert verdict.is_good, verdict
