"""An OpenID Connect issuer for the tests that sign in with one."""

from collections.abc import AsyncIterator

import pytest

from tests.issuer import Running, run_issuer


@pytest.fixture
async def google() -> AsyncIterator[Running]:
    async with run_issuer() as running:
        yield running
