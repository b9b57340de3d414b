"""The other way to run everything: docker compose."""

import json
import os
import shutil
from pathlib import Path

from deploy.command.accounts import say_accounts
from deploy.one_machine.commands import run, show
from deploy.one_machine.machine import SANDBOX_PORT, WEB_PORT
from deploy.one_machine.problems import Problem
from deploy.one_machine.progress import say, step
from deploy.one_machine.secrets import make_secrets

COMPOSE = ("docker", "compose")
# In the container that may already do everything to every database.
LOAD_DEMO = (*COMPOSE, "run", "--rm", "-T", "migrate", "deploy.all_in_one", "demo")


def up(root: Path) -> int:
    """Build the image, start the containers, wait until they are healthy."""
    make_secrets(root / "deploy" / "secrets")
    _compose(root, "up", "--detach", "--build", "--wait")
    with step("Loading demo data"):
        loaded = run(LOAD_DEMO, folder=root)
    if loaded.returncode:
        raise Problem(f"The demo data could not be loaded:\n{loaded.stderr.strip()}")
    lines = [line for line in loaded.stdout.splitlines() if line.startswith("{")]
    say(f"""
  Examhall             http://localhost:{os.environ.get("EXAMHALL_PORT", WEB_PORT)}
  Payment sandbox      http://localhost:{os.environ.get("EXAMHALL_SANDBOX_PORT", SANDBOX_PORT)}
""")
    say_accounts([json.loads(line) for line in lines])
    say("\n  ./examhall down --docker stops it, docker compose logs -f shows what it does.")
    return 0


def down(root: Path) -> int:
    """Stop the containers; their volumes stay."""
    _compose(root, "down")
    return 0


def _compose(root: Path, *words: str) -> None:
    if not shutil.which("docker"):
        raise Problem("There is no docker on this machine; without it, type: ./examhall up")
    if show([*COMPOSE, *words], folder=root):
        raise Problem(f"`docker compose {' '.join(words)}` failed; what it said is above.")
