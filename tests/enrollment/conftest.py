"""Databases of enrollment, with a small programme in them or nothing, and a registrar at work."""

from collections.abc import AsyncIterator

import pytest

from shared import db
from shared.auth import Role
from shared.db import Pool
from tests.conftest import MakeDatabase
from tests.enrollment import catalogues, centres, world
from tests.enrollment.candidates import open_hall
from tests.enrollment.centres import CentreStaff
from tests.enrollment.life import Life
from tests.site import FROM_OUR_PAGE, Site, open_site


@pytest.fixture
async def database_url(make_database: MakeDatabase) -> str:
    return await make_database("enrollment")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(database_url, application="test")
    await world.add_programme(pool)
    yield pool
    await pool.close()


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Pool]:
    pool = await db.create_pool(database_url, application="test")
    yield pool
    await pool.close()


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """A site with the small programme, asked by a registrar who reads English."""
    async with open_site(make_database, "identity", "enrollment") as site:
        await catalogues.load(site.pools["enrollment"])
        _, cookie = await site.begin_session(Role.REGISTRAR)
        headers = {**cookie, **FROM_OUR_PAGE, "Accept-Language": "en"}
        site.client.session.headers.update(headers)
        yield site


@pytest.fixture
async def hall(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """A site with the Hakka programme, two sittings of which are open."""
    async with open_hall(make_database) as site:
        yield site


@pytest.fixture
async def life(pool: Pool) -> Life:
    """A draft that holds the only place of a sitting."""
    await world.add_sitting(pool, "m1", {"taoyuan": 1})
    return await Life.begin(pool)


@pytest.fixture
async def school(make_database: MakeDatabase) -> AsyncIterator[Site]:
    """A site with the exams that centres enter, and two centres."""
    async with open_site(make_database, "identity", "enrollment") as site:
        await centres.prepare(site.pools["enrollment"])
        yield site


@pytest.fixture
async def staff(school: Site) -> CentreStaff:
    return await CentreStaff.arrive(school)
