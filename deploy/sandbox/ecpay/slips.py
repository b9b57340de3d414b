"""The three Code 39 segments of a slip that is paid at a convenience store's till."""

from datetime import datetime
from itertools import chain

ITEM_CODE = "6EA"
COLLECTOR = "3453"  # whose money it is: the first digits of every payer's number
# A–I 1–9, J–R 1–9, S–Z 2–9; digits are worth themselves.
WORTH = {
    **{str(n): n for n in range(10)},
    **{letter: n % 9 + 1 for n, letter in enumerate("ABCDEFGHIJKLMNOPQR")},
    **{letter: n for n, letter in enumerate("STUVWXYZ", start=2)},
}


def segments(*, due: datetime, payer: str, serial: str, amount_twd: int) -> tuple[str, str, str]:
    """Make the segments; the payer's number has 16 digits, the serial 4."""
    first = f"{(due.year - 1911) % 100:02d}{due:%m%d}{ITEM_CODE}"
    amount = f"{amount_twd:09d}"
    assert (len(first), len(payer), len(serial), len(amount)) == (9, 16, 4, 9)
    return first, payer, serial + check_characters(first, payer, serial + amount) + amount


def check_characters(first: str, second: str, third_without: str) -> str:
    """Positions are counted from 1 in each segment; in the third the two are left out."""
    together = (first, second, third_without)
    odd = sum(WORTH[c] for c in chain.from_iterable(one[0::2] for one in together)) % 11
    even = sum(WORTH[c] for c in chain.from_iterable(one[1::2] for one in together)) % 11
    return {0: "A", 10: "B"}.get(odd, str(odd)) + {0: "X", 10: "Y"}.get(even, str(even))


def is_sound(first: str, second: str, third: str) -> bool:
    """Whether the three were read without a mistake."""
    lengths = (len(first), len(second), len(third))
    if lengths != (9, 16, 15) or not set(first + second + third) <= set(WORTH):
        return False
    return check_characters(first, second, third[:4] + third[6:]) == third[4:6]
