"""A private RabbitMQ in a folder of its own."""

import json
import os
import shutil
import socket
import time
from pathlib import Path

from deploy.one_machine import owners, ports
from deploy.one_machine.commands import run
from deploy.one_machine.installed import InstalledRabbitMQ, find_rabbitmq
from deploy.one_machine.problems import Problem, with_log
from deploy.one_machine.processes import Program
from deploy.one_machine.secrets import keep, new_password

USER = "examhall"
NODE = "examhall@localhost"  # may be the same everywhere, for each server has an epmd of its own
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
log.console = true
log.console.level = info
log.file = false
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
raft.wal_max_size_bytes = 64000000
"""


class RabbitMQ:
    """The broker of one folder. The folder keeps its data, its log, its cookie and its password."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.program = Program(folder, "rabbitmq")
        self._epmd = Program(folder, "epmd")

    @property
    def url(self) -> str:
        """Where its only user connects."""
        return f"amqp://{USER}:{(self.folder / 'password').read_text()}@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, with its own finder of Erlang nodes (epmd). Does not wait until it is ready."""
        if self.program.process:
            return
        installed = _installed()
        self._owner = owners.owner_of(self.folder, "rabbitmq")
        owners.make_folder(self.folder, self._owner)
        self._write_files()
        environment = self._environment()
        if not self._epmd.process:
            self._epmd.start(
                [_erlang("epmd")], environment=environment, folder=self.folder, owner=self._owner
            )
        self.program.start(
            [installed.programs / "rabbitmq-server"],
            environment=environment,
            folder=self.folder,
            owner=self._owner,
        )

    def wait_ready(self, patience: float = 90) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + patience
        while not self._answers():
            if not self.program.process:
                raise with_log("RabbitMQ ended as soon as it was started.", self.program.log)
            if time.monotonic() > deadline:
                raise with_log(f"RabbitMQ was not ready after {patience:.0f} s.", self.program.log)
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order."""
        self.program.stop(patience=30)
        self._epmd.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.program.kill()
        self._epmd.kill()

    def remove(self) -> None:
        """Delete its data."""
        self.kill()
        owners.remove_folder(self.folder)

    def control(self, *words: str) -> str:
        """What rabbitmqctl answers."""
        told = run(
            [_installed().programs / "rabbitmqctl", *words],
            folder=self.folder,
            environment=self._environment(),
            owner=owners.owner_of(self.folder, "rabbitmq"),
        )
        if told.returncode:
            raise Problem(f"rabbitmqctl {' '.join(words)}: {(told.stderr or told.stdout).strip()}")
        return told.stdout

    def _answers(self) -> bool:
        """A broker that is ready begins its handshake; until then nobody listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _write_files(self) -> None:
        """Its settings, and empty ones in place of the machine's own in /etc/rabbitmq."""
        password = keep(self.folder / "password", new_password())
        cookie = self.folder / ".erlang.cookie"
        keep(cookie, new_password(), mode=0o400)
        if not self._epmd.process:
            inner = {"epmd": ports.any_free(), "distribution": ports.any_free()}
            self._inner_ports.write_text(json.dumps(inner))
        configuration = CONFIGURATION.format(port=self.port, user=USER, password=password)
        (self.folder / "rabbitmq.conf").touch(mode=0o600)
        (self.folder / "rabbitmq.conf").write_text(configuration)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "advanced.config").write_text("[].\n")
        (self.folder / "rabbitmq-env.conf").touch()
        if self._owner:
            for file in (cookie, self.folder / "rabbitmq.conf", self.folder / "enabled_plugins"):
                os.chown(file, self._owner.uid, self._owner.gid)

    @property
    def _inner_ports(self) -> Path:
        return self.folder / "ports.json"

    def _environment(self) -> dict[str, str]:
        inner = json.loads(self._inner_ports.read_text())
        folder = str(self.folder.resolve())
        return {
            "PATH": f"{_erlang('erl').parent}:{os.defpath}",
            "HOME": folder,
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "true",  # makes the script become the server: one pid
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(inner["epmd"]),
            "RABBITMQ_DIST_PORT": str(inner["distribution"]),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/data",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": f"{folder}/conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +SDcpu 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }


def _installed() -> InstalledRabbitMQ:
    if installed := find_rabbitmq():
        return installed
    raise Problem("There is no RabbitMQ on this machine; ./examhall up installs it.")


def _erlang(program: str) -> Path:
    usual = f"{os.defpath}:/usr/bin:/usr/local/bin:/opt/homebrew/bin:{os.environ.get('PATH', '')}"
    if found := shutil.which(program, path=usual):
        return Path(found)
    raise Problem(f"RabbitMQ needs Erlang, and its {program} is not to be found.")
