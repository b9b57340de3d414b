"""`up`: from a bare checkout to a running Examhall, or from a running one to a word about it."""

import json
import time
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

from deploy.command import containers
from deploy.command.accounts import say_accounts
from deploy.one_machine import assets, packages
from deploy.one_machine.machine import SERVICES, Machine
from deploy.one_machine.progress import say, step

ROOT = Path(__file__).resolve().parents[2]


def up(asked: Namespace) -> int:
    """Start everything that does not run yet."""
    if asked.docker:
        return containers.up(ROOT)
    machine = Machine(ROOT)
    with machine.checkout.locked():
        if machine.is_ready() and _accounts_file(machine).exists():
            say("Examhall is already running.")
        else:
            began = time.monotonic()
            _start(machine)
            say(f"Examhall is running, after {time.monotonic() - began:.0f} s.")
    _say_where_to_click(machine)
    return 0


def start_servers(machine: Machine) -> None:
    """The servers with the five databases in them: what tests and operators need."""
    with machine.checkout.locked():
        packages.install(packages.missing_to_run(), log=machine.setup_log, then="up")
        _start_servers(machine)


def build_assets(machine: Machine) -> None:
    """What every page links to: no web process starts without it."""
    machine.checkout.make_folder()  # for the log
    assets.build(ROOT / "shared" / "frontend", log=machine.setup_log)


def _start(machine: Machine) -> None:
    packages.install(packages.missing_to_run(), log=machine.setup_log, then="up")
    build_assets(machine)
    _start_servers(machine)
    if machine.services.process and not machine.services_answer(patience=5):
        with step("Stopping services that no longer answer"):
            machine.services.stop()
    if not machine.services.process:
        with step("Migrating databases and queues"):
            machine.run_module("deploy.all_in_one", "migrate")
    machine.choose_web_ports()
    with step("Starting the services"):
        machine.start_services()
    if not _accounts_file(machine).exists():
        with step("Loading demo data"):
            _accounts_file(machine).write_text(machine.run_module("deploy.all_in_one", "demo"))
            _accounts_file(machine).chmod(0o600)


def _start_servers(machine: Machine) -> None:
    # asyncpg is in .venv only, and `down` or `--help` must do without
    from deploy.one_machine import databases

    already = machine.postgres.program.process and machine.rabbitmq.program.process
    machine.choose_server_ports()
    with nullcontext() if already else step("Starting PostgreSQL and RabbitMQ"):
        machine.start_servers()  # also when they run: an interrupted start may not be over yet
        databases.create(machine.postgres.url, SERVICES)


def _accounts_file(machine: Machine) -> Path:
    return machine.checkout.folder / "demo-accounts.jsonl"


def _say_where_to_click(machine: Machine) -> None:
    accounts = [json.loads(line) for line in _accounts_file(machine).read_text().splitlines()]
    say(f"""
  Examhall             {machine.url}
  Mail it "sent"       {machine.url}/mailbox
  Payment sandbox      {machine.sandbox_url}
""")
    say_accounts(accounts)
    say("\n  ./examhall down stops it, ./examhall logs -f shows what it does.")
