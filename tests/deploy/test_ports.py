"""Free ports, and who has the others."""

import socket

from deploy.one_machine import ports


def _listen(host: str, family: socket.AddressFamily) -> socket.socket:
    taken = socket.socket(family)
    taken.bind((host, 0))
    taken.listen()
    return taken


def test_a_port_with_a_listener_is_not_free() -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        with _listen(host, socket.AF_INET) as taken:
            assert not ports.is_free(taken.getsockname()[1])


def test_a_listener_on_the_other_localhost_counts_too() -> None:
    with _listen("::1", socket.AF_INET6) as taken:
        assert not ports.is_free(taken.getsockname()[1])


def test_the_next_free_port_follows_a_taken_one() -> None:
    with _listen("127.0.0.1", socket.AF_INET) as taken:
        port = taken.getsockname()[1]
        assert ports.next_free(port) > port


def test_a_free_port_stays_itself() -> None:
    port = ports.any_free()
    assert ports.next_free(port) == port
