"""The provider's daily file: read for certain, or kept as a fault; never a crash, never a guess."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from xlsxwriter import Workbook

from services.payments import ecpay_file
from services.payments.ecpay_file import FAULTS, Line, NotTheFile
from services.payments.rules import TAIPEI
from shared import xlsx_file
from tests.payments import ecpay_files, fuzz
from tests.payments.ecpay_files import HEADER, line, write

NOW = datetime(2026, 5, 5, 3, tzinfo=UTC)
READ = Line(
    number=2,
    trade_number="EH000000000000000001",
    provider_number="2605040900000001",
    paid_at=datetime(2026, 5, 4, 10, tzinfo=TAIPEI),
    refunded_at=None,
    amount_twd=250,
    fee_twd=15,
    net_twd=235,
    method="atm",
)


def fault_of(**changed: str) -> str:
    table = ecpay_file.read(write(line(**changed), encoding="utf-8"), now=NOW)
    [fault] = table.faults
    assert table.lines == []
    return fault.fault


@pytest.mark.parametrize("encoding", ["cp950", "utf-8", "utf-8-sig"])
def test_it_is_read_in_big5_and_in_utf_8(encoding: str) -> None:
    table = ecpay_file.read(write(line(), encoding=encoding), now=NOW)
    assert (table.lines, table.faults) == ([READ], [])


def test_it_is_read_from_a_spreadsheet() -> None:
    header, *body = ecpay_files.rows(line())
    table = ecpay_file.read(xlsx_file.write(header, body), now=NOW)
    assert (table.lines, table.faults) == ([READ], [])


def test_titles_may_stand_above_and_columns_anywhere() -> None:
    header, *body = ecpay_files.rows(line())
    wide = [title.replace("(", "（").replace(")", " ）") for title in reversed(header)]
    content = "\n".join(["綠界科技 對帳檔", "", ",".join(wide), ",".join(reversed(list(body[0])))])
    [read] = ecpay_file.read(content.encode(), now=NOW).lines
    assert (read.number, read.key) == (4, READ.key)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"trade": ""}, "trade_number"),
        ({"trade": "EH-1"}, "trade_number"),
        ({"trade": "E" * 21}, "trade_number"),
        ({"number": "2.6E+15"}, "provider_number"),
        ({"number": "17122100383415900000"}, "provider_number"),
        ({"amount": ""}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-250"}, "amount"),
        ({"amount": "250", "result": "已退款"}, "amount"),
        ({"amount": "0", "result": "已退款"}, "amount"),
        ({"amount": "-250", "result": "已退款", "paid": ""}, "paid_at"),
        ({"amount": "250.5"}, "amount"),
        ({"amount": "2" * 12}, "amount"),
        ({"amount": "二百五十"}, "amount"),
        ({"amount": "٢٥٠"}, "amount"),
        ({"result": "付款中"}, "result"),
        ({"result": ""}, "result"),
        ({"paid": ""}, "paid_at"),
        ({"paid": "2026/02/30 10:00:00"}, "paid_at"),
        ({"paid": "0001/01/01 00:00:00"}, "paid_at"),
        ({"paid": "9999/12/31 23:59:59"}, "paid_at"),
        ({"paid": "2026/05/05 13:00:00"}, "paid_at"),
        ({"fee": "6.88"}, "fees"),
        ({"net": "#REF!"}, "fees"),
    ],
)
def test_what_is_not_certain_is_a_fault(changed: dict[str, str], fault: str) -> None:
    assert fault_of(**changed) == fault
    assert fault in FAULTS


def test_amounts_are_read_as_programs_write_them() -> None:
    for written, amount in (("1,250", 1250), ("250.00", 250), ("999,999,999", 999_999_999)):
        [read] = ecpay_file.read(write(line(amount=written)), now=NOW).lines
        assert read.amount_twd == amount


def test_a_number_that_a_spreadsheet_rounded_is_no_number() -> None:
    content = io.BytesIO()
    book = Workbook(content)
    sheet = book.add_worksheet()
    for column, title in enumerate(HEADER):
        sheet.write_string(0, column, title)
        value = line()[title]
        if title == "綠界交易序號":
            sheet.write_number(1, column, 2605040900000001)
        else:
            sheet.write_string(1, column, value)
    book.close()
    [fault] = ecpay_file.read(content.getvalue(), now=NOW).faults
    assert fault.fault == "provider_number"


def test_the_same_line_twice_is_one_and_another_is_a_fault() -> None:
    table = ecpay_file.read(write(line(), line(), line(amount="500", net="485")), now=NOW)
    assert table.lines == [READ]
    [fault] = table.faults
    assert (fault.number, fault.fault) == (4, "repeated")


def test_what_was_not_paid_has_no_time() -> None:
    [read] = ecpay_file.read(write(line(result="未付款", paid="")), now=NOW).lines
    assert read.paid_at is None


def test_what_was_refunded_is_less_than_nothing() -> None:
    back = line(amount="-192", net="-192", fee="0", result="已退款")
    later = line(amount="-192", net="-192", fee="0", result="已退款", paid="2026/05/04 11:00:00")
    table = ecpay_file.read(write(line(), back, back, later), now=NOW)
    assert table.faults == []
    paid, *refunds = table.lines
    assert paid == READ
    told = [(each.amount_twd, each.net_twd, each.paid_at) for each in refunds]
    assert told == [(-192, -192, None)] * 2
    assert [each.refunded_at and each.refunded_at.hour for each in refunds] == [10, 11]


def test_another_table_says_what_it_lacks() -> None:
    with pytest.raises(NotTheFile) as lacks:
        ecpay_file.read("交易日期,交易金額\n2026/05/04,250\n".encode(), now=NOW)
    assert "綠界交易序號" in lacks.value.missing
    assert "交易金額" not in lacks.value.missing
    for empty in (b"", b"\n\n", b"a"):
        with pytest.raises(NotTheFile):
            ecpay_file.read(empty, now=NOW)


def test_a_fault_can_be_kept_and_shown() -> None:
    table = ecpay_file.read(write(line(trade="\x1b[31m" + "長" * 500)), now=NOW)
    [fault] = table.faults
    assert len(fault.cells) <= ecpay_file.LONGEST_SHOWN
    assert fault.cells.isprintable()


quiet = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quiet
@given(fuzz.files)
def test_whatever_is_uploaded_is_read_or_refused_in_our_words(content: bytes) -> None:
    fuzz.read_file(content)
