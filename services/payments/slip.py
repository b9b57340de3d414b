"""The store slip: three Code 39 barcodes, whose third segment checks all three."""

from collections.abc import Mapping

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# A–I count 1–9, J–R 1–9, S–Z 2–9; digits count themselves.
_COUNTS = [*range(1, 10), *range(1, 10), *range(2, 10)]
_VALUES: Mapping[str, int] = {
    **{digit: int(digit) for digit in "0123456789"},
    **dict(zip(_LETTERS, _COUNTS, strict=True)),
}
FIRST_LENGTH, SECOND_LENGTH, THIRD_LENGTH = 9, 16, 15
CHECKS_AT = 4  # where the check characters stand in the third segment


def check_characters(first: str, second: str, third_without: str) -> str:
    """The two check characters of a slip; the third segment is its 4 digits and its 9."""
    segments = (first, second, third_without)
    odd = sum(_VALUES[sign] for segment in segments for sign in segment[0::2])
    even = sum(_VALUES[sign] for segment in segments for sign in segment[1::2])
    # The check characters stand at positions 5 and 6: left out, they do not shift the others.
    return _as_check(odd, zero="A", ten="B") + _as_check(even, zero="X", ten="Y")


def _as_check(total: int, *, zero: str, ten: str) -> str:
    return {0: zero, 10: ten}.get(total % 11, str(total % 11))


def is_slip(first: str, second: str, third: str) -> bool:
    """Tell whether three segments make a slip that a store's till will take."""
    if (len(first), len(second), len(third)) != (FIRST_LENGTH, SECOND_LENGTH, THIRD_LENGTH):
        return False
    if any(sign not in _VALUES for sign in first + second + third[:CHECKS_AT] + third[6:]):
        return False
    without = third[:CHECKS_AT] + third[CHECKS_AT + 2 :]
    return third[CHECKS_AT : CHECKS_AT + 2] == check_characters(first, second, without)
