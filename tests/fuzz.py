"""Lets chance try everything that reads strangers' words, for minutes: python -m tests.fuzz 10."""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.payments import fuzz

TRIES_AT_ONCE = 2_000
TARGETS: Mapping[str, tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]]] = {
    "notices": (fuzz.read_notice, (fuzz.bodies,)),
    "forgeries": (fuzz.forge_notice, (fuzz.fields,)),
    "spellings": (fuzz.respell_notice, (fuzz.spellings(),)),
    "signatures": (
        fuzz.sign_with_two_keys,
        (fuzz.fields, st.text(max_size=20), st.text(max_size=20)),
    ),
    "LINE Pay": (fuzz.read_line_pay, (fuzz.answers,)),
    "daily files": (fuzz.read_file, (fuzz.files,)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=1.0)
    ends = time.monotonic() + parser.parse_args().minutes * 60
    tries = dict.fromkeys(TARGETS, 0)
    while time.monotonic() < ends:
        for name, (target, strategies) in TARGETS.items():
            _try(target, strategies)
            tries[name] += TRIES_AT_ONCE
    for name, count in tries.items():
        print(f"{name:<12} {count:>10,} tries, no crash, nothing accepted that is not signed")


def _try(target: Callable[..., None], strategies: tuple[st.SearchStrategy[Any], ...]) -> None:
    run = settings(
        max_examples=TRIES_AT_ONCE,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )(given(*strategies)(target))
    run()


if __name__ == "__main__":
    main()
