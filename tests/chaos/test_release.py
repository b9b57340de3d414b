"""Whoever registered before a release is written to, and nobody else, whatever is killed."""

import secrets
from collections import Counter

import pytest

from tests.chaos.release import Verdict, run

CANDIDATES = 240


def verdict(**changed: object) -> Verdict:
    good = {
        "candidates": 4,
        "had_registered": 3,
        "seconds": 1.0,
        "faults": Counter({"scoring worker": 1}),
        "approved": 4,
        "told": 3,
        "letters_written": 3,
        "sent_by_the_register": 3,
        "written_to": 3,
        "strangers_written_to": 0,
        "letters_before_the_instant": 0,
        "views_before_the_instant": 0,
        "views": 1,
        "duplicates": 4,
        "duplicates_nobody_can_exclude": 4,
        "left_in_outboxes": 0,
        "left_in_queues": 0,
        "wrong": [],
    }
    return Verdict(**(good | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"approved": 3},
        {"told": 4},
        {"letters_written": 4},
        {"sent_by_the_register": 2},
        {"written_to": 2},
        {"strangers_written_to": 1},
        {"letters_before_the_instant": 1},
        {"views_before_the_instant": 1},
        {"views": 0},
        {"duplicates": 5},
        {"left_in_outboxes": 1},
        {"left_in_queues": 1},
        {"wrong": ["x"]},
    ],
)
def test_one_letter_too_few_too_many_or_too_early_is_not_good(wrong: dict[str, object]) -> None:
    assert verdict().is_good
    assert not verdict(**wrong).is_good


@pytest.mark.chaos
async def test_everybody_who_registered_is_told_once_whatever_is_killed() -> None:
    found = await run(candidates=CANDIDATES, seed=secrets.randbelow(1_000_000))
    found.print()
    assert found.faults.total() > 0
    assert found.is_good, found
