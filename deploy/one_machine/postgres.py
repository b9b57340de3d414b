"""A private PostgreSQL in a folder of its own."""

import os
import shutil
import signal
import time
from pathlib import Path

from deploy.one_machine import owners, processes
from deploy.one_machine.commands import run
from deploy.one_machine.installed import InstalledPostgres, find_postgres
from deploy.one_machine.problems import Problem, with_log
from deploy.one_machine.processes import Program
from deploy.one_machine.secrets import keep, new_password

USER = "examhall"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a deep folder's name is too long for a socket
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}


class Postgres:
    """The server of one folder. The folder keeps its data, its log and its password."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.program = Program(folder, "postgres")

    @property
    def url(self) -> str:
        """Where its superuser connects."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        password = (self.folder / "password").read_text()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and make its data first where there are none. Does not wait."""
        if self.program.process:
            return
        self._owner = owners.owner_of(self.folder, "postgres")
        owners.make_folder(self.folder, self._owner)
        installed = self._installed()
        if not self._data.exists():
            self._make_data(installed)
        self._end_strays()
        settings = SETTINGS | {"port": str(self.port)}
        self.program.start(
            [
                installed.programs / "postgres",
                *("-D", self._data),
                *(word for name in settings for word in ("-c", f"{name}={settings[name]}")),
            ],
            environment=self._environment(),
            folder=self._data,
            owner=self._owner,
        )

    def wait_ready(self, patience: float = 60) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + patience
        while not self._is_ready():
            if not self.program.process:
                raise with_log("PostgreSQL ended as soon as it was started.", self.program.log)
            if time.monotonic() > deadline:
                raise with_log(
                    f"PostgreSQL was not ready after {patience:.0f} s.", self.program.log
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order, without waiting for its clients to leave."""
        self.program.stop(by=signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.program.kill()

    def remove(self) -> None:
        """Delete its data."""
        self.kill()
        owners.remove_folder(self.folder)

    @property
    def _data(self) -> Path:
        return self.folder.resolve() / "data"  # the server's user cannot follow the link

    def _is_ready(self) -> bool:
        """PostgreSQL says so itself, in the last line of its pid file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        process = self.program.process
        return (
            process is not None
            and len(lines) > 7  # the eighth line is the state
            and lines[0] == str(process.pid)
            and lines[7].strip() == "ready"
        )

    def _installed(self) -> InstalledPostgres:
        try:
            major = int((self._data / "PG_VERSION").read_text())
        except FileNotFoundError:
            major = None
        if installed := find_postgres(major):
            return installed
        if major:
            raise Problem(
                f"The data in {self._data} were made by PostgreSQL {major}, which is not installed "
                "any more: install it again, or start afresh with ./examhall reset."
            )
        raise Problem("There is no PostgreSQL on this machine; ./examhall up installs it.")

    def _make_data(self, installed: InstalledPostgres) -> None:
        """Make them under another name first, so that half-made data are never taken for whole."""
        draft = self._data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        password = self._data.with_name("password")
        keep(password, new_password())
        if self._owner:
            os.chown(password, self._owner.uid, self._owner.gid)
        builtin = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale")
        made = run(
            [
                installed.programs / "initdb",
                *("-D", draft, "-U", USER, "--pwfile", password),
                *("--auth=scram-sha-256", "--encoding=UTF8"),
                *(builtin if installed.major >= 17 else ("--locale=C.UTF-8",)),
            ],
            folder=draft.parent,
            environment=self._environment(),
            owner=self._owner,
        )
        if made.returncode:
            raise Problem(f"PostgreSQL could not make its data folder:\n{made.stderr.strip()}")
        draft.rename(self._data)

    def _end_strays(self) -> None:
        """After the postmaster was killed its children may linger and forbid a new one."""
        processes.end(processes.working_in(self._data, "postgres"))
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder.resolve()),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
