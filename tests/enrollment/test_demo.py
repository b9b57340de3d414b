"""Whatever the day, a newcomer finds sittings that are open, and one that opens soon."""

from datetime import UTC, datetime, timedelta

import pytest

from services.enrollment import catalogue, centres, demo, sittings
from services.enrollment.catalogue_files import SittingInFile
from services.enrollment.settings import Settings
from shared import db
from tests.conftest import MakeDatabase

DAYS = [datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2028, 2, 29, 15, 59, tzinfo=UTC)]


async def settings(make_database: MakeDatabase, site: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": await make_database("enrollment"),
            "EXAMHALL_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
            "EXAMHALL_PUBLIC_URL": site,
            "EXAMHALL_SECRET_KEY": "dGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQgdGVzdCBzZWNyZXQ",
            "documents_url": "file:///nowhere",
        }
    )


@pytest.mark.parametrize("now", DAYS)
async def test_some_sittings_are_open_and_one_opens_at_midnight(
    make_database: MakeDatabase, now: datetime
) -> None:
    told = await settings(make_database, "http://127.0.0.1")
    for _ in range(2):  # the second time finds them there
        await demo.load_sittings(told, now=now)
    connection = await db.connect(str(told.database_url), application="test")
    made = [one for one in await sittings.list_(connection) if one.programme == demo.CODE]
    assert [one.window(now) for one in made] == ["open", "open", "not_yet"]
    assert {method for one in made for method in one.methods} >= {"convenience_store", "card"}
    await demo.load_sittings(told, now=now + timedelta(days=40))
    later = [one.programme for one in await sittings.list_(connection)]
    assert (later.count(demo.CODE), later.count("cambridge-english")) == (6, len(shipped()) + 2)
    await connection.close()


def shipped() -> list[SittingInFile]:
    groups = demo._read(demo.ENGLISH).catalogue.level_groups
    return [one for group in groups for series in group.series for one in series.sittings]


async def test_what_is_shipped_stays_as_it_is(make_database: MakeDatabase) -> None:
    told = await settings(make_database, "http://127.0.0.1")
    connection = await db.connect(str(told.database_url), application="test")
    loads = []
    for _ in range(2):
        await demo.load_sittings(told, now=DAYS[0])
        async with connection.transaction():
            file = demo._read(demo.ENGLISH)
            loads.append(await catalogue.load(connection, file=file, actor="test", now=DAYS[0]))
    assert [(load.added, load.changed) for load in loads] == [(0, 0), (0, 0)]
    await connection.close()


@pytest.mark.parametrize("now", DAYS)
async def test_a_centre_can_enter_candidates_whatever_the_day(
    make_database: MakeDatabase, now: datetime
) -> None:
    told = await settings(make_database, "http://127.0.0.1")
    for _ in range(2):
        await demo.load_sittings(told, now=now)
    connection = await db.connect(str(told.database_url), application="test")
    made = [
        one for one in await sittings.list_(connection) if one.code.startswith(demo.ENGLISH_CODE)
    ]
    assert [one.window(now) for one in made] == ["open"]
    assert [one.number for one in await centres.list_(connection)] == [demo.CENTRE]
    assert await centres.list_staff(connection, number=demo.CENTRE) == [demo.CENTRE_STAFF]
    await connection.close()


async def test_a_public_site_gets_none(make_database: MakeDatabase) -> None:
    with pytest.raises(SystemExit):
        await demo.load_sittings(await settings(make_database, "https://exam.example"), now=DAYS[0])
