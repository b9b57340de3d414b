"""A database of scoring, and a site with staff at work."""

from collections.abc import AsyncIterator

import pytest

from shared import db
from shared.db import Pool
from tests.conftest import MakeDatabase
from tests.scoring.office import Office, open_office


@pytest.fixture
async def database_url(make_database: MakeDatabase) -> str:
    return await make_database("scoring")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(database_url, application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    async with open_office(make_database) as office:
        yield office
