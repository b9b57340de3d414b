"""The shipped catalogue says what the regulations say. Their tables, typed from them again."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.enrollment import levels, places, programmes, sittings
from services.enrollment.sittings import Sitting
from shared.db import Pool, transaction
from tests.enrollment import catalogues

TAIPEI = ZoneInfo("Asia/Taipei")

# exam | area | registration from, to | materials | tickets | results | certificates.
# As in the tables on the regulations' first two pages: a date without a year is of ROC year 115.
BASIC = """
多梯次(一)   1/11  | 臺南 | 114/12/22 114/12/30 | 114/12/31 | 1/5   | 3/16  | 4/30
多梯次(二)   2/1   | 臺北 | 114/12/22 115/1/5   | 1/15      | 1/19  | 3/16  | 4/30
多梯次(三)   3/28  | 桃園 | 114/12/22 115/1/20  | 2/9       | 3/16  | 4/30  | 5/29
多梯次(四)   4/11  | 雲林 | 1/1 2/1             | 2/23      | 3/30  | 5/15  | 6/18
多梯次(五)   5/23  | 新竹 | 2/1 3/1             | 3/23      | 5/11  | 6/26  | 7/27
多梯次(六)   6/27  | 臺中 | 3/1 4/1             | 4/20      | 6/15  | 7/31  | 8/31
多梯次(七)   7/18  | 屏東 | 4/1 5/1             | 5/20      | 7/6   | 8/21  | 9/24
多梯次(八)   8/22  | 苗栗 | 5/1 6/1             | 6/22      | 8/10  | 9/24  | 10/30
全國認證(1)  9/12  | 全國 | 5/1 6/1             | 6/22      | 8/17  | 11/23 | 12/31
全國認證(2)  9/20  | 全國 | 5/1 6/1             | 6/22      | 8/17  | 11/23 | 12/31
多梯次(九)   10/17 | 臺東 | 7/1 8/1             | 8/20      | 10/5  | 11/27 | 12/31
多梯次(十)   11/21 | 高雄 | 8/1 9/1             | 9/21      | 11/9  | 12/25 | 116/1/22
多梯次(十一) 12/19 | 花蓮 | 9/1 10/1            | 10/20     | 12/7  | 116/1/22 | 116/2/26
"""
INTERMEDIATE = """
第1次 3/14 | 全國 | 114/12/29 115/1/30 | 1/9  | 3/2  | 5/18  | 6/22
第2次 10/3 | 全國 | 6/1 7/1            | 7/20 | 9/14 | 12/14 | 116/1/18
"""
ADVANCED = """
高級  10/3 | 全國 | 6/1 7/1            | 7/20 | 9/14 | 12/14 | 116/1/18
"""
TABLES = [("basic", BASIC), ("intermediate", INTERMEDIATE), ("advanced", ADVANCED)]
CITIES = (
    "基隆、臺北、宜蘭、桃園、新竹、苗栗、臺中、彰化、南投、雲林、嘉義、臺南、高雄、屏東、花蓮、臺東"
)


def day(text: str) -> date:
    *year, month, number = (int(part) for part in text.split("/"))
    return date((year[0] if year else 115) + 1911, month, number)


def nine_o_clock(text: str) -> datetime:
    return datetime.combine(day(text), datetime.min.time(), TAIPEI) + timedelta(hours=9)


@pytest.fixture
async def loaded(empty: Pool) -> Pool:
    await catalogues.load(empty, catalogues.shipped())
    return empty


async def areas_of(pool: Pool, sitting: Sitting) -> set[str]:
    async with transaction(pool) as tx:
        programme = await programmes.load(tx, code="hakka-115")
        held = await places.list_(tx, sittings=[sitting.code])
    names = {area.code: area.titles["zh-Hant-TW"] for area in programme.areas}
    assert all(place.capacity is None for place in held), "the regulations name no number"
    return {names[place.area] for place in held}


@pytest.mark.parametrize(("level_group", "table"), TABLES, ids=[name for name, _ in TABLES])
async def test_every_date_is_the_regulations(loaded: Pool, level_group: str, table: str) -> None:
    async with transaction(loaded) as tx:
        found = {
            (s.series, s.number): s
            for s in await sittings.list_(tx)
            if s.level_group == level_group
        }
    numbers = {"multi": 0, "national": 0}
    rows = [line.split("|") for line in table.strip().splitlines()]
    for name_and_exam, area, window, materials, tickets, results, certificates in rows:
        name, exam = name_and_exam.split()
        series = "multi" if name.startswith("多梯次") else "national"
        numbers[series] += 1
        sitting = found.pop((series, numbers[series]))
        opens, closes = (day(text) for text in window.split())
        assert sitting.exam_date == day(exam), name
        assert sitting.opens_at == datetime(opens.year, opens.month, opens.day, tzinfo=TAIPEI), name
        assert sitting.closes_at.astimezone(TAIPEI) == datetime(
            closes.year, closes.month, closes.day, tzinfo=TAIPEI
        ) + timedelta(days=1), name
        assert sitting.materials_on == day(materials.strip()), name
        assert sitting.tickets_at == nine_o_clock(tickets.strip()), name
        assert sitting.results_at == nine_o_clock(results.strip()), name
        assert sitting.certificates_on == day(certificates.strip()), name
        everywhere = set(CITIES.split("、"))
        wanted = everywhere if area.strip() == "全國" else {area.strip()}
        assert await areas_of(loaded, sitting) == wanted, name
        if series == "multi":
            numeral = name.removeprefix("多梯次(").removesuffix(")")
            assert f"（{numeral}）{area.strip()}" in sitting.titles["zh-Hant-TW"]
    assert found == {}, "there are more than the regulations name"


async def test_there_are_16_sittings_in_16_areas_and_5_dialects(loaded: Pool) -> None:
    async with transaction(loaded) as tx:
        found = await sittings.list_(tx)
        programme = await programmes.load(tx, code="hakka-115")
    assert len(found) == 16
    names = [area.titles["zh-Hant-TW"] for area in programme.areas]
    assert names == CITIES.split("、")
    spoken = [dialect.titles["zh-Hant-TW"] for dialect in programme.dialects]
    assert spoken == ["四縣", "海陸", "大埔", "饒平", "詔安"]
    codes = [dialect.code for dialect in programme.dialects]
    assert all(sitting.dialects == codes for sitting in found)
    assert (programme.fee_twd, programme.fee_free_to_birthday) == (250, 19)


async def test_convenience_stores_take_money_for_nationwide_sittings_only(loaded: Pool) -> None:
    async with transaction(loaded) as tx:
        found = await sittings.list_(tx)
    for sitting in found:
        is_national = sitting.series == "national"
        assert ("convenience_store" in sitting.methods) == is_national, sitting.code
        assert {"atm", "card", "line_pay"} <= set(sitting.methods)


async def test_the_series_have_the_rules_of_the_regulations(loaded: Pool) -> None:
    async with transaction(loaded) as tx:
        rules = {
            (s.level_group, s.code): (s.submit_within_days, s.one_only, s.absence_bars)
            for s in await levels.list_series(tx)
        }
    assert rules == {
        ("basic", "multi"): (7, False, True),
        ("basic", "national"): (None, True, False),
        ("intermediate", "national"): (None, False, False),
        ("advanced", "national"): (None, False, False),
    }
