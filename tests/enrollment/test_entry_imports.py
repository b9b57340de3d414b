"""Lists of centres: judged row by row, imported at once, and repeated without doubling anybody."""

import asyncio
import io
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from xlsxwriter import Workbook

from services.enrollment import entry_imports, sittings
from services.enrollment.centres import Centre
from services.enrollment.entry_imports import COLUMNS, Judged, NoColumns, Row, TooManyRows
from shared import table_file
from shared.db import Pool, transaction
from tests.enrollment import centres
from tests.enrollment.centres import HEADER, LIN, OTHER_SITTING, SITTING, TAINAN, TAIPEI, WANG, told
from tests.enrollment.world import NOW, VAULT

TITLES = entry_imports.name_columns([COLUMNS])


@pytest.fixture
async def cambridge(empty: Pool) -> Pool:
    await centres.prepare(empty)
    return empty


def read(*rows: Sequence[str], header: Sequence[str] = HEADER) -> list[Row]:
    return entry_imports.read([list(header), *map(list, rows)], titles=TITLES)


async def carry_out(
    pool: Pool,
    *rows: Sequence[str],
    header: Sequence[str] = HEADER,
    centre: Centre = TAIPEI,
    sitting: str = SITTING,
) -> list[Judged]:
    async with transaction(pool) as tx:
        return await entry_imports.carry_out(
            tx,
            centre=centre,
            sitting=await sittings.load(tx, code=sitting),
            rows=read(*rows, header=header),
            vault=VAULT,
            actor="test",
            now=NOW,
        )


def verdicts(judged: Sequence[Judged]) -> list[str]:
    return [one.verdict for one in judged]


async def test_a_list_imported_twice_enters_nobody_twice(cambridge: Pool) -> None:
    assert verdicts(await carry_out(cambridge, WANG, LIN)) == ["new", "new"]
    before = await cambridge.fetch("SELECT * FROM entries ORDER BY id")
    await told(cambridge)
    assert verdicts(await carry_out(cambridge, WANG, LIN)) == ["unchanged", "unchanged"]
    assert await cambridge.fetch("SELECT * FROM entries ORDER BY id") == before
    assert await told(cambridge) == []


async def test_a_corrected_name_changes_the_entry_and_nothing_else(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG, LIN)
    before = {event.candidate_number: event for event in await told(cambridge)}
    corrected = ("0001", "王大統", *WANG[2:])
    assert verdicts(await carry_out(cambridge, corrected, LIN)) == ["changed", "unchanged"]
    [event] = await told(cambridge)
    assert event.person_name == "王大統"
    assert event.entry_id == before["0001"].entry_id
    assert event.secret_digest == before["0001"].secret_digest
    assert event.recorded_at > before["0001"].recorded_at
    what = await cambridge.fetchval("SELECT details FROM audit_lines WHERE act = 'entry_changed'")
    assert what == {"what": ["person_name"]}, "the log holds no names"


async def test_a_column_that_is_left_out_changes_nothing(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG)
    short = ("1", "王大同", "2012-04-21")
    header = ("Candidate number", "Name", "Date of birth")
    assert verdicts(await carry_out(cambridge, short, header=header)) == ["unchanged"]


async def test_the_same_number_is_somebody_else_elsewhere(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG)
    assert verdicts(await carry_out(cambridge, ("1", *LIN[1:]), centre=TAINAN)) == ["new"]
    assert verdicts(await carry_out(cambridge, WANG, sitting=OTHER_SITTING)) == ["new"]
    assert await cambridge.fetchval("SELECT count(DISTINCT id_number) FROM entries") == 3


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        (("", *WANG[1:]), "candidate_number", "Enter the candidate number"),
        (("12a", *WANG[1:]), "candidate_number", entry_imports.NO_NUMBER),
        (("0", *WANG[1:]), "candidate_number", entry_imports.NO_NUMBER),
        (("1234567", *WANG[1:]), "candidate_number", entry_imports.NO_NUMBER),
        (("1", "", *WANG[2:]), "person_name", "Enter the name"),
        (("1", "=HYPERLINK(1)", *WANG[2:]), "person_name", None),
        (("1", "王大同", "=1+1", *WANG[3:]), "latin_name", None),
        ((*WANG[:3], "", ""), "birth_date", "Enter the date of birth"),
        ((*WANG[:3], "31/02/2012", ""), "birth_date", None),
        ((*WANG[:3], "2199-01-01", ""), "birth_date", None),
        ((*WANG[:3], "1890-01-01", ""), "birth_date", None),
        ((*WANG[:4], "x" * 61), "internal_id", None),
    ],
)
async def test_a_row_is_refused_with_the_reason_and_the_field(
    cambridge: Pool, row: Sequence[str], column: str, sentence: str | None
) -> None:
    [wrong, right] = await carry_out(cambridge, row, LIN)
    assert (wrong.verdict, right.verdict) == ("refused", "new")
    assert wrong.row.line == 2
    assert wrong.faults is not None
    assert list(wrong.faults) == [column]
    assert sentence is None or wrong.faults[column] == sentence


