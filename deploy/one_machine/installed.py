"""Finds the PostgreSQL, the RabbitMQ and the browser that are installed on this machine."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.one_machine.commands import run

POSTGRES_AT_LEAST = 15
RABBITMQ_AT_LEAST = (3, 10)

_POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
)
# Debian's /usr/sbin/rabbitmq-server changes to a user of its own: the script behind it is wanted
_RABBITMQ_FOLDERS = (
    "/usr/lib/rabbitmq/bin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
    "/home/linuxbrew/.linuxbrew/opt/rabbitmq/sbin",
)
# The first lays pages out and paints them as the others do, but has no windows to draw: it takes
# half the work.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True, order=True)
class InstalledPostgres:
    """A PostgreSQL of the machine."""

    major: int
    programs: Path


@dataclass(frozen=True, order=True)
class InstalledRabbitMQ:
    """A RabbitMQ of the machine."""

    version: tuple[int, ...]
    programs: Path


def find_postgres(major: int | None = None) -> InstalledPostgres | None:
    """The newest PostgreSQL that is new enough, or the one of the wanted major version."""
    found = set()
    for folder in _folders("postgres", _POSTGRES_FOLDERS):
        if not (folder / "initdb").exists():
            continue
        told = run([folder / "postgres", "--version"])
        if number := re.search(r"\) (\d+)", told.stdout):
            found.add(InstalledPostgres(int(number[1]), folder))
    wanted = [one for one in found if one.major >= POSTGRES_AT_LEAST and major in (None, one.major)]
    return max(wanted, default=None)


def find_rabbitmq() -> InstalledRabbitMQ | None:
    """The newest RabbitMQ that is new enough."""
    found = set()
    for folder in _folders("rabbitmq-server", _RABBITMQ_FOLDERS):
        server = (folder / "rabbitmq-server").resolve()
        for library in server.parents[1].glob("plugins/rabbit-[0-9]*"):
            numbers = tuple(int(number) for number in re.findall(r"\d+", library.name)[:3])
            found.add(InstalledRabbitMQ(numbers, folder))
    return max((one for one in found if one.version >= RABBITMQ_AT_LEAST), default=None)


def _folders(program: str, usual: tuple[str, ...]) -> Iterator[Path]:
    if on_path := shutil.which(program):
        yield Path(on_path).resolve().parent
    for pattern in usual:
        for folder in Path("/").glob(pattern.removeprefix("/")):
            if (folder / program).exists():
                yield folder


def find_browser() -> str | None:
    """The browser that tests look with."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)
