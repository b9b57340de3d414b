"""Runs benchmarks by name, or all: python -m tests.bench [name …]."""

import argparse
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias

import uvloop

from tests import servers
from tests.bench import (
    attack,
    consume,
    growth,
    letters,
    login,
    midnight,
    relay,
    release,
    replicas,
    report,
    results,
    settle,
    soak,
)
from tests.bench.ground import log_as_in_production
from tests.bench.report import Report
from tests.servers import Servers

Benchmark: TypeAlias = Callable[[Servers], Awaitable[Report]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "relay": relay.run,
    "consume": consume.run,
    "login": login.run,
    "attack": attack.run,
    "letters": letters.run,
    "midnight": midnight.run,
    "growth": growth.run,
    "replicas": replicas.run,
    "settle": settle.run,
    "results": results.run,
    "release": release.run,
}
# Takes as long as one likes, and only when it is named.
SOAK = "soak"


async def run_all(chosen: Iterable[Benchmark], started: Servers) -> list[Report]:
    found = []
    for run in chosen:
        found.append(await run(started))
        report.print_table(found[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "name", nargs="*", help=f"of {', '.join(BENCHMARKS)}; none means all these; or {SOAK}"
    )
    parser.add_argument("--candidates", type=int, default=release.CANDIDATES, help="of the release")
    parser.add_argument("--minutes", type=float, default=soak.MINUTES, help="of the soak")
    asked = parser.parse_args()
    names = asked.name or list(BENCHMARKS)
    if unknown := set(names) - {*BENCHMARKS, SOAK}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    of_release: Benchmark = partial(release.run, candidates=asked.candidates)
    of_soak: Benchmark = partial(soak.run, minutes=asked.minutes)
    benchmarks = {**BENCHMARKS, "release": of_release, SOAK: of_soak}
    log_as_in_production()
    with servers.start() as started:
        report.print_json(uvloop.run(run_all([benchmarks[name] for name in names], started)))


if __name__ == "__main__":
    main()
