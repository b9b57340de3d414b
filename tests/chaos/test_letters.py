"""Each letter arrives, whatever is killed on its way, and hardly any twice."""

import secrets
from collections import Counter

import pytest

from tests.chaos.letters import Verdict, run

LETTERS = 600


def verdict(**changed: object) -> Verdict:
    good = {
        "letters": 3,
        "seconds": 1.0,
        "faults": Counter({"worker-1": 1}),
        "written": 3,
        "arrived": 3,
        "sent_by_the_register": 3,
        "duplicates": 4,
        "duplicates_nobody_can_exclude": 4,
        "misbehaved": [],
    }
    return Verdict(**(good | changed))  # type: ignore[arg-type]


def test_a_lost_letter_or_one_duplicate_too_many_is_not_good() -> None:
    assert verdict().is_good
    for wrong in (
        {"written": 2},
        {"arrived": 2},
        {"sent_by_the_register": 2},
        {"duplicates": 5},
        {"misbehaved": ["x"]},
    ):
        assert not verdict(**wrong).is_good


@pytest.mark.chaos
async def test_each_letter_arrives_whatever_is_killed() -> None:
    found = await run(count=LETTERS, seed=secrets.randbelow(1_000_000))
    found.print()
    assert found.faults.total() > 0
    assert found.is_good, found
