"""A till for every story."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import MakeDatabase
from tests.payments.till import Till, open_till


@pytest.fixture
async def till(make_database: MakeDatabase) -> AsyncIterator[Till]:
    async with open_till(await make_database("payments")) as till:
        yield till
