"""Loading a catalogue: what a file says becomes so, except where a registrar said otherwise."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.enrollment import catalogue_files, levels, places, programmes, sittings
from services.enrollment.changes import ChangedMeanwhile, CodeTaken
from services.enrollment.places import MoreAreTaken
from shared.db import Pool, transaction
from shared.events.enrollment import ExamMoved
from shared.toml_file import Faulty
from tests.enrollment import catalogues
from tests.enrollment.catalogues import NOW, SMALL, everything, load
from tests.enrollment.life import events

SITTING = "tea-2026-first-1"
CODES = ["hakka-115", "cambridge-english"]
NAMED = 'titles = { zh-Hant-TW = "茶藝認證"'
SITTINGS = "level_groups.0.series.0.sittings.0"


@pytest.mark.parametrize("text", [SMALL, *map(catalogues.shipped, CODES)])
async def test_loading_twice_changes_nothing(empty: Pool, text: str) -> None:
    first = await load(empty, text)
    before = await everything(empty)
    again = await load(empty, text)
    assert await everything(empty) == before
    assert first.added > 0
    assert (again.added, again.changed, again.kept) == (0, 0, [])


async def test_what_a_file_says_later_becomes_so_and_is_on_record(empty: Pool) -> None:
    await load(empty)
    text = SMALL.replace("2026-04-01", "2026-04-08").replace("amount_twd = 300", "amount_twd = 350")
    report = await load(empty, text.replace("hill = 5", "hill = 6, shore = 1"))
    assert (report.added, report.changed) == (0, 2)
    async with transaction(empty) as tx:
        assert (await sittings.load(tx, code=SITTING)).exam_date.day == 8
        assert (await programmes.load(tx, code="tea-2026")).fee_twd == 350
        held = {p.area: p.capacity for p in await places.list_(tx, sittings=[SITTING])}
    assert held == {"hill": 6, "shore": 1}
    lines = await empty.fetch(
        "SELECT act, subject, details FROM audit_lines ORDER BY id DESC LIMIT 3"
    )
    assert [tuple(line.values()) for line in reversed(lines)] == [
        ("programme_changed", "programme tea-2026", {"fee_twd": 350}),
        ("sitting_changed", f"sitting {SITTING}", {"exam_date": "2026-04-08"}),
        ("areas_offered", f"sitting {SITTING}", {"capacities": {"hill": 6, "shore": 1}}),
    ]


async def test_an_exam_that_is_moved_is_told_once(empty: Pool) -> None:
    await load(empty)
    for _ in range(2):
        await load(empty, SMALL.replace("2026-04-01", "2026-04-08"))
    await load(empty, SMALL.replace("2026-04-01", "2026-04-08").replace("= 300", "= 350"))
    async with transaction(empty) as tx:
        old = await sittings.load(tx, code=SITTING)
        postponed = replace(old, exam_date=date(2026, 4, 9), edited_at=NOW)
        await sittings.change(tx, old=old, new=postponed, actor="registrar")
        renumbered = replace(postponed, number=7)
        await sittings.change(tx, old=postponed, new=renumbered, actor="registrar")
    first, second = [told for told in await events(empty) if isinstance(told, ExamMoved)]
    assert (first.sitting, first.exam_date) == (SITTING, date(2026, 4, 8))
    assert (second.sitting, second.exam_date) == (SITTING, date(2026, 4, 9))
    assert first.moved_at < second.moved_at


async def test_what_a_registrar_changed_stays_and_is_named(empty: Pool) -> None:
    await load(empty)
    async with transaction(empty) as tx:
        old = await sittings.load(tx, code=SITTING)
        new = replace(old, number=7, edited_at=NOW)
        await sittings.change(tx, old=old, new=new, actor="registrar")
        level = await levels.load(tx, programme="tea-2026", code="first")
        renamed = replace(level, titles={**level.titles, "en": "Beginners"}, edited_at=NOW)
        await levels.change(tx, old=level, new=renamed, actor="registrar")
        await places.change_capacity(
            tx, sitting=SITTING, area="hill", capacity=None, actor="registrar", now=NOW
        )
    report = await load(empty, SMALL.replace("capacity = { hill = 5 }", "capacity = { shore = 9 }"))
    assert report.kept == ["level tea-2026/first", f"sitting {SITTING}"]
    async with transaction(empty) as tx:
        assert (await sittings.load(tx, code=SITTING)).number == 7
        held = {p.area: p.capacity for p in await places.list_(tx, sittings=[SITTING])}
    assert held == {"hill": None, "shore": 9}


async def test_what_is_no_longer_in_a_file_stays(empty: Pool) -> None:
    await load(empty)
    begin = SMALL.index("[[level_groups.series.sittings]]")
    report = await load(empty, SMALL[:begin])
    assert (report.added, report.changed) == (0, 0)
    async with transaction(empty) as tx:
        assert await sittings.find(tx, code=SITTING)


async def test_a_file_cannot_offer_fewer_places_than_are_taken(empty: Pool) -> None:
    await load(empty)
    async with transaction(empty) as tx:
        await places.take(tx, wanted={(SITTING, "hill"): 4})
    before = await everything(empty)
    text = SMALL.replace("hill = 5", "hill = 3").replace("amount_twd = 300", "amount_twd = 1")
    line = text[: text.index("capacity =")].count("\n") + 1
    with pytest.raises(Faulty) as raised:
        await load(empty, text)
    [fault] = raised.value.faults
    assert str(fault).startswith(f"tea.toml:{line}: {SITTINGS}.capacity.hill: More")
    assert await everything(empty) == before, "all or nothing"


async def test_two_sittings_of_one_code_or_number_are_told_with_their_lines(empty: Pool) -> None:
    sitting = SMALL[SMALL.index("[[level_groups.series.sittings]]") :]
    other = sitting.replace("number = 1", "number = 2")
    with pytest.raises(Faulty, match=rf"tea\.toml:{SMALL.count(chr(10)) + 2}: .*sittings\.1\.code"):
        await load(empty, SMALL + other)
    await load(empty)
    third = SMALL.replace(SITTING, "another-code")
    with pytest.raises(Faulty, match=r"sittings\.0\.code: There is one with this code or number"):
        await load(empty, third)


async def test_the_code_of_another_programmes_sitting_is_taken(empty: Pool) -> None:
    await load(empty)
    with pytest.raises(Faulty, match=r"sittings\.0\.code"):
        await load(empty, SMALL.replace('code = "tea-2026"\n', 'code = "tea-2027"\n'))


@pytest.mark.parametrize(
    ("old", "new", "at", "wrong"),
    [
        ("Asia/Taipei", "Asia/Taipeh", "zone", "zone: Asia/Taipeh is no time zone"),
        (', en = "Tea" }', "}", NAMED, "titles: en is missing"),
        ('"Tea"', '"Tea", fr = "Thé"', NAMED, "titles: fr is no language of this site"),
        ('"shore"', '"hill"', "areas", "areas: hill is there twice"),
        (
            "hill = 5",
            "lake = 5",
            "capacity",
            f"{SITTINGS}.capacity.lake: The programme's areas do not contain lake",
        ),
        (
            "hill = 5",
            "hill = -5",
            "capacity",
            f"{SITTINGS}.capacity.hill: Input should be greater than or equal to 0",
        ),
        ("02-01", "03-01", "closes_on", f"{SITTINGS}.closes_on: Registration cannot end"),
        ("03-20", "04-01", "tickets_on", f"{SITTINGS}.tickets_on: This day must lie before"),
        ("05-01", "04-01", "results_on", f"{SITTINGS}.results_on: Results must come after"),
        ("closes_on", "closes", "closes", f"{SITTINGS}.closes: There is no such field"),
        (
            "closes_on = 2026-02-28",
            "",
            "[[level_groups.series.sittings]]",
            f"{SITTINGS}.closes_on: Field required",
        ),
        ('"flat"', '"free_to_birthday"', "fee", "fee.birthday: The rule free_to_birthday has a"),
        ('["atm"]', '["gold"]', "methods", "level_groups.0.series.0.methods.0: Input should be"),
        ('"first"', '"First!"', 'code = "First', "level_groups.0.code: String should match"),
        (
            "2026-04-01",
            '"soon"',
            "exam_date",
            f"{SITTINGS}.exam_date: Input should be a valid date",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    old: str, new: str, at: str, wrong: str
) -> None:
    text = SMALL.replace(old, new)
    [line] = [n for n, words in enumerate(text.splitlines(), 1) if words.startswith(at)]
    with pytest.raises(Faulty) as raised:
        catalogue_files.read(text, name="tea.toml")
    assert f"tea.toml:{line}: {wrong}" in str(raised.value)


def test_all_that_is_wrong_in_a_file_is_told_at_once() -> None:
    text = SMALL.replace("Asia/Taipei", "?").replace('"atm"', '"gold"').replace("year = 2026\n", "")
    with pytest.raises(Faulty) as raised:
        catalogue_files.read(text, name="tea.toml")
    fields = ["year", "zone", "level_groups.0.series.0.methods.0"]
    assert [fault.field for fault in raised.value.faults] == fields


async def test_two_who_change_the_same_do_not_undo_each_other(empty: Pool) -> None:
    await load(empty)
    async with transaction(empty) as tx:
        old = await sittings.load(tx, code=SITTING)
        programme = await programmes.load(tx, code="tea-2026")
        level = await levels.load(tx, programme="tea-2026", code="first")
        await sittings.change(tx, old=old, new=replace(old, edited_at=NOW), actor="one")
        await programmes.change(
            tx, old=programme, new=replace(programme, edited_at=NOW), actor="one"
        )
        await levels.change(tx, old=level, new=replace(level, edited_at=NOW), actor="one")
        later = datetime(2026, 1, 2, tzinfo=UTC)
        with pytest.raises(ChangedMeanwhile):
            await sittings.change(tx, old=old, new=replace(old, edited_at=later), actor="other")
        with pytest.raises(ChangedMeanwhile):
            await programmes.change(
                tx, old=programme, new=replace(programme, edited_at=later), actor="other"
            )
        with pytest.raises(ChangedMeanwhile):
            await levels.change(tx, old=level, new=replace(level, edited_at=later), actor="other")


async def test_a_capacity_is_never_below_what_is_taken(empty: Pool) -> None:
    await load(empty)
    async with transaction(empty) as tx:
        await places.take(tx, wanted={(SITTING, "hill"): 4, (SITTING, "shore"): 9})

        async def change(area: str, capacity: int | None) -> int | None:
            place = await places.change_capacity(
                tx, sitting=SITTING, area=area, capacity=capacity, actor="registrar", now=NOW
            )
            return place.left

        for area, capacity in (("hill", 3), ("shore", 8), ("shore", 0)):
            with pytest.raises(MoreAreTaken):
                await change(area, capacity)
        assert await change("hill", 4) == 0
        assert await change("shore", 20) == 11
        assert await change("shore", None) is None


async def test_codes_are_taken_once(empty: Pool) -> None:
    await load(empty)
    async with transaction(empty) as tx:
        programme = await programmes.load(tx, code="tea-2026")
        with pytest.raises(CodeTaken):
            await programmes.add(tx, programme=programme, actor="registrar")
        level = await levels.load(tx, programme="tea-2026", code="first")
        with pytest.raises(CodeTaken):
            await levels.add(tx, level=level, actor="registrar")


@pytest.mark.parametrize("removed", ["shore", "oolong"])
async def test_a_file_cannot_take_away_what_a_sitting_uses(empty: Pool, removed: str) -> None:
    await load(empty)
    text = SMALL.replace(f'"{removed}"', '"elsewhere"').replace(
        "capacity = { hill = 5 }", 'areas = ["hill"]'
    )
    with pytest.raises(Faulty, match=r"tea\.toml:\d+: areas: A sitting still uses"):
        await load(empty, text)
