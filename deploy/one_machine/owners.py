"""Whose account a server runs under, and a folder that this account can reach."""

import hashlib
import os
import pwd
import shutil
from pathlib import Path

from deploy.one_machine.commands import Owner, run
from deploy.one_machine.problems import Problem

ELSEWHERE = Path("/var/lib/examhall")


def can_enter(owner: Owner, folder: Path) -> bool:
    """Ask the kernel, which knows of access lists and odd mounts too."""
    asked = run(["/usr/bin/env", "test", "-x", str(folder)], folder=Path("/"), owner=owner)
    return asked.returncode == 0


def owner_of(folder: Path, preferred: str) -> Owner | None:
    """Who shall own the folder: nobody in particular, unless root asks.

    A folder that exists keeps the owner it has. Otherwise it is the account that the
    distribution made for this server, or the one that every Unix has for such ends.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return Owner(folder.stat().st_uid, folder.stat().st_gid)
    for name in (preferred, "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(account.pw_uid, account.pw_gid)
    raise Problem(f"Servers do not run as root, and there is neither {preferred} nor nobody here.")


def make_folder(folder: Path, owner: Owner | None) -> None:
    """Make a private folder that the owner can reach, or see that it still is one.

    Where he cannot (below root's home, on a mount that knows no owners) the folder lies in
    /var/lib/examhall, and a link stands in its place. What it holds is never deleted here.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.is_symlink() and folder.readlink() != _elsewhere(folder):
            folder.unlink()  # the checkout was copied or moved: these data are another one's
        if not folder.is_symlink():
            folder.mkdir(mode=0o700, exist_ok=True)
            if owner is None or _hand_over(folder, owner):
                next(folder.iterdir(), None)  # may we look into it at all?
                return
            _link_elsewhere(folder)
        _elsewhere(folder).mkdir(mode=0o700, exist_ok=True)
    except PermissionError as refusal:
        raise Problem(
            f"No permission for {refusal.filename}: was it made by another user or by root? "
            "Run the command as that user, or remove the folder."
        ) from refusal
    if owner and not _hand_over(_elsewhere(folder), owner):
        raise Problem(f"The account {owner.uid} cannot enter {_elsewhere(folder)}.")


def _link_elsewhere(folder: Path) -> None:
    place = _elsewhere(folder)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        folder.rmdir()
    except OSError as refusal:
        raise Problem(
            f"{folder} holds data, and the account of its server can no longer reach it. "
            "Open the folders above it again, or start afresh: ./examhall reset"
        ) from refusal
    if place.exists():  # its link was deleted, and with it the key to what is in the data
        shutil.rmtree(place.with_suffix(".old"), ignore_errors=True)
        place.rename(place.with_suffix(".old"))
    folder.symlink_to(place)


def remove_folder(folder: Path) -> None:
    """Remove the folder, wherever it lies."""
    if folder.is_symlink():
        if folder.readlink() == _elsewhere(folder):
            shutil.rmtree(folder.readlink(), ignore_errors=True)
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _hand_over(folder: Path, owner: Owner) -> bool:
    try:
        os.chown(folder, owner.uid, owner.gid)
        folder.chmod(0o700)
    except OSError:
        return False
    return can_enter(owner, folder)


def _elsewhere(folder: Path) -> Path:
    place = folder.parent.resolve() / folder.name
    return ELSEWHERE / f"{hashlib.sha256(bytes(place)).hexdigest()[:12]}-{folder.name}"
