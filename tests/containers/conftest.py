"""The stack that is looked at; without one named in the environment there is nothing to collect."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.stack import Stack

URL, PROJECT = (os.environ.get(f"EXAMHALL_STACK_{name}", "") for name in ("URL", "PROJECT"))

collect_ignore_glob = [] if URL and PROJECT else ["test_*.py"]


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack(URL, PROJECT)


@pytest.fixture
def mended(stack: Stack) -> Iterator[Stack]:
    """The stack for a test that breaks it: as it was before, afterwards."""
    yield stack
    stack.bring_back()
