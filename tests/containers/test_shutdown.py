"""Every container ends in good order within the time that it is given."""

import time

import pytest

from tests.containers.stack import OURS, Stack

pytestmark = pytest.mark.containers

ALLOWED_SECONDS = 20


def test_every_container_ends_in_good_order(mended: Stack) -> None:
    began = time.monotonic()
    mended.compose("stop", "--timeout", str(ALLOWED_SECONDS), *OURS, "gateway")
    assert time.monotonic() - began < ALLOWED_SECONDS
    ends = {
        container["Name"]: container["State"]["ExitCode"]
        for name in (*OURS, "gateway")
        for container in mended.containers(name)
    }
    assert set(ends.values()) == {0}, ends


def test_what_was_there_is_there_after_everything_has_ended(mended: Stack) -> None:
    query = 'psql "$(cat /run/secrets/identity_database_url)" -Atc "SELECT count(*) FROM accounts"'
    before = mended.execute("postgres", "bash", "-c", query).stdout
    assert int(before) > 0
    mended.compose("down", "--timeout", str(ALLOWED_SECONDS))
    mended.bring_back()
    assert mended.execute("postgres", "bash", "-c", query).stdout == before
    assert mended.get("/identity/").status == 200
