"""Importing scores: looked at first, imported once, replaceable until they are approved."""

from datetime import timedelta

import pytest

from services.scoring import score_files, scores, sittings
from services.scoring.releases import ResultsApproved
from services.scoring.schedule import FILES_KEPT_FOR, forget_files
from services.scoring.score_files import NoSuchFile, NothingToImport
from shared.db import Pool, transaction
from tests.scoring.world import (
    BASIC,
    COLLEAGUE,
    EXAMINER,
    NOW,
    approve,
    enter,
    entered,
    entry_id,
    hear,
    id_number,
    import_,
    look_at,
    scored,
    table,
)


async def list_scores(pool: Pool) -> dict[int, object]:
    async with transaction(pool) as tx:
        found = await scores.list_(tx, sitting=BASIC)
    return {n: found[entry_id(n)] for n in range(10) if entry_id(n) in found}


async def test_looking_at_a_file_changes_nothing(pool: Pool) -> None:
    await enter(pool, 2)
    file_id = await look_at(pool, table(scored(0), scored(1, ("31", "1", "1"))))
    async with transaction(pool) as tx:
        file = await score_files.load(tx, file_id=file_id)
        report = await score_files.judge(tx, file=file, sitting=await sittings.load(tx, code=BASIC))
    assert report.counts() == {"new": 1, "wrong": 1}
    assert await list_scores(pool) == {}


async def test_the_good_rows_are_imported_and_the_others_left_out(pool: Pool) -> None:
    await enter(pool, 2)
    assert await import_(pool, table(scored(0), scored(1, ("31", "1", "1")))) == 1
    assert list(await list_scores(pool)) == [0]


BY_NUMBER = ("candidate_number", "listening", "speaking", "reading")
BOTH = ("id_number", *BY_NUMBER)


async def enter_at_two_centres(pool: Pool) -> None:
    """Every centre numbers its candidates from 0001."""
    for number, centre in enumerate(["TW123", "TW456"]):
        at_centre = {"candidate_number": "0001", "centre_number": centre, "centre_name": centre}
        nobodys = {"account_id": None, "registration_id": None}
        await hear(pool, entered(number, **at_centre, **nobodys))


@pytest.mark.parametrize("headings", [BY_NUMBER, BOTH])
async def test_a_number_that_two_centres_gave_is_nobodys_alone(
    pool: Pool, headings: tuple[str, ...]
) -> None:
    await enter_at_two_centres(pool)
    row = [*([""] if headings == BOTH else []), "0001", "25", "40", "15"]
    with pytest.raises(NothingToImport):
        await import_(pool, table(row, headings=headings))
    assert await list_scores(pool) == {}


async def test_with_id_numbers_each_of_two_centres_candidates_has_their_own_scores(
    pool: Pool,
) -> None:
    await enter_at_two_centres(pool)
    rows = [[id_number(0), "0001", "25", "40", "15"], [id_number(1), "1", "26", "41", "16"]]
    assert await import_(pool, table(*rows, headings=BOTH)) == 2
    found = await list_scores(pool)
    assert len(found) == 2
    assert found[0] != found[1]


async def test_a_row_whose_numbers_are_of_two_people_is_nobodys(pool: Pool) -> None:
    await enter(pool, 2)
    with pytest.raises(NothingToImport):
        await import_(pool, table([id_number(0), "R-00001", "25", "40", "15"], headings=BOTH))


async def test_a_second_click_imports_nothing_more(pool: Pool) -> None:
    await enter(pool, 2)
    file_id = await look_at(pool, table(scored(0), scored(1)))
    for _ in range(2):
        async with transaction(pool) as tx:
            count = await score_files.import_(tx, file_id=file_id, actor=EXAMINER, now=NOW)
        assert count == 2
    acts = await pool.fetchval("SELECT count(*) FROM audit_lines WHERE act = 'scores_imported'")
    assert acts == 1


async def test_the_same_file_again_has_nothing_to_import(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0), scored(1)))
    with pytest.raises(NothingToImport):
        await import_(pool, table(scored(0), scored(1)))


async def test_scores_are_replaced_until_they_are_approved(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0), scored(1)))
    assert await import_(pool, table(scored(0, ("26", "40", "15")), scored(1))) == 1
    found = await list_scores(pool)
    assert found[0] != found[1]
    waiting = await look_at(pool, table(scored(0, ("27", "40", "15"))))
    await approve(pool)
    with pytest.raises(ResultsApproved):
        await look_at(pool, table(scored(0, ("27", "40", "15"))))
    with pytest.raises(ResultsApproved):
        async with transaction(pool) as tx:
            await score_files.import_(tx, file_id=waiting, actor=EXAMINER, now=NOW)
    assert await list_scores(pool) == found


async def test_a_file_is_judged_once_more_when_it_is_imported(pool: Pool) -> None:
    await enter(pool, 2)
    file_id = await look_at(pool, table(scored(0), scored(1)))
    gone = entered(1, is_cancelled=True, recorded_at=NOW)
    await hear(pool, gone)
    async with transaction(pool) as tx:
        assert await score_files.import_(tx, file_id=file_id, actor=EXAMINER, now=NOW) == 1


async def test_it_is_kept_who_imported_what(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0)))
    await import_(pool, table(scored(1)), actor=COLLEAGUE)
    async with transaction(pool) as tx:
        files = await score_files.list_(tx, sitting=BASIC, limit=10)
    assert {file.imported_by for file in files} == {EXAMINER, COLLEAGUE}
    rows = await pool.fetch("SELECT entry_id, entered_by FROM scores")
    assert {row["entry_id"]: row["entered_by"] for row in rows} == {
        entry_id(0): EXAMINER,
        entry_id(1): COLLEAGUE,
    }


async def test_files_that_nobody_imported_are_forgotten_and_the_others_kept(pool: Pool) -> None:
    await enter(pool, 2)
    await import_(pool, table(scored(0)))
    unused = await look_at(pool, table(scored(1)))
    assert await forget_files(pool, NOW + FILES_KEPT_FOR - timedelta(hours=1)) == 0
    assert await forget_files(pool, NOW + FILES_KEPT_FOR + timedelta(hours=1)) == 1
    async with transaction(pool) as tx:
        assert len(await score_files.list_(tx, sitting=BASIC, limit=10)) == 1
        with pytest.raises(NoSuchFile):
            await score_files.load(tx, file_id=unused)
