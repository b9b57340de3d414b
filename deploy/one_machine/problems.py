"""What can be expected to go wrong on somebody's machine, told in words and without a traceback."""

from pathlib import Path


class Problem(Exception):
    """Says in a sentence what is wrong and what to do about it."""


def with_log(sentence: str, log: Path, lines: int = 8) -> Problem:
    """The problem with the end of the log that explains it."""
    try:
        tail = log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        tail = []
    quoted = "".join(f"\n    {line}" for line in tail)
    return Problem(f"{sentence} The end of {log}:{quoted or ' (empty)'}")
