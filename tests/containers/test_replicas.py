"""One service is scaled, and only that one."""

import threading
import time

import pytest

from tests.containers.stack import Stack, docker, wait_for

pytestmark = pytest.mark.containers

SCALED = "enrollment-web"


def requests_of(container: str) -> int:
    told = docker("logs", container).stdout
    return sum('"message":"request"' in line for line in told.splitlines())


def scale(stack: Stack, count: int) -> list[str]:
    stack.compose(
        *("up", "--detach", "--wait", "--no-recreate", "--no-deps"),
        *("--scale", f"{SCALED}={count}", SCALED),
    )
    return stack.compose("ps", "-q", SCALED).stdout.split()


def test_three_replicas_share_the_requests_and_leave_without_a_failure(mended: Stack) -> None:
    before = {container["Id"] for container in mended.containers()}
    replicas = scale(mended, 3)
    assert len(replicas) == 3
    assert len({container["Id"] for container in mended.containers()} - before) == 2

    def all_work() -> bool:
        assert {mended.get("/enrollment/").status for _ in range(20)} == {200}
        return all(requests_of(replica) > 0 for replica in replicas)

    wait_for(all_work, "all three replicas answer")

    statuses: list[int] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            statuses.append(mended.get("/enrollment/").status)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        assert len(scale(mended, 1)) == 1
        time.sleep(2)  # as long as the gateway still believes in the two that have gone
    finally:
        done.set()
        asking.join()
    assert len(statuses) > 20
    assert set(statuses) == {200}


def test_one_replica_more_that_dies_is_not_noticed(mended: Stack) -> None:
    replicas = scale(mended, 2)
    wait_for(
        lambda: mended.get("/enrollment/").status == 200 and requests_of(replicas[-1]) > 0,
        "the second replica answers",
    )
    docker("kill", replicas[-1])
    assert {mended.get("/enrollment/").status for _ in range(30)} == {200}
