"""What the processes of a run wrote: duplicates they met, and errors that nobody foresaw."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def _read(logs: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"foreign": line}  # a library's words, or half a line of a killed process
            yield entry if isinstance(entry, dict) else {"foreign": line}


def count_duplicates(logs: Iterable[Path]) -> int:
    """How often a consumer met a message that had been handled before."""
    return sum(entry.get("outcome") == "repeated" for entry in _read(logs))


def find_surprises(logs: Iterable[Path]) -> Counter[str]:
    """Errors beside the expected ones: a traceback, or a word from a library."""
    found: Counter[str] = Counter()
    for entry in _read(logs):
        if "foreign" in entry:
            line = entry["foreign"]
            if line and not line[0].isspace() and not line.startswith("{"):
                found[line[:150]] += 1
        elif "exception" in entry and entry.get("outcome") != "dead":
            found[f"{entry['message']}: {entry.get('error', '')}"[:150]] += 1
    return found
