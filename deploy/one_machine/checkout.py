"""What one checkout keeps on the machine: its folder, the ports it was given, its secret key."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.one_machine import ports, secrets
from deploy.one_machine.problems import Problem
from deploy.one_machine.progress import say


class Checkout:
    """One checkout and its folder .examhall, which holds all that `up` makes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".examhall"
        self._state_file = self.folder / "state.json"
        self._forget_what_another_one_runs()

    def make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o755, exist_ok=True)
        except OSError as refusal:
            raise Problem(f"Cannot write to {self.root}: {refusal.strerror}.") from refusal

    def port(self, name: str) -> int | None:
        """The port that was last given to this part."""
        given: int | None = self._load().get("ports", {}).get(name)
        return given

    def remember_port(self, name: str, port: int) -> None:
        state = self._load()
        state.setdefault("ports", {})[name] = port
        self._save(state)

    def server_port(self, name: str) -> int:
        """The part's remembered port, or a free one, remembered from now on."""
        if port := self.port(name):
            return port
        self.remember_port(name, port := ports.any_free())
        return port

    def secret_key(self) -> str:
        self.make_folder()
        return secrets.keep(self.folder / "secret_key", secrets.new_key())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one command at a time changes what runs here."""
        self.make_folder()
        try:
            file = (self.folder / "lock").open("a")
        except PermissionError as refusal:
            raise Problem(
                f"No permission for {refusal.filename}: it was made by another user, perhaps root. "
                "Run the command as that user."
            ) from refusal
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Waiting for another ./examhall that is at work in this checkout.")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _load(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def _save(self, state: dict[str, Any]) -> None:
        self.make_folder()
        draft = self._state_file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(state | {"checkout": str(self.root)}, indent=2))
        draft.replace(self._state_file)

    def _forget_what_another_one_runs(self) -> None:
        """A copied checkout brings along the pids and ports of the one it was copied from."""
        if self._load().get("checkout", str(self.root)) == str(self.root):
            return
        for file in (*self.folder.glob("*.pid"), *self.folder.glob("*/*.pid"), self._state_file):
            file.unlink(missing_ok=True)
