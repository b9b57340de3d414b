"""`down`, `status`, `logs`, `reset`: what one does with an Examhall that runs."""

import time
from argparse import Namespace
from datetime import datetime

from deploy.command import containers
from deploy.command.starting import ROOT
from deploy.one_machine import processes
from deploy.one_machine.commands import become
from deploy.one_machine.machine import Machine
from deploy.one_machine.problems import Problem
from deploy.one_machine.progress import say, step

LOGS = ("services", "sandbox", "postgres", "rabbitmq", "setup")


def down(asked: Namespace) -> int:
    """Stop everything, the services first."""
    if asked.docker:
        return containers.down(ROOT)
    machine = Machine(ROOT)
    if not machine.checkout.folder.exists():
        say("Nothing runs.")
        return 0
    with machine.checkout.locked():
        _stop(machine)
    return 0


def status(_asked: Namespace) -> int:
    """A line for each part."""
    machine = Machine(ROOT)
    say(f"{'part':<10} {'state':<8} {'pid':>8} {'port':>6} {'memory':>8}  since")
    for name, program in machine.programs.items():
        process = program.process
        if not process:
            say(f"{name:<10} stopped")
            continue
        memory = processes.memory_of(processes.family(process)) // 1_000_000
        since = datetime.fromtimestamp(program.started_at).astimezone()
        say(
            f"{name:<10} {'running':<8} {process.pid:>8} {machine.checkout.port(name):>6} "
            f"{memory:>5} MB  {since:%Y-%m-%d %H:%M:%S}"
        )
    return 0


def logs(asked: Namespace) -> int:
    """Show the end of the logs with the tail that every Unix has."""
    machine = Machine(ROOT)
    files = {name: program.log for name, program in machine.programs.items()}
    files["setup"] = machine.setup_log
    wanted = [files[name] for name in ((asked.part,) if asked.part else LOGS)]
    there = [str(file) for file in wanted if file.exists()]
    if not there:
        raise Problem("There are no logs yet; ./examhall up begins them.")
    become(["tail", "-n", "100", *(["-F"] if asked.follow else []), *there], folder=ROOT)


def reset(asked: Namespace) -> int:
    """Stop everything and delete the data."""
    machine = Machine(ROOT)
    if not machine.checkout.folder.exists():
        say("There is nothing to delete.")
        return 0
    if not asked.yes and not _agrees():
        say("Nothing was deleted.")
        return 1
    with machine.checkout.locked():
        _stop(machine)
        with step("Deleting the data"):
            machine.remove()
    return 0


def _stop(machine: Machine) -> None:
    began = time.monotonic()
    if not any(program.process for program in machine.programs.values()):
        say("Nothing runs.")
    for name, program in (("services", machine.services), ("payment sandbox", machine.sandbox)):
        if program.process:
            with step(f"Stopping the {name}"):
                program.stop()
    if machine.rabbitmq.program.process or machine.postgres.program.process:
        with step("Stopping RabbitMQ and PostgreSQL"):
            machine.stop_servers()
    machine.stop_servers()
    if time.monotonic() - began > 1:
        say("Stopped.")


def _agrees() -> bool:
    try:
        return input(f"Delete all data in {ROOT / '.examhall'}? [y/N] ").strip().lower() == "y"
    except EOFError:
        return False
