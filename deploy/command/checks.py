"""`test` and `check`: the linters and the tests, in order, with a summary at the end."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.command.starting import ROOT, build_assets, start_servers
from deploy.one_machine import packages
from deploy.one_machine.commands import show
from deploy.one_machine.machine import Machine
from deploy.one_machine.progress import say

LINTERS = {
    "format": ("ruff", "format", "--check"),
    "lint": ("ruff", "check"),
    "types": ("mypy",),
    "imports": ("lint-imports",),
}
FAST_TESTS = ("tests/test_house_style.py", "tests/docs", "tests/unit")
FAST_ONLY = ("-m", "not browser and not containers and not chaos")
# Tests wait more than they work. Each process has servers of its own, which need memory.
PROCESSES = min(os.cpu_count() or 1, 4)
# In the order in which they are collected, which puts the longest files first.
SIDE_BY_SIDE = (
    *("--numprocesses", str(PROCESSES)),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
)


def check(_asked: Namespace) -> int:
    """The fast half: it needs no server."""
    there = [path for path in FAST_TESTS if (ROOT / path).exists()]
    steps = dict(LINTERS)
    if there:
        steps["tests"] = ("pytest", *FAST_ONLY, *there)
    return _run(steps, os.environ)


def test(asked: Namespace) -> int:
    """Everything; with arguments only pytest."""
    machine = Machine(ROOT)
    with_browser = not asked.more or any("journeys" in word for word in asked.more)
    missing = [*packages.missing_to_run(), *packages.missing_to_test(with_browser=with_browser)]
    machine.checkout.make_folder()
    packages.install(missing, log=machine.setup_log, then="test")
    build_assets(machine)
    if asked.more:
        start_servers(machine)
        return _run({"tests": ("pytest", *asked.more)}, machine.test_environment())
    environment = {"EXAMHALL_TEST_SERVERS": "embedded", **os.environ}
    return _run({**LINTERS, "tests": ("pytest", *SIDE_BY_SIDE)}, environment)


def _run(steps: Mapping[str, Sequence[str]], environment: Mapping[str, str]) -> int:
    """Run every step, also after one has failed, and sum up."""
    outcomes = []
    for name, (program, *words) in steps.items():
        say(f"\n== {name}: {' '.join((program, *words))}")
        began = time.monotonic()
        # the programs beside this Python, whatever the PATH says
        here = Path(sys.executable).with_name(program)
        code = show([here, *words], folder=ROOT, environment=environment)
        outcomes.append((name, code, time.monotonic() - began))
    say()
    for name, code, seconds in outcomes:
        say(f"  {name:<10} {'failed' if code else 'ok':<8} {seconds:6.1f} s")
    return int(any(code for _, code, _ in outcomes))
