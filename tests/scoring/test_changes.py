"""All changes since the computation before are taken away as a table, by whoever may see them."""

import pytest

from services.scoring import drafts
from services.scoring.staff import changes
from shared import table_file
from shared.db import transaction
from tests.scoring.office import PREVIEW, Office
from tests.scoring.world import compute, id_number, scored

EXPORTS = f"{PREVIEW}/changes/exports"


async def change_two(office: Office) -> None:
    """Two of three: one result becomes another, and one comes to be."""
    pool = office.site.pools["scoring"]
    await office.score(scored(0), scored(1))
    await compute(pool)
    await office.score(scored(0, ("11", "40", "15")), scored(1), [id_number(2), "", "", "", "yes"])
    await compute(pool)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_all_changes_are_in_the_file_and_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(changes, "READ_AT_ONCE", 1)
    await change_two(office)
    assert EXPORTS in await office.see("examiner", PREVIEW)
    answer = await office.ask("releaser", "POST", EXPORTS, {"format": form})
    assert f"changes-hakka-115-basic-m01.{form}" in answer.headers["Content-Disposition"]
    header, *rows = table_file.read(await answer.read())
    assert header == [
        *("Candidate number", "ID number", "Name"),
        *("Before", "Score before", "Now", "Score now"),
        "Papers and breaches that change, before",
        "Papers and breaches that change, now",
    ]
    assert [[*row, *[""] * (9 - len(row))] for row in rows] == [
        [
            *("R-00000", id_number(0), "考生0", "Elementary", "80", "Basic", "66"),
            *("Listening: 25", "Listening: 11"),
        ],
        ["R-00002", id_number(2), "考生2", "none", "", "Absent", "", "", ""],
    ]


async def test_what_is_computed_while_changes_are_read_is_not_seen(office: Office) -> None:
    await change_two(office)
    pool = office.site.pools["scoring"]
    async with transaction(pool) as tx:
        pages = drafts.list_changes(tx, sitting="hakka-115-basic-m01", at_once=1)
        read = await anext(pages)
        await compute(pool)  # after this nothing has changed any more
        read += [draft async for page in pages for draft in page]
    assert [draft.candidate_number for draft in read] == ["R-00000", "R-00002"]
    assert await pool.fetchval("SELECT count(*) FROM drafts WHERE outcome <> before") == 0


async def test_who_may_not_see_results_takes_none_away_and_taking_is_noted(office: Office) -> None:
    await change_two(office)
    answer = await office.ask("administrator", "POST", EXPORTS)
    assert answer.status == 403
    lines = "SELECT actor, details FROM audit_lines WHERE act = 'changes_exported'"
    pool = office.site.pools["scoring"]
    assert await pool.fetch(lines) == []
    assert (await office.ask("examiner", "POST", EXPORTS)).status == 200
    [row] = await pool.fetch(lines)
    assert (row["actor"], row["details"]["count"]) == (str(office.accounts["examiner"]), 2)
