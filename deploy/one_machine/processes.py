"""Programs that go on running after the command that started them has ended."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.one_machine.commands import Owner, Words, run, switch_to

LOG_BYTES = 20_000_000  # a log past this size is put aside at the next start
_PROC = Path("/proc")
_children: list[subprocess.Popen[bytes]] = []  # kept, so that the ones that end are reaped


@dataclass(frozen=True)
class Process:
    """One process as the kernel knows it; `born` tells it from a later one with the same pid."""

    pid: int
    parent: int
    born: str
    memory: int


class Program:
    """One program of a checkout, remembered by a file with its pid and its time of birth."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"

    def start(
        self,
        command: Words,
        *,
        environment: Mapping[str, str],
        folder: Path,
        owner: Owner | None = None,
    ) -> None:
        """Run the command in a session of its own, its output appended to the log."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                **switch_to(owner),
            )
        _children.append(child)
        process = look_up(child.pid)
        self._pid_file.write_text(f"{child.pid} {process.born if process else ''}")

    @property
    def process(self) -> Process | None:
        """The running process, or None."""
        try:
            pid, _, born = self._pid_file.read_text().partition(" ")
            process = look_up(int(pid))
        except (FileNotFoundError, ValueError):
            return None
        return process if process and process.born == born else None

    @property
    def started_at(self) -> float:
        """Seconds since 1970."""
        return self._pid_file.stat().st_mtime

    def stop(self, *, by: signal.Signals = signal.SIGTERM, patience: float = 20) -> None:
        """Ask it to end, wait, and make an end of what is left. Harmless when nothing runs."""
        if process := self.process:
            members = family(process)
            os.kill(process.pid, by)
            if not _gone([process], patience):
                members = family(process)
            _kill(members)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it and its children as a power cut would."""
        if process := self.process:
            _kill(family(process))


def look_up(pid: int) -> Process | None:
    """The living process with this pid; a zombie is not one.

    One of ours is, until it can be reaped: its other threads may still be on their way out.
    """
    ours = next((child for child in _children if child.pid == pid), None)
    if ours and ours.poll() is not None:
        _children.remove(ours)
        ours = None
    if not _PROC.joinpath("self/stat").exists():
        return next((process for process in _ask_ps() if process.pid == pid), None)
    try:
        fields = _PROC.joinpath(f"{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX" and not ours:
        return None
    return Process(pid, int(fields[1]), fields[19], int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


def everyone() -> list[Process]:
    """Every living process of the machine."""
    if not _PROC.joinpath("self/stat").exists():
        return _ask_ps()
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return [process for pid in pids if (process := look_up(pid))]


def family(head: Process) -> list[Process]:
    """The process and all that descend from it, parents first."""
    members = [head]
    others = everyone()
    for member in members:
        members += [process for process in others if process.parent == member.pid]
    return members


def memory_of(members: Sequence[Process]) -> int:
    """What they take together; memory that they share counts once, where the kernel tells."""
    return sum(_share(member) for member in members)


def working_in(folder: Path, program: str) -> list[Process]:
    """The processes of a program whose working folder this is, also when their parent is gone."""
    found = []
    for process in everyone():
        try:
            name = _PROC.joinpath(f"{process.pid}/comm").read_text().strip()
            if name == program and _PROC.joinpath(f"{process.pid}/cwd").samefile(folder):
                found.append(process)
        except OSError:
            continue
    return found


def end(processes: Sequence[Process]) -> None:
    """Kill these and wait until they are gone."""
    _kill(processes)


def _kill(processes: Sequence[Process]) -> None:
    for process in processes:
        if look_up(process.pid) == process or _same(process):
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    _gone(processes, patience=5)


def _share(process: Process) -> int:
    try:
        rollup = _PROC.joinpath(f"{process.pid}/smaps_rollup").read_text()
        kilobytes = next(line.split()[1] for line in rollup.splitlines() if line[:4] == "Pss:")
    except (OSError, StopIteration):
        return process.memory
    return int(kilobytes) * 1024


def _same(process: Process) -> bool:
    now = look_up(process.pid)
    return now is not None and now.born == process.born


def _gone(processes: Sequence[Process], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while any(_same(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _ask_ps() -> list[Process]:
    """Where there is no /proc: the same from ps, which every Unix has."""
    listing = run(["ps", "-A", "-o", "pid=,ppid=,rss=,stat=,lstart="]).stdout
    rows = [line.split(maxsplit=4) for line in listing.splitlines()]
    return [
        Process(int(pid), int(parent), born, int(kilobytes) * 1024)
        for pid, parent, kilobytes, state, born in rows
        if "Z" not in state
    ]
