"""Log lines: what they say, and when they reach their file."""

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path

from shared.logs import _Gathered

ROOT = Path(__file__).parents[2]
CONFIGURED = """
from datetime import UTC, datetime
from services.notify.settings import Settings
from shared import logs
logs.configure(Settings())
"""


def say(script: str, **environment: str) -> list[dict[str, object]]:
    """Run a script in a process whose log nobody watches; read its lines."""
    ran = subprocess.run(
        [sys.executable, "-c", CONFIGURED + script],
        env={
            "NOTIFY_CHANNEL": "mailbox",
            "NOTIFY_DATABASE_URL": "postgresql://x/y",
            "EXAMHALL_AMQP_URL": "amqp://x/",
            "EXAMHALL_PUBLIC_URL": "http://localhost",
            **environment,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


class File(io.StringIO):
    """Counts how often it is flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


def test_without_a_loop_each_line_is_written_at_once() -> None:
    file = File()
    gathered = _Gathered(file)
    for line in ("one\n", "two\n"):
        gathered.write(line)
        gathered.flush()
    assert file.flushed == ["one\n", "one\ntwo\n"]


async def test_all_lines_of_a_turn_are_written_together() -> None:
    file = File()
    gathered = _Gathered(file)
    for line in ("one\n", "two\n"):
        gathered.write(line)
        gathered.flush()
    assert file.flushed == []
    await asyncio.sleep(0)
    assert file.flushed == ["one\ntwo\n"]
    gathered.write("three\n")
    gathered.flush()
    await asyncio.sleep(0)
    assert file.flushed[1:] == ["one\ntwo\nthree\n"]


def test_a_line_that_waited_for_a_loop_that_ended_is_written_by_the_next() -> None:
    file = File()
    gathered = _Gathered(file)

    async def say(line: str) -> None:
        gathered.write(line)
        gathered.flush()

    asyncio.run(say("last words\n"))
    asyncio.run(say("first words\n"))
    gathered.flush()
    assert file.flushed[-1] == "last words\nfirst words\n"


def test_the_log_is_json_when_nobody_watches() -> None:
    first, second, third = say(
        "import structlog, logging\n"
        "structlog.get_logger().info('hello', number=1)\n"
        "logging.getLogger('some.library').warning('careful')\n"
        "try: 1/0\nexcept ZeroDivisionError: structlog.get_logger().exception('oh')\n"
    )
    assert (first["message"], first["number"], first["level"]) == ("hello", 1, "info")
    assert (second["message"], second["logger"]) == ("careful", "some.library")
    assert "ZeroDivisionError" in str(third["exception"])


CANONICAL = """
logs.write_canonical(service='notify', method='GET', route='/a/{"b}', status=200,
                     seconds=0.01234, now=datetime.now(UTC))
"""


def test_a_canonical_line_reads_the_same_the_quick_way_and_the_general_one() -> None:
    quick, general = say(f"logs.REQUEST.set('0f'){CANONICAL}logs._canonical = None{CANONICAL}")
    assert len(str(quick.pop("timestamp"))) == len(str(general.pop("timestamp")))
    assert quick == general
    assert (quick["request_id"], quick["seconds"], quick["route"]) == ("0f", 0.0123, '/a/{"b}')


def test_whoever_wants_warnings_only_gets_no_canonical_lines() -> None:
    assert say(CANONICAL)
    assert say(CANONICAL, EXAMHALL_LOG_LEVEL="warning") == []
