"""The composed stack, and a visitor who comes through its gateway."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVICES = ("identity", "enrollment", "payments", "scoring", "notify")
ROLES = tuple(f"{service}-{role}" for service in SERVICES for role in ("web", "worker"))
# All that run our image and do not end by themselves.
OURS = (*ROLES, "sandbox")
PATIENCE_SECONDS = 30


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=180
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr}"
    return done


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """News takes a moment from one service to the next."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.2)


@dataclass(frozen=True)
class Stack:
    """One running project of docker compose, known by its gateway's address and its name."""

    url: str
    project: str

    @property
    def sandbox_url(self) -> str:
        """Where browsers find the sandbox."""
        told = self.compose("port", "gateway", "8090").stdout.strip()
        return f"http://localhost:{told.rpartition(':')[2]}"

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return docker("compose", "-p", self.project, *words, check=check)

    def execute(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run something inside a container of the service."""
        return self.compose("exec", "-T", service, *words, check=False)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What the engine knows about each container, also about those that have ended."""
        ids = self.compose("ps", "-aq", *([service] if service else [])).stdout.split()
        found: list[dict[str, Any]] = json.loads(docker("inspect", *ids).stdout)
        return found

    def bring_back(self) -> None:
        self.compose("up", "--detach", "--wait")

    def get(self, path: str) -> "Answer":
        return Visitor(self.url).get(path)


@dataclass(frozen=True)
class Answer:
    """What came back, errors included."""

    status: int
    address: str
    headers: Mapping[str, str]
    text: str


class Visitor:
    """A browser without script: follows redirects, keeps cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str) -> Answer:
        return self._open(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path: str, **fields: str) -> Answer:
        data = urllib.parse.urlencode(fields).encode()
        return self._open(urllib.request.Request(f"{self.url}{path}", data, {"Origin": self.url}))

    def sign_in(self, email: str, password: str) -> Answer:
        return self.post("/identity/sign-in", email=email, password=password)

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=30) as got:
                return Answer(got.status, got.url, dict(got.headers), got.read().decode())
        except urllib.error.HTTPError as got:
            with got:
                return Answer(got.code, got.url, dict(got.headers), got.read().decode())
