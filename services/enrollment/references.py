"""Reference numbers: what people quote on the telephone, with a digit that notices slips."""

import re

# Luhn's check digit finds every wrong digit and nearly every pair of digits changed over.
DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))


def write(number: int) -> str:
    """Write a registration's number: 100001 → R-1000-017."""
    digits = f"{number}{_check_digit(str(number))}"
    return f"R-{digits[:-3]}-{digits[-3:]}"


def read(text: str) -> int | None:
    """Read what somebody typed, with or without its letter and hyphens; None if it has a slip."""
    digits = re.sub(r"[\s\-‐–—－]", "", text.strip().upper().removeprefix("R"))
    if not (digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 18):
        return None
    return int(digits[:-1]) if _check_digit(digits[:-1]) == digits[-1] else None


def _check_digit(digits: str) -> str:
    total = sum(map(DOUBLED.__getitem__, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)
