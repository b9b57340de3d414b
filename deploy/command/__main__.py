"""Reads the words after ./examhall and calls what they name."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence

from deploy.command import checks, measurements, operators, running, starting
from deploy.one_machine.machine import SERVICES
from deploy.one_machine.problems import Problem

INTRODUCTION = """\
Runs Examhall on this machine, or tests it: with a PostgreSQL and a RabbitMQ of its own, all
five services and a sandbox of the payment providers. What it makes lies in .venv and
.examhall; nothing else that runs here is touched.
"""
EXAMPLES = """\
  ./examhall up                            start, and say where to click
  ./examhall logs services -f              follow what the services write
  ./examhall test tests/shared -k outbox   some of the tests
"""

Add = Callable[..., ArgumentParser]


def main(words: Sequence[str]) -> int:
    """Do what the words say; 2 is the answer to a wrong call, 1 to a failure."""
    parser = _parser()
    asked, more = parser.parse_known_args(words)
    if more and not asked.takes_more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    asked.more = more
    try:
        code: int = asked.action(asked)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on where this one stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read along has seen enough
        sys.stderr.close()
        return 0
    except OSError as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    return code


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="./examhall",
        description=INTRODUCTION,
        epilog=f"examples:\n{EXAMPLES}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="command", required=True)

    def add(
        name: str, action: Callable[[Namespace], int], explanation: str, *, takes_more: bool = False
    ) -> ArgumentParser:
        command = commands.add_parser(
            name, help=explanation, description=explanation, allow_abbrev=False
        )
        command.set_defaults(action=action, takes_more=takes_more)
        return command

    _add_running(add)
    _add_checks(add)
    _add_operators(add)
    return parser


def _add_running(add: Add) -> None:
    up = add("up", starting.up, "start everything; say where to click and whom to log in as")
    up.add_argument("--docker", action="store_true", help="with docker compose")
    down = add("down", running.down, "stop everything; the data stay")
    down.add_argument("--docker", action="store_true", help="what `up --docker` started")
    add("status", running.status, "what runs, on which port, with how much memory")
    logs = add("logs", running.logs, "the last lines of the logs")
    logs.add_argument("part", nargs="?", choices=running.LOGS, metavar="|".join(running.LOGS))
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    reset = add("reset", running.reset, "stop everything and delete all data")
    reset.add_argument("--yes", action="store_true", help="do not ask")


def _add_checks(add: Add) -> None:
    add(
        "test",
        checks.test,
        "all checks and all tests; with arguments only pytest, which is given them",
        takes_more=True,
    )
    add("check", checks.check, "the fast half, in less than half a minute")
    bench = add("bench", measurements.bench, "measure what the machine carries")
    bench.add_argument("names", nargs="*", metavar="name", help="which measurements; else all")
    bench.add_argument("--candidates", type=int, help="of the release (default 100,000)")
    bench.add_argument(
        "--minutes", type=float, help="of the soak, which runs only when it is named"
    )
    chaos = add("chaos", measurements.chaos, "kill parts at random and see that nothing is lost")
    chaos.add_argument("--minutes", type=float, default=5, help="for how long (default 5)")
    chaos.add_argument("--orders", type=int, help="pay so many orders meanwhile, count all money")
    chaos.add_argument("--release", type=int, help="release the results of so many meanwhile")


def _add_operators(add: Add) -> None:
    letters = add(
        "dead-letters",
        operators.dead_letters,
        "messages that could not be handled: look at them, replay them",
        takes_more=True,
    )
    letters.add_argument("verb", choices=("list", "show", "replay"))
    letters.add_argument("service", nargs="?", choices=SERVICES, help="all, if `list` names none")
    staff = add(
        "staff", operators.staff, "add a member of staff; show the demo's code", takes_more=True
    )
    staff.add_argument("verb", choices=("add", "code"))
    catalogue = add(
        "catalogue", operators.catalogue, "load programmes and sittings from files", takes_more=True
    )
    catalogue.add_argument("verb", choices=("load",))
    add("migrate", operators.migrate, "bring all databases and queues up to date")
    audit = add("audit", operators.audit, "check the chain of the audit log", takes_more=True)
    audit.add_argument("verb", choices=("verify",))
    ledger = add("ledger", operators.ledger, "prove that no dollar is missing", takes_more=True)
    ledger.add_argument("verb", choices=("verify",))
    statement = add(
        "verify-statement",
        operators.verify_statement,
        "check a Statement of Results, or a proof of one, without asking anybody",
        takes_more=True,
    )
    statement.add_argument("statement", help="a PDF, a proof, or what the QR code says")
    for role in ("web", "worker"):
        command = add(role, operators.run_role, f"run the {role} role of one service, here")
        command.add_argument("service", choices=SERVICES)
        command.set_defaults(role=role)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
