"""Every dollar is where it belongs, whatever is killed while people pay."""

import secrets
from collections import Counter

import pytest

from tests.chaos.money import run
from tests.chaos.reckoning import Verdict

ORDERS = 60


def verdict(**changed: object) -> Verdict:
    good = {
        "orders": 3,
        "orders_nobody_paid": 1,
        "seconds": 1.0,
        "settled_after_seconds": 1.0,
        "faults": Counter({"web": 1}),
        "asked": 30,
        "payments_at_providers": 4,
        "payments_counted": 4,
        "payments_found_by_asking": 1,
        "paid_orders": 3,
        "overpayments": 1,
        "told_paid": 3,
        "announced": 3,
        "announced_again": 1,
        "captured_twd": 1_000,
        "counted_twd": 1_000,
        "ledger_twd": 1_000,
        "paid_orders_twd": 750,
        "overpaid_twd": 250,
        "wrong": [],
    }
    return Verdict(**(good | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"payments_at_providers": 5},
        {"payments_counted": 3},
        {"overpayments": 2},
        {"paid_orders": 2},
        {"told_paid": 4},
        {"announced": 2},
        {"captured_twd": 1_250},
        {"counted_twd": 999},
        {"ledger_twd": 1_001},
        {"overpaid_twd": 0},
        {"wrong": ["x"]},
    ],
)
def test_one_dollar_or_one_word_too_many_is_not_good(wrong: dict[str, object]) -> None:
    assert verdict().is_good
    assert not verdict(**wrong).is_good


@pytest.mark.chaos
async def test_every_dollar_is_where_it_belongs_whatever_is_killed() -> None:
    found = await run(orders=ORDERS, seed=secrets.randbelow(1_000_000))
    found.print()
    assert found.faults.total() > 0
    assert found.is_good, found
