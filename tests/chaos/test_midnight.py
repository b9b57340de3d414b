"""Everybody is told the truth about their place, whatever is killed while they ask."""

import secrets

import pytest

from tests.chaos.midnight import run

PEOPLE = 900


@pytest.mark.chaos
async def test_everybody_is_told_the_truth_whatever_is_killed() -> None:
    found = await run(people=PEOPLE, seed=secrets.randbelow(1_000_000))
    found.print()
    assert found.faults.total() > 0
    assert found.is_good, found