async def test_a_number_that_comes_twice_counts_once(cambridge: Pool) -> None:
    judged = await carry_out(cambridge, WANG, LIN, ("001", *LIN[1:]), WANG)
    assert verdicts(judged) == ["new", "new", "refused", "refused"]
    assert judged[2].faults == {"candidate_number": entry_imports.REPEATED}


async def test_numbers_and_dates_are_read_however_a_spreadsheet_writes_them(
    cambridge: Pool,
) -> None:
    wide = ("００１２", "王大同", "", "101/4/21", "")
    [one] = await carry_out(cambridge, wide)
    assert one.person is not None
    assert (one.person.candidate_number, one.person.birth_date) == ("0012", date(2012, 4, 21))


async def test_a_closed_sitting_takes_corrections_but_nobody_new(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG)
    await cambridge.execute("UPDATE sittings SET closes_at = $1", NOW)
    judged = await carry_out(cambridge, ("1", "王大統", *WANG[2:]), LIN)
    assert verdicts(judged) == ["changed", "refused"]
    assert judged[1].faults == {"candidate_number": entry_imports.CLOSED}


async def test_a_cancelled_candidate_does_not_come_back_by_a_list(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG)
    await cambridge.execute("UPDATE entries SET is_cancelled = true")
    [judged] = await carry_out(cambridge, WANG)
    assert judged.faults == {"candidate_number": entry_imports.CANCELLED}


async def test_five_thousand_come_in_at_once(cambridge: Pool) -> None:
    await told(cambridge)
    rows = [(str(number), *WANG[1:]) for number in range(1, 5_001)]
    assert Counter(verdicts(await carry_out(cambridge, *rows))) == {"new": 5_000}
    messages = await cambridge.fetchval(
        "SELECT count(*) FROM outbox WHERE name = 'enrollment.entry_recorded.v1'"
    )
    assert messages <= 100
    events = await told(cambridge)
    assert len({event.id_number for event in events}) == 5_000
    assert Counter(verdicts(await carry_out(cambridge, *rows))) == {"unchanged": 5_000}


async def test_two_imports_at_the_same_time_enter_everybody_once(cambridge: Pool) -> None:
    rows = [(str(number), *WANG[1:]) for number in range(1, 301)]
    both = await asyncio.gather(*(carry_out(cambridge, *rows) for _ in range(2)))
    assert sorted(verdicts(both[0])[:1] + verdicts(both[1])[:1]) == ["new", "unchanged"]
    assert {len({*verdicts(one)}) for one in both} == {1}
    assert await cambridge.fetchval("SELECT count(*) FROM entries") == 300


@pytest.mark.parametrize(
    "header",
    [(), ("Candidate number", "Name"), ("Name", "Name", "Candidate number", "Date of birth")],
)
def test_a_list_without_its_columns_is_none(header: Sequence[str]) -> None:
    with pytest.raises(NoColumns):
        read(WANG, header=header)


def test_a_template_is_good_in_every_language_and_by_code() -> None:
    chinese = {
        "candidate_number": "應考號碼",
        "person_name": "姓名",
        "birth_date": "出生日期（西元）",
    }
    titles = entry_imports.name_columns([COLUMNS, chinese])
    for header in (
        ["應考號碼", "出生日期", "姓名"],
        ["candidate_number", "birth_date", "person_name"],
        ["CANDIDATE NUMBER", "Date of  birth", "name"],
    ):
        [row] = entry_imports.read([header, ["1", "2012-04-21", "王大同"]], titles=titles)
        assert row.cells == {
            "candidate_number": "1",
            "birth_date": "2012-04-21",
            "person_name": "王大同",
        }


def test_empty_rows_are_left_out_and_lines_are_counted_as_a_spreadsheet_does() -> None:
    assert [row.line for row in read(WANG, ("", "", "", "", ""), LIN)] == [2, 4]


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(TooManyRows):
        read(*[WANG] * (entry_imports.MOST_ROWS + 1))


async def test_an_xlsx_list_reads_like_a_csv_one(cambridge: Pool) -> None:
    content = io.BytesIO()
    book = Workbook(content)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(1, 0, [1, *WANG[1:]])
    day = book.add_format({"num_format": "yyyy/mm/dd"})
    sheet.write_datetime(1, 3, datetime(2012, 4, 21), day)  # noqa: DTZ001 (it has no zone there)
    book.close()
    header, *rows = table_file.read(content.getvalue())
    [one] = await carry_out(cambridge, *rows, header=header)
    assert one.person is not None
    assert (one.person.candidate_number, one.person.birth_date) == ("0001", date(2012, 4, 21))


async def test_a_dry_run_says_what_happens_and_changes_nothing(cambridge: Pool) -> None:
    await carry_out(cambridge, WANG)
    await told(cambridge)
    rows = read(("1", "王大統", *WANG[2:]), LIN, ("x", *LIN[1:]))
    async with transaction(cambridge) as tx:
        sitting = await sittings.load(tx, code=SITTING)
        judged = await entry_imports.judge(
            tx, centre=TAIPEI, sitting=sitting, rows=rows, now=NOW + timedelta(seconds=1)
        )
    assert verdicts(judged) == ["changed", "new", "refused"]
    assert await told(cambridge) == []
    assert await cambridge.fetchval("SELECT count(*) FROM entries") == 1
