"""How a service's process begins and ends: its commands, its signals, its last twenty seconds."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import uvloop
from aiohttp import web

from shared import bus, dead_letters, health, logs, migrate, observe, tracing
from shared.settings import ServiceSettings, load
from shared.web import SHUTDOWN_SECONDS, Service, build
from shared.worker import SHARED_HANDLERS, Worker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Command:
    """A command of one service, for operators."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Any, argparse.Namespace], Coroutine[Any, Any, int | None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """All that starting a service takes. Each app.py makes one."""

    name: str
    settings: type[ServiceSettings]
    create_app: Callable[[Any], Service]
    create_worker: Callable[[Any], Worker]
    folder: Path
    commands: Mapping[str, Command] = field(default_factory=dict)
    # Puts into a migrated database what has to be there before anybody comes; done every time.
    fill: Callable[[Any], Coroutine[Any, Any, None]] | None = None


def main(entry: Entry, arguments: Sequence[str] | None = None) -> None:
    """Run one service as the command line says."""
    parsed = _parser(entry).parse_args(arguments)
    settings = load(entry.settings)
    logs.configure(settings)
    match parsed.command:
        case "web":
            uvloop.run(serve(settings, services=[entry.create_app(settings)], workers=[]))
        case "worker":
            uvloop.run(serve(settings, services=[], workers=[entry.create_worker(settings)]))
        case "migrate":
            uvloop.run(prepare(entry, settings))
        case "dead-letters":
            sys.exit(uvloop.run(_dead_letters(entry.name, str(settings.amqp_url), parsed)))
        case name:
            sys.exit(uvloop.run(entry.commands[name].run(settings, parsed)) or 0)


def _parser(entry: Entry) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m services.{entry.name}.app")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("web", help="answer requests")
    commands.add_parser("worker", help="relay, consume and run jobs")
    commands.add_parser("migrate", help="bring database and queues to head")
    letters = commands.add_parser("dead-letters", help="what could not be handled")
    add_dead_letter_arguments(letters)
    for name, command in entry.commands.items():
        command.add_arguments(commands.add_parser(name, help=command.help))
    return parser


def add_dead_letter_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="one line each")
    show = actions.add_parser("show", help="one whole, with its events")
    show.add_argument("message_id")
    replay = actions.add_parser("replay", help="give them back to the queue they died in")
    chosen = replay.add_mutually_exclusive_group(required=True)
    chosen.add_argument("message_id", nargs="*", default=[])
    chosen.add_argument("--all", action="store_true")


async def _dead_letters(service: str, amqp_url: str, arguments: argparse.Namespace) -> int:
    if arguments.action == "replay":
        chosen = None if arguments.all else set(arguments.message_id)
        count = await dead_letters.replay(amqp_url, service, chosen)
        print(f"{service}: {count} replayed")
        return 0
    letters = await dead_letters.list_(amqp_url, service)
    if arguments.action == "list":
        for letter in letters:
            reason = " ".join(letter.reason.split())  # one line each, whatever was raised
            print(f"{letter.service}  {letter.message_id}  {letter.name}  {reason}")
        return 0
    for letter in letters:
        if letter.message_id == arguments.message_id:
            print(f"{letter.name}\n{letter.message_id}\n{letter.reason}")
            print(_indent(letter.body))
            return 0
    print(f"{service}: no dead letter {arguments.message_id}", file=sys.stderr)
    return 1


def _indent(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body  # that it cannot be read may be why it is here


async def prepare(entry: Entry, settings: ServiceSettings) -> None:
    """Bring a service's database and queues to head.

    Queues are declared before anybody publishes: an exchange forgets what it cannot route.
    """
    await migrate.migrate(str(settings.database_url), entry.folder / "migrations")
    if entry.fill is not None:
        await entry.fill(settings)
    handlers = {**SHARED_HANDLERS, **entry.create_worker(settings).handlers}
    connection = await bus.connect(str(settings.amqp_url), name=f"{entry.name} migrate")
    try:
        channel = await bus.open_channel(connection)
        await bus.declare_topology(
            channel, service=entry.name, names=sorted(event.name for event in handlers)
        )
    finally:
        await bus.close_quietly(connection)


async def serve(
    settings: ServiceSettings, *, services: Sequence[Service], workers: Sequence[Worker]
) -> None:
    """Run until told to end; then hand over without losing anything, within twenty seconds."""
    names = [service.name for service in services] + [worker.name for worker in workers]
    tracing.configure(
        service="+".join(dict.fromkeys(names)),
        endpoint=str(settings.otlp_endpoint).rstrip("/") if settings.otlp_endpoint else None,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    app = build(services) if services else _worker_app(workers)
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS
    )
    await runner.setup()
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    waiter = asyncio.create_task(stopping.wait())
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=4096)
        await site.start()
        _spare_the_collector()
        log.info("started", parts=names, address=f"{settings.host}:{settings.port}")
        await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping", parts=names)
        app[health.READINESS].draining = True
        if services:
            await asyncio.sleep(settings.drain_seconds)
    finally:
        waiter.cancel()
        # Requests first: what they publish is relayed by the workers, here or elsewhere.
        await runner.cleanup()
        for worker in workers:
            worker.stop()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        log.info("stopped", parts=names)
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome


def _spare_the_collector() -> None:
    """Look for rubbish less often, and never among what lives as long as the process.

    Python counts every request's objects; by default a crowd makes it search all modules and
    templates again and again, for nothing: a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _worker_app(workers: Sequence[Worker]) -> web.Application:
    """The few addresses a worker answers: how it is, and its figures."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", observe.metrics),
        ]
    )
    app[health.READINESS] = health.Readiness(
        [
            health.Database(worker.name, worker.folder / "migrations", worker.find_pool)
            for worker in workers
        ]
    )
    return app
