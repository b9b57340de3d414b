"""Ports of this machine that nobody listens on."""

import errno
import random
import socket

LAST = 65_535
# Below those that the system hands to outgoing connections, above those that servers are known by.
CHOICE = range(20_000, 32_000)


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
    """Some port that is free now, and that no outgoing connection will be given meanwhile."""
    while not is_free(port := random.choice(CHOICE)):  # noqa: S311
        pass
    return port


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
