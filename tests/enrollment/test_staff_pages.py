"""What registrars do with programmes, levels, sittings, windows and places."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.enrollment import places
from shared.auth import Role
from shared.db import Pool, transaction
from tests.conftest import MakeDatabase
from tests.enrollment import catalogues
from tests.site import FROM_OUR_PAGE, Site, open_site

STAFF = "/enrollment/staff"
SITTING = f"{STAFF}/sittings/tea-2026-first-1"
SERIES = f"{STAFF}/programmes/tea-2026/levels/first/series/national"
NOW = datetime.now(UTC)
TAKEN = "There is one with this code or number already. Choose another."
NAMES = {"title_zh": "新的", "title_en": "A new one"}


def day(name: str, text: str) -> dict[str, str]:
    return dict(zip((f"{name}-year", f"{name}-month", f"{name}-day"), text.split("-"), strict=True))


DETAILS: dict[str, Any] = {
    **NAMES,
    "number": "2",
    **day("exam_date", "2027-06-06"),
    **day("tickets_on", "2027-05-20"),
    **day("results_on", "2027-07-01"),
    "methods": ["atm", "card"],
    "dialects": ["oolong"],
}
WINDOW = {**day("opens_on", "2027-04-01"), **day("closes_on", "2027-04-30")}
NEW: dict[str, Any] = {"code": "tea-2026-first-2", "areas": ["hill", "shore"], **DETAILS, **WINDOW}
PROGRAMME = {
    **NAMES,
    "zone": "Asia/Taipei",
    "year": "2027",
    "publish_time": "09:00",
    "entry": "candidate",
    "fee_rule": "flat",
    "fee_twd": "100",
    "areas": "north | 北 | North\nsouth | 南 | South\n",
}


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "enrollment") as site:
        await catalogues.load(site.pools["enrollment"])
        _, cookie = await site.begin_session(Role.REGISTRAR)
        headers = {**cookie, **FROM_OUR_PAGE, "Accept-Language": "en"}
        site.client.session.headers.update(headers)
        yield site


async def look(site: Site, path: str) -> str:
    answer = await site.client.get(path)
    assert answer.status == 200, path
    return " ".join((await answer.text()).split())


async def send(site: Site, path: str, **form: Any) -> str:
    """Send a form that is accepted; return what the page says that it leads to."""
    if not path.endswith("/new"):
        form = {"seen": await seen(site, path), **form}
    answer = await site.post(path, **form)
    assert answer.status == 303, await errors(site, path, **form)
    return await look(site, answer.headers["Location"])


async def seen(site: Site, path: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', await look(site, path))
    assert found
    return found[1]


async def errors(site: Site, path: str, **form: Any) -> dict[str, str]:
    """Send a form that is refused; return what stands at its fields."""
    if not path.endswith("/new"):
        form = {"seen": await seen(site, path), **form}
    answer = await site.post(path, **form)
    assert answer.status == 422
    shown = " ".join((await answer.text()).split())
    assert "<title>Error: " in shown
    found = re.findall(
        r'<p id="(\w+)-error" class="govuk-error-message"> <span[^>]*>Error:</span> ([^<]*?) ?</p>',
        shown,
    )
    for name, sentence in found:
        assert f">{sentence}</a>" in shown, "the summary says the same"
        assert re.search(rf'href="#{name}(-year)?"', shown)
    return dict(found)


async def acts(pool: Pool) -> list[str]:
    return [row["act"] for row in await pool.fetch("SELECT act FROM audit_lines ORDER BY id")]


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


async def test_an_exam_cannot_be_put_before_the_end_of_registration(site: Site) -> None:
    await send(site, f"{SITTING}/details", **DETAILS)
    await send(site, f"{SITTING}/window", **WINDOW)
    early = DETAILS | day("exam_date", "2027-04-30") | day("tickets_on", "2027-04-01")
    wrong = {"exam_date": "Registration must end before the exam"}
    assert await errors(site, f"{SITTING}/details", **early) == wrong
    late = WINDOW | day("closes_on", "2027-06-06")
    wrong = {"closes_on": "Registration must end before the exam"}
    assert await errors(site, f"{SITTING}/window", **late) == wrong


async def test_who_opened_a_form_before_somebody_elses_change_is_told(site: Site) -> None:
    old = await seen(site, f"{SITTING}/window")
    await send(site, f"{SITTING}/details", **DETAILS)
    answer = await site.post(f"{SITTING}/window", seen=old, **WINDOW)
    assert answer.status == 409
    assert "Somebody else changed this" in await answer.text()


@pytest.mark.parametrize(
    ("capacity", "shown"), [("12", "12"), ("7", "7"), ("", "not limited"), (" 8 ", "8")]
)
async def test_a_capacity_is_changed_and_what_is_taken_is_seen(
    site: Site, pool: Pool, capacity: str, shown: str
) -> None:
    async with transaction(pool) as tx:
        await places.take(tx, wanted={("tea-2026-first-1", "shore"): 7})
    assert "shore: 7" in await look(site, f"{SITTING}/places/shore")
    page = await send(site, f"{SITTING}/places/shore", capacity=capacity)
    row = page.partition("Shore</td>")[2]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row)[:2] == [shown, "7"]
    assert (await acts(pool))[-1] == "capacity_changed"


@pytest.mark.parametrize("capacity", ["6", "0", "-1", "1.5", "many", "9999999"])
async def test_a_capacity_that_cannot_be_is_refused_at_its_field(
    site: Site, pool: Pool, capacity: str
) -> None:
    async with transaction(pool) as tx:
        await places.take(tx, wanted={("tea-2026-first-1", "shore"): 7})
    assert "capacity" in await errors(site, f"{SITTING}/places/shore", capacity=capacity)
    assert await pool.fetchval("SELECT capacity FROM places WHERE area = 'shore'") is None


async def test_another_area_is_offered_once_and_holds_nobody_yet(site: Site, pool: Pool) -> None:
    await send(site, f"{SERIES}/sittings/new", **(NEW | {"areas": "hill"}))
    path = f"{STAFF}/sittings/tea-2026-first-2"
    for _ in range(2):
        answer = await site.post(f"{path}/places", area="shore")
        assert answer.headers["Location"] == f"{path}/places/shore"
    await site.post(f"{path}/places", area="hill")
    held = await pool.fetch(
        "SELECT area, capacity FROM places WHERE sitting = 'tea-2026-first-2' ORDER BY area"
    )
    assert [tuple(row.values()) for row in held] == [("hill", None), ("shore", 0)]
    assert (await acts(pool)).count("areas_offered") == 3, "the file's, the form's and this one"
    assert (await site.post(f"{path}/places", area="moon")).status == 404


async def test_a_window_is_opened_and_closed_by_hand_once(site: Site, pool: Pool) -> None:
    tomorrow, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    await pool.execute("UPDATE sittings SET opens_at = $1, closes_at = $2", tomorrow, later)
    before = len(await acts(pool))
    assert "Open registration now" in await look(site, SITTING)
    for way, act in (("openings", "window_opened"), ("closings", "window_closed")):
        for _ in range(2):
            assert (await site.post(f"{SITTING}/{way}")).status == 303
        assert (await acts(pool))[-1] == act
    assert len(await acts(pool)) == before + 2
    assert (await site.post(f"{SITTING}/openings")).status == 303, "what is over stays over"
    row = await pool.fetchrow("SELECT opens_at, closes_at FROM sittings")
    assert row
    assert NOW < row["opens_at"] < row["closes_at"] < tomorrow


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
