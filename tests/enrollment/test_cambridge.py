"""The shipped catalogue of Cambridge English: its exams, papers and sittings."""

import tomllib
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

from services.enrollment import catalogue_files, levels, sittings
from shared.db import Pool, transaction
from tests.enrollment import catalogues
from tests.enrollment.registrars import Registrar
from tests.site import Site

FILE = catalogue_files.read(catalogues.shipped("cambridge-english"), name="cambridge-english.toml")
ROOT = Path(__file__).parents[2]
LAYOUT = tomllib.loads(
    (ROOT / "services/scoring/rules/layouts/cambridge-english.v1.toml").read_text()
)
LONDON = ZoneInfo("Europe/London")


def test_every_exam_that_is_entered_can_be_scored_and_the_other_way_round() -> None:
    assert {level.code for level in FILE.catalogue.level_groups} == set(LAYOUT["exams"])
    assert len(LAYOUT["exams"]) == 7


def test_what_is_sat_is_what_is_scored() -> None:
    for level in FILE.catalogue.level_groups:
        scored = set(LAYOUT["exams"][level.code].get("papers", {}))
        assert level.papers
        if not scored:  # Delta Module One has a grade alone
            continue
        sat: set[str] = set()
        for paper in level.papers:
            # Two skills may be sat together and scored apart.
            parts = {paper.code} if paper.code in scored else {*paper.code.split("-and-")}
            assert parts <= scored, paper.code
            sat |= parts
        assert sat == scored, level.code


def test_papers_come_one_after_the_other() -> None:
    for level in FILE.catalogue.level_groups:
        hours = [paper.starts_at for paper in level.papers]
        assert hours == sorted(set(hours))


async def test_results_are_promised_for_nine_in_london(empty: Pool) -> None:
    await catalogues.load(empty, catalogues.shipped("cambridge-english"))
    async with transaction(empty) as tx:
        known = await sittings.list_(tx)
        found = await levels.load(tx, programme="cambridge-english", code="b2-first")
    assert {one.level_group for one in known} == set(LAYOUT["exams"])
    for one in known:
        local = one.results_at.astimezone(LONDON)
        assert (local.time(), local.date() > one.exam_date) == (time(9), True)
    first, *_ = found.papers
    assert (first.code, first.starts_at) == ("reading-and-use-of-english", "09:00")


async def test_loading_it_again_changes_nothing(empty: Pool) -> None:
    await catalogues.load(empty, catalogues.shipped("cambridge-english"))
    report = await catalogues.load(empty, catalogues.shipped("cambridge-english"))
    assert (report.added, report.changed, report.kept) == (0, 0, [])


async def test_a_registrar_adds_a_sitting_without_areas_or_ways_to_pay(office: Site) -> None:
    pool = office.pools["enrollment"]
    await catalogues.load(pool, catalogues.shipped("cambridge-english"))
    registrar = await Registrar.arrive(office)
    page = "/programmes/cambridge-english/levels/b2-first/series/paper-based/sittings/new"
    shown = await registrar.read(page)
    assert 'name="areas"' not in shown
    assert 'name="methods"' not in shown
    days = {
        "exam_date": "2027-03-20",
        "tickets_on": "2027-03-06",
        "results_on": "2027-04-30",
        "opens_on": "2026-11-01",
        "closes_on": "2027-02-10",
    }
    typed = {"code": "b2-first-2027-03", "number": "3", "title_zh": "三月", "title_en": "March"}
    for name, day in days.items():
        for part, text in zip(("year", "month", "day"), day.split("-"), strict=True):
            typed[f"{name}-{part}"] = text
    made = await registrar.post(page, typed)
    assert made.status == 303, await made.text()
    sitting = await registrar.read("/sittings/b2-first-2027-03")
    assert "Exam centres enter candidates for this sitting." in sitting
    assert 'id="places"' not in sitting
    changed = await registrar.read("/sittings/b2-first-2027-03/details")
    assert 'name="methods"' not in changed
    async with transaction(pool) as tx:
        one = await sittings.load(tx, code="b2-first-2027-03")
    assert one.results_at.astimezone(LONDON).hour == 9


async def test_a_level_that_is_renamed_keeps_its_papers(office: Site) -> None:
    pool = office.pools["enrollment"]
    await catalogues.load(pool, catalogues.shipped("cambridge-english"))
    registrar = await Registrar.arrive(office)
    page = "/programmes/cambridge-english/levels/b2-first"
    assert "09:00 Reading and Use of English" in await registrar.read(page)
    typed = {"title_zh": "第一", "title_en": "First", "position": "4", "seen": ""}
    assert (await registrar.post(f"{page}/details", typed)).status == 303
    assert "09:00 Reading and Use of English" in await registrar.read(page)
