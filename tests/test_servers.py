"""The servers that tests start: a run that is killed leaves none of them for good."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.one_machine.processes import Program
from tests import servers

ROOT = Path(__file__).parents[1]
RUN = """
import signal
from tests import servers

with servers.start():
    print("started", flush=True)
    signal.pause()
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for temporary folders, which the servers' own users can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def find_programs(folder: Path) -> list[Program]:
    return [Program(file.parent, file.stem) for file in folder.glob("*/*.pid")]


def test_the_next_run_ends_what_a_killed_one_left(temporary: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary), "EXAMHALL_TEST_SERVERS": "embedded"}
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == b"started\n"
            (folder,) = temporary.glob(f"{servers.FOLDERS}*")
            programs = find_programs(folder)
            servers.end_left_behind()
            assert all(program.process for program in programs), "they are in use"
        finally:
            run.send_signal(signal.SIGKILL)
    assert {program.name for program in programs} == {"postgres", "rabbitmq", "epmd"}
    assert all(program.process for program in programs), "nobody was there to end them"
    servers.end_left_behind()
    assert not any(program.process for program in programs)
    assert not folder.exists()
