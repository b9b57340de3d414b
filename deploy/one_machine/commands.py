"""Runs other programs: to their end, before one's eyes, or in place of this one."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypedDict

Words = Sequence[str | Path]


@dataclass(frozen=True)
class Owner:
    """An account without rights of its own, under which root runs a server."""

    uid: int
    gid: int


class Switch(TypedDict):
    """The arguments by which subprocess runs something as another user, or as this one."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def switch_to(owner: Owner | None) -> Switch:
    if owner is None:
        return Switch(user=None, group=None, extra_groups=None)
    return Switch(user=owner.uid, group=owner.gid, extra_groups=[])


def run(
    words: Words,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    owner: Owner | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end and keep what it says."""
    return subprocess.run(  # noqa: S603
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **switch_to(owner),
    )


def run_logged(
    words: Words,
    log: Path,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run it to its end; all it says goes to the log."""
    with log.open("ab") as out:
        return subprocess.run(  # noqa: S603
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def show(words: Words, *, folder: Path, environment: Mapping[str, str] | None = None) -> int:
    """Run it to its end before one's eyes."""
    return subprocess.run(words, cwd=folder, env=environment, check=False).returncode  # noqa: S603


def become(words: Words, *, folder: Path, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Run it in place of this program."""
    os.chdir(folder)
    os.execvpe(str(words[0]), [str(word) for word in words], environment or os.environ)  # noqa: S606
