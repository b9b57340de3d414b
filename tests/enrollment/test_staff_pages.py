"""What registrars do with programmes, levels and sittings."""

import re
from typing import Any

import pytest

from shared.db import Pool
from tests.enrollment import catalogues
from tests.enrollment.registrar import (
    DETAILS,
    NAMES,
    NEW,
    PROGRAMME,
    SERIES,
    SITTING,
    STAFF,
    TAKEN,
    WINDOW,
    acts,
    day,
    errors,
    look,
    seen,
    send,
)
from tests.site import Site


@pytest.fixture
def site(office: Site) -> Site:
    return office


@pytest.fixture
def pool(site: Site) -> Pool:
    return site.pools["enrollment"]


@pytest.mark.parametrize(
    ("query", "sittings", "programmes"),
    [
        ("", 1, 1),
        ("words=2026-04-01", 1, 0),
        ("words=TEA", 1, 1),
        ("words=%E8%8C%B6", 1, 1),
        ("words=first", 1, 1),
        ("words=coffee", 0, 0),
        ("window=closed", 1, 1),
        ("window=open", 0, 1),
    ],
)
async def test_sittings_and_programmes_are_found(
    site: Site, query: str, sittings: int, programmes: int
) -> None:
    shown = await look(site, f"{STAFF}/catalogue?{query}")
    assert shown.count(f'href="{SITTING}"') == sittings
    assert shown.count(f'href="{STAFF}/programmes/tea-2026"') == programmes


async def test_a_programme_is_added_with_all_that_belongs_to_it(site: Site, pool: Pool) -> None:
    await catalogues.load(pool, catalogues.shipped())
    before = len(await acts(pool))
    new = {"code": "ink-2027", "like": "hakka-115"}
    shown = await send(site, f"{STAFF}/programmes/new", **PROGRAMME, **new)
    assert "A new one" in shown
    level = f"{STAFF}/programmes/ink-2027/levels"
    await send(site, f"{level}/new", code="only", position="1", **NAMES)
    series = {"code": "all", "position": "1", "submit_within_days": "5", "one_only": "yes"}
    await send(site, f"{level}/only/series/new", **series, **NAMES)
    sitting = NEW | {"code": "ink-1", "areas": "south", "dialects": []}
    shown = await send(site, f"{level}/only/series/all/sittings/new", **sitting)
    assert "Sunday 6 June 2027" in shown
    assert "Thursday 1 April 2027 at 00:00" in shown
    assert "Friday 30 April 2027 at 23:59" in shown
    assert "Thursday 20 May 2027 at 09:00" in shown
    assert (await acts(pool))[before:] == [
        "programme_added",
        "level_added",
        "series_added",
        "sitting_added",
        "areas_offered",
    ]
    public = await look(site, "/enrollment/sittings/ink-1")
    assert "NT$100" in public
    assert "Front of your identity document" in public, "taken over from the other programme"


async def test_what_is_changed_is_seen_and_on_record(site: Site, pool: Pool) -> None:
    before = len(await acts(pool))
    programme = PROGRAMME | {
        "areas": "shore | 海 | Sea\nhill | 山 | Hill",
        "dialects": "oolong | 烏龍 | Oolong",
    }
    assert "A new one" in await send(site, f"{STAFF}/programmes/tea-2026", **programme)
    level = f"{STAFF}/programmes/tea-2026/levels/first/details"
    assert "A new one" in await send(site, level, position="3", **NAMES)
    shown = await send(site, SERIES, position="1", absence_bars="yes", **NAMES)
    assert "Who is absent may enter no later sitting" in shown
    shown = await send(site, f"{SITTING}/details", **DETAILS)
    assert "Sunday 6 June 2027" in shown
    shown = await send(site, f"{SITTING}/window", **WINDOW)
    assert "Friday 30 April 2027 at 23:59" in shown
    assert (await acts(pool))[before:] == [
        "programme_changed",
        "level_changed",
        "series_changed",
        "sitting_changed",
        "sitting_changed",
    ]
    report = await catalogues.load(pool)
    assert len(report.kept) == 4, "and no file undoes it"


