"""Ports of this machine that nobody listens on."""

import errno
import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from functools import cache
from pathlib import Path

LAST = 65_535
# Below those that the system hands to outgoing connections, above those that servers are known by.
CHOICE = range(20_000, 32_000)
# By the time a process was given so many more, a server listens on the first, or never will.
SPOKEN_FOR = 200

_SHARED = Path(tempfile.gettempdir(), f"examhall-ports-{os.getuid()}")
_spoken_for: deque[int] = deque()


def is_free(port: int) -> bool:
    """Whether a server could listen here, and nobody else answers to the name localhost."""
    return all(
        _can_bind(family, host, port)
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
    )


def next_free(wanted: int) -> int:
    """This port, or the next one that is free."""
    return next(port for port in range(wanted, LAST) if is_free(port))


def any_free() -> int:
    """Some port that is free now, and that no other process or connection is given meanwhile."""
    while not (_speak_for(port := random.choice(CHOICE)) and is_free(port)):  # noqa: S311
        pass
    return port


def _speak_for(port: int) -> bool:
    """Lock the byte of this number in a file that all processes of this user share.

    The system lets go of it when the process ends, however that comes about.
    """
    if port in _spoken_for:
        return False
    try:
        fcntl.lockf(_shared_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    _spoken_for.append(port)
    if len(_spoken_for) > SPOKEN_FOR:
        fcntl.lockf(_shared_file(), fcntl.LOCK_UN, 1, _spoken_for.popleft())
    return True


@cache  # and never closed: the first close would let go of all that is locked
def _shared_file() -> int:
    return os.open(_SHARED, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as refusal:
        # a machine without IPv6 has nobody on ::1 either
        return family is socket.AF_INET6 and refusal.errno != errno.EADDRINUSE
    return True
