"""Runs benchmarks by name, or all: python -m tests.bench [name …]."""

import argparse
from collections.abc import Awaitable, Callable, Mapping

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
)
from tests.bench.ground import log_as_in_production
from tests.bench.report import Report
from tests.servers import Servers

BENCHMARKS: Mapping[str, Callable[[Servers], Awaitable[Report]]] = {
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


async def run_all(names: list[str], started: Servers, *, candidates: int) -> list[Report]:
    found = []
    for name in names:
        if name == "release":
            found.append(await release.run(started, candidates=candidates))
        else:
            found.append(await BENCHMARKS[name](started))
        report.print_table(found[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}; none means all")
    parser.add_argument("--candidates", type=int, default=release.CANDIDATES, help="of the release")
    asked = parser.parse_args()
    names = asked.name or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    log_as_in_production()
    with servers.start() as started:
        report.print_json(uvloop.run(run_all(names, started, candidates=asked.candidates)))


if __name__ == "__main__":
    main()
