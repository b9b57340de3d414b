"""`bench` and `chaos`: what the machine carries, and what survives."""

import sys
from argparse import Namespace

from deploy.command.starting import ROOT, build_assets, start_servers
from deploy.one_machine.commands import show
from deploy.one_machine.machine import Machine


def bench(asked: Namespace) -> int:
    """Run the measurements against the private servers."""
    sizes = {"--candidates": asked.candidates, "--minutes": asked.minutes}
    given = (word for name, size in sizes.items() if size for word in (name, str(size)))
    return _run("tests.bench", *asked.names, *given)


def chaos(asked: Namespace) -> int:
    """The chaos run starts and kills servers of its own, made by deploy.one_machine."""
    if asked.orders:
        return _run("tests.chaos", "--orders", str(asked.orders))
    if asked.release:
        return _run("tests.chaos", "--release", str(asked.release))
    return _run("tests.chaos", "--minutes", f"{asked.minutes:g}")


def _run(*words: str) -> int:
    machine = Machine(ROOT)
    build_assets(machine)
    start_servers(machine)
    return show([sys.executable, "-m", *words], folder=ROOT, environment=machine.test_environment())
