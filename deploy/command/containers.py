"""The other way to run everything: docker compose."""

import shutil
from pathlib import Path

from deploy.one_machine.commands import show
from deploy.one_machine.machine import SANDBOX_PORT, WEB_PORT
from deploy.one_machine.problems import Problem
from deploy.one_machine.progress import say
from deploy.one_machine.secrets import make_secrets


def up(root: Path) -> int:
    """Build the images, start the containers, wait until they are healthy."""
    make_secrets(root / "deploy" / "secrets")
    _compose(root, "up", "--detach", "--build", "--wait")
    say(f"""
  Examhall             http://localhost:{WEB_PORT}
  Payment sandbox      http://localhost:{SANDBOX_PORT}

  ./examhall down --docker stops it.""")
    return 0


def down(root: Path) -> int:
    """Stop the containers; their volumes stay."""
    _compose(root, "down")
    return 0


def _compose(root: Path, *words: str) -> None:
    if not shutil.which("docker"):
        raise Problem("There is no docker on this machine; without it, type: ./examhall up")
    if show(["docker", "compose", *words], folder=root):
        raise Problem(f"`docker compose {' '.join(words)}` failed; what it said is above.")