async def test_a_form_shows_what_is_so_and_changes_nothing_by_being_sent_back(
    site: Site, pool: Pool
) -> None:
    paths = [
        f"{STAFF}/programmes/tea-2026",
        f"{STAFF}/programmes/tea-2026/levels/first/details",
        SERIES,
        f"{SITTING}/details",
        f"{SITTING}/window",
        f"{SITTING}/places/hill",
    ]
    tables = ("programmes", "level_groups", "series", "sittings", "places")
    before = await catalogues.everything(pool)
    for path in paths:
        shown = (await look(site, path)).partition("<main")[2]
        fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*type="text" value="([^"]*)"', shown)
        fields += [("seen", await seen(site, path))]
        fields += re.findall(r'name="([^"]+)" type="checkbox" value="([^"]*)" checked', shown)
        lines = r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)'
        fields += re.findall(lines, await (await site.client.get(path)).text())
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', shown):
            fields += [(name, v) for v in re.findall(r'value="([^"]*)" selected', options)]
        form: dict[str, Any] = {}
        for name, value in fields:
            form.setdefault(name, []).append(value)
        answer = await site.post(path, **form)
        assert answer.status == 303, (path, form)
    after = await catalogues.everything(pool)
    for table in tables:
        for old, new in zip(before[table], after[table], strict=True):
            assert {**old, "edited_at": None} == {**new, "edited_at": None}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"code": ""}, {"code": "Enter a code"}),
        (
            {"code": "Tea 1"},
            {"code": "A code is made of small letters, digits and hyphens, at most 60"},
        ),
        (
            {"code": "tea-2026-first-1"},
            {"code": TAKEN},
        ),
        (
            {"number": "1"},
            {"code": TAKEN},
        ),
        ({"number": "0"}, {"number": "Enter a number up to 1000"}),
        ({"title_en": " "}, {"title_en": "Enter the English name"}),
        (day("exam_date", "2027-02-30"), {"exam_date": "There is no such day"}),
        (day("exam_date", "--"), {"exam_date": "Enter the day of the exam"}),
        (
            day("exam_date", "2027-04-30"),
            {
                "closes_on": "Registration must end before the exam",
                "tickets_on": "This day must lie before the exam",
            },
        ),
        (day("closes_on", "2027-03-31"), {"closes_on": "Registration cannot end before it begins"}),
        (day("results_on", "2027-06-06"), {"results_on": "Results must come after the exam"}),
        (
            day("certificates_on", "2027-06-30"),
            {"certificates_on": "Certificates cannot come before the results"},
        ),
        (day("materials_on", "2027-06-06"), {"materials_on": "This day must lie before the exam"}),
        ({"areas": []}, {"areas": "Choose at least one area"}),
        ({"areas": ["moon"]}, {"areas": "Choose from these"}),
        ({"dialects": ["moon"]}, {"dialects": "Choose from these"}),
        ({"methods": ["gold"]}, {"methods": "Choose from these"}),
    ],
    ids=str,
)
async def test_a_sitting_that_cannot_be_says_why_at_its_field(
    site: Site, pool: Pool, changed: dict[str, Any], wrong: dict[str, str]
) -> None:
    before = await catalogues.everything(pool)
    assert await errors(site, f"{SERIES}/sittings/new", **(NEW | changed)) == wrong
    assert await catalogues.everything(pool) == before


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"zone": "Taipei"}, {"zone": "Enter a time zone such as Asia/Taipei"}),
        ({"year": "115"}, {"year": "Enter a year such as 2026"}),
        ({"publish_time": "nine"}, {"publish_time": "Enter an hour such as 09:00"}),
        ({"fee_twd": "250.5"}, {"fee_twd": "Enter the fee as a whole number of dollars"}),
        (
            {"fee_rule": "free_to_birthday"},
            {"fee_free_to_birthday": "Enter up to which birthday the exam is free"},
        ),
        ({"areas": "north"}, {"areas": "Write one a line: code | Chinese name | English name"}),
        ({"areas": "a|b|c\na|b|c"}, {"areas": "A code is there twice"}),
        (
            {"code": "tea-2026"},
            {"code": TAKEN},
        ),
    ],
    ids=str,
)
async def test_a_programme_that_cannot_be_says_why_at_its_field(
    site: Site, changed: dict[str, str], wrong: dict[str, str]
) -> None:
    form = {"code": "new", **PROGRAMME} | changed
    assert await errors(site, f"{STAFF}/programmes/new", **form) == wrong


async def test_an_area_that_a_sitting_uses_cannot_be_removed(site: Site) -> None:
    path = f"{STAFF}/programmes/tea-2026"
    form = PROGRAMME | {"areas": "hill | 山 | Hill", "dialects": "oolong | 烏龍 | Oolong"}
    assert "areas" in await errors(site, path, **form)
    form = PROGRAMME | {"areas": "hill | 山 | Hill\nshore | 海 | Sea"}
    assert "areas" in await errors(site, path, **form), "nor a dialect"


async def test_a_number_of_its_series_is_given_once(site: Site) -> None:
    await send(site, f"{SERIES}/sittings/new", **NEW)
    other = f"{STAFF}/sittings/tea-2026-first-2/details"
    assert await errors(site, other, **(DETAILS | {"number": "1"})) == {"number": TAKEN}


@pytest.mark.parametrize(
    "path",
    [
        f"{STAFF}/programmes/none",
        f"{STAFF}/programmes/none/levels/new",
        f"{STAFF}/programmes/tea-2026/levels/none",
        f"{STAFF}/programmes/tea-2026/levels/none/series/new",
        f"{STAFF}/programmes/tea-2026/levels/first/series/none",
        f"{STAFF}/programmes/tea-2026/levels/first/series/none/sittings/new",
        f"{STAFF}/sittings/none",
        f"{STAFF}/sittings/none/details",
        f"{SITTING}/places/none",
    ],
)
async def test_what_does_not_exist_is_not_found(site: Site, path: str) -> None:
    assert (await site.client.get(path)).status == 404
    if not path.endswith(("sittings/none", "levels/none")):
        assert (await site.post(path, **NEW)).status == 404
