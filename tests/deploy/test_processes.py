"""Programs that outlive the command that started them."""

import os
import sys
from pathlib import Path

import pytest

from deploy.one_machine import processes
from deploy.one_machine.processes import Program

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Threads end one after the other, and the memory goes with the last.
LARGE = """
import threading, time
held = bytearray(400_000_000)
for _ in range(200):
    threading.Thread(target=time.sleep, args=(60,)).start()
print("here", flush=True)
"""
STUBBORN_PARENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("here", flush=True)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, "sleeper")


def test_what_was_started_is_found_again_and_stopped(program: Program, tmp_path: Path) -> None:
    program.start(SLEEPER, environment=os.environ, folder=tmp_path)
    assert Program(tmp_path, "sleeper").process
    program.stop()
    assert program.process is None
    program.stop()


def test_nothing_is_left_of_what_was_killed(program: Program, tmp_path: Path) -> None:
    program.start([sys.executable, "-c", LARGE], environment=os.environ, folder=tmp_path)
    while "here" not in program.log.read_text():
        assert program.process
    assert program.process
    pid = program.process.pid
    program.kill()
    assert pid not in [child.pid for child in processes._children], "a zombie"


def test_a_recycled_pid_is_somebody_else(program: Program, tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").write_text(f"{os.getpid()} 1")
    assert program.process is None
    program.kill()
    program.stop()


def test_a_broken_pid_file_names_nobody(program: Program, tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").write_text("")
    assert program.process is None


def test_who_does_not_listen_is_ended_with_all_its_children(
    program: Program, tmp_path: Path
) -> None:
    program.start([sys.executable, "-c", STUBBORN_PARENT], environment=os.environ, folder=tmp_path)
    while "here" not in program.log.read_text():
        assert program.process
    head = program.process
    assert head
    members = processes.family(head)
    assert len(members) == 2
    program.stop(patience=0.1)
    assert not any(processes.look_up(member.pid) for member in members)


def test_a_process_tells_its_memory_and_its_parent() -> None:
    me = processes.look_up(os.getpid())
    assert me
    assert me.parent == os.getppid()
    assert me.memory > 1_000_000


def test_ps_tells_the_same_as_proc() -> None:
    told = {process.pid: process for process in processes._ask_ps()}
    assert told[os.getpid()].parent == os.getppid()
