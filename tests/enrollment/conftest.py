"""Databases of enrollment: one with a small programme in it, and one with nothing."""

from collections.abc import AsyncIterator

import pytest

from shared import db
from shared.db import Pool
from tests.conftest import MakeDatabase
from tests.enrollment import world
from tests.enrollment.life import Life


@pytest.fixture
async def pool(make_database: MakeDatabase) -> AsyncIterator[Pool]:
    pool = await db.create_pool(await make_database("enrollment"), application="test")
    await world.add_programme(pool)
    yield pool
    await pool.close()


@pytest.fixture
async def empty_url(make_database: MakeDatabase) -> str:
    return await make_database("enrollment")


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(empty_url, application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def life(pool: Pool) -> Life:
    """A draft that holds the only place of a sitting."""
    await world.add_sitting(pool, "m1", {"taoyuan": 1})
    return await Life.begin(pool)
