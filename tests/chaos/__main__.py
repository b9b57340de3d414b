"""Runs chaos for as long as asked: python -m tests.chaos --minutes N [--seed S].

With --letters COUNT so many letters go out under fire instead; with --orders COUNT so many orders
are paid; with --release COUNT the results of so many candidates are released.
"""

import argparse
import asyncio
import secrets
import sys

from tests.chaos import letters, money, reckoning, release
from tests.chaos.run import run
from tests.chaos.verdict import Verdict

LONGEST_MINUTES = 24 * 60


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long faults happen")
    parser.add_argument("--seed", type=int, help="of an earlier run, to have its faults again")
    parser.add_argument("--letters", type=int, help="let so many letters go out under fire")
    parser.add_argument("--orders", type=int, help="let so many orders be paid under fire")
    parser.add_argument("--release", type=int, help="release the results of so many under fire")
    arguments = parser.parse_args()
    if not 0 < arguments.minutes <= LONGEST_MINUTES:
        parser.error(f"minutes are between 0 and {LONGEST_MINUTES}")
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    told: letters.Verdict | reckoning.Verdict | release.Verdict | Verdict
    if arguments.letters:
        told = asyncio.run(letters.run(count=arguments.letters, seed=seed))
    elif arguments.orders:
        told = asyncio.run(money.run(orders=arguments.orders, seed=seed))
    elif arguments.release:
        told = asyncio.run(release.run(candidates=arguments.release, seed=seed))
    else:
        told = asyncio.run(run(seed=seed, seconds=arguments.minutes * 60))
    told.print()
    sys.exit(0 if told.is_good else 1)


if __name__ == "__main__":
    main()
