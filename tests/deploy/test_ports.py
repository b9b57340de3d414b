"""Free ports, and who has the others."""

import socket

import pytest

from deploy.one_machine import ports


def _listen(host: str, family: socket.AddressFamily) -> socket.socket:
    return socket.create_server((host, 0), family=family)


def test_a_port_with_a_listener_is_not_free() -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        with _listen(host, socket.AF_INET) as taken:
            assert not ports.is_free(taken.getsockname()[1])


def test_a_listener_on_the_other_localhost_counts_too() -> None:
    try:
        taken = _listen("::1", socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with taken:
        assert not ports.is_free(taken.getsockname()[1])


def test_the_next_free_port_follows_a_taken_one() -> None:
    with _listen("127.0.0.1", socket.AF_INET) as taken:
        port = taken.getsockname()[1]
        assert ports.next_free(port) > port


def test_a_free_port_stays_itself() -> None:
    port = ports.any_free()
    assert ports.next_free(port) == port
