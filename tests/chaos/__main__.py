"""Runs chaos for as long as asked: python -m tests.chaos --minutes N [--seed S]."""

import argparse
import asyncio
import secrets
import sys

from tests.chaos.run import run

LONGEST_MINUTES = 24 * 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long faults happen")
    parser.add_argument("--seed", type=int, help="of an earlier run, to have its faults again")
    arguments = parser.parse_args()
    if not 0 < arguments.minutes <= LONGEST_MINUTES:
        parser.error(f"minutes are between 0 and {LONGEST_MINUTES}")
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    verdict = asyncio.run(run(seed=seed, seconds=arguments.minutes * 60))
    verdict.print()
    sys.exit(0 if verdict.is_good else 1)


if __name__ == "__main__":
    main()
