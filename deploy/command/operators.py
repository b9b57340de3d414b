"""What an operator does: these run a module of ours in the environment of this checkout."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import NoReturn

from deploy.command.starting import ROOT, start_servers
from deploy.one_machine import ports
from deploy.one_machine.commands import become, show
from deploy.one_machine.machine import SERVICES, WEB_PORT, Machine
from deploy.one_machine.problems import Problem
from deploy.one_machine.progress import say


def dead_letters(asked: Namespace) -> int:
    """Of one service; `list` also of all."""
    if asked.service:
        return _become(f"services.{asked.service}.app", "dead-letters", asked.verb, *asked.more)
    if asked.verb != "list":
        raise Problem(f"Of which service? Type: ./examhall dead-letters {asked.verb} SERVICE …")
    environment = _environment()
    codes = []
    for service in SERVICES:
        say(f"{service}:")
        words = [sys.executable, "-m", f"services.{service}.app", "dead-letters", "list"]
        codes.append(show([*words, *asked.more], folder=ROOT, environment=environment))
    return max(codes)


def staff(asked: Namespace) -> int:
    """Add a member of staff."""
    return _become("services.identity.app", "staff", asked.verb, *asked.more)


def catalogue(asked: Namespace) -> int:
    """Load catalogue files; without any, those that are shipped."""
    return _become("services.enrollment.app", "catalogue", asked.verb, *asked.more)


def migrate(_asked: Namespace) -> int:
    """Bring all databases and queues up to date."""
    return _become("deploy.all_in_one", "migrate")


def audit(asked: Namespace) -> int:
    """Check the chain of the audit log."""
    return _become("deploy.audit", asked.verb, *asked.more)


def ledger(asked: Namespace) -> int:
    """Hold the ledger of payments against what it tells of."""
    return _become("services.payments.app", "ledger", asked.verb, *asked.more)


def verify_statement(asked: Namespace) -> int:
    """Check a statement on this machine. It needs none of our servers."""
    become(
        # -P: nothing is imported from wherever the statement lies.
        [sys.executable, "-P", "-m", "deploy.verify_statement", asked.statement, *asked.more],
        folder=Path(os.environ.get("EXAMHALL_CALLED_FROM", ROOT)),
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def run_role(asked: Namespace) -> int:
    """Run one role of one service in this terminal, on a port of its own."""
    return _become(
        f"services.{asked.service}.app", asked.role, EXAMHALL_PORT=str(ports.next_free(WEB_PORT))
    )


def _become(module: str, *words: str, **settings: str) -> NoReturn:
    environment = _environment() | settings
    become([sys.executable, "-m", module, *words], folder=ROOT, environment=environment)


def _environment() -> dict[str, str]:
    machine = Machine(ROOT)
    start_servers(machine)
    return machine.environment()
