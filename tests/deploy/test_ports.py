"""Free ports, and who has the others."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def _another_process(choice: str = "ports.CHOICE") -> Iterator[int]:
    """Somebody else who was given a port, and lives; its server may take a while to listen."""
    ask = f"from deploy.one_machine import ports; ports.CHOICE = {choice}; print(ports.any_free())"
    with subprocess.Popen(  # which gives up some time, if there is none to be had
        [sys.executable, "-c", f"import signal; signal.alarm(20); {ask}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


def test_a_port_is_not_given_to_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    with _another_process() as port:
        monkeypatch.setattr(ports, "CHOICE", [port] * 999_999 + list(ports.CHOICE))
        assert ports.any_free() != port


def test_what_a_killed_process_was_given_can_be_had_again() -> None:
    with _another_process() as port:
        pass
    with _another_process(f"[{port}]") as again:
        assert again == port


def test_a_port_is_not_given_twice_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ports.any_free()
    monkeypatch.setattr(ports, "CHOICE", [port] * 999_999 + list(ports.CHOICE))
    assert ports.any_free() != port


def test_a_port_can_be_had_again_when_many_others_were_given() -> None:
    port = ports.any_free()
    for _ in range(ports.SPOKEN_FOR):
        ports.any_free()
    with _another_process(f"[{port}]") as again:
        assert again == port
