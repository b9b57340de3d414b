"""Passwords: hashed off the event loop, by a bounded crew, with a refusal beyond."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from aiohttp import web
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from services.identity.rules import LONGEST_PASSWORD
from shared.errors import Busy

# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms of a core.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
# A page takes a hundredth of the time a password takes, and should not wait for it.
NICENESS = 19
# Waiting behind this many takes about a second; whoever comes then is told to come back.
LONGEST_QUEUE = 64


class Passwords:
    """Hashes and verifies without holding up anybody else's page."""

    def __init__(self, *, workers: int) -> None:
        # argon2 releases the interpreter's lock: threads are enough.
        self._executor = ThreadPoolExecutor(
            workers, thread_name_prefix="argon2", initializer=_step_back
        )
        self._pending = 0
        self._nobody = _nobody()

    async def hash(self, password: str) -> str:
        return str(await self._run(partial(HASHER.hash, password)))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Check a password; for no account, take as long and say no."""
        if len(password) > LONGEST_PASSWORD:
            return False
        matches = await self._run(partial(_matches, hashed or self._nobody, password))
        return bool(matches) and hashed is not None

    async def _run(self, work: "partial[str] | partial[bool]") -> str | bool:
        if self._pending >= LONGEST_QUEUE:
            raise Busy
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._pending -= 1


@cache
def _nobody() -> str:
    """Hash for an account that does not exist, so that the answer takes as long."""
    return HASHER.hash("nobody's password")


def _step_back() -> None:
    """Let pages go first: on Linux a thread can have a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


PASSWORDS = web.AppKey("passwords", Passwords)
