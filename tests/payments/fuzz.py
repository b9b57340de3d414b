"""What chance tries on everything that reads strangers' words: for tests, and for tests.fuzz."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st
from pydantic import SecretStr

from services.payments import ecpay, ecpay_file, readings, wire
from services.payments.ecpay import NotUnderstood
from services.payments.ecpay_file import NotTheFile
from services.payments.methods import Question, Repaid, Repayment, Standing
from services.payments.methods.line_pay import LinePay
from services.payments.settlement import Captured
from shared import xlsx_file
from shared.table_file import ZIP, Unreadable
from tests.payments.ecpay_files import HEADER, line, rows, write

KEY, IV = "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"
NOW = datetime(2026, 5, 4, 2, tzinfo=UTC)
NAMES = [
    *("MerchantID", "MerchantTradeNo", "TradeNo", "TradeAmt", "RtnCode", "PaymentDate"),
    *("PaymentType", "SimulatePaid", "ExpireDate", "BankCode", "vAccount", "PaymentNo"),
    *("Barcode1", "Barcode2", "Barcode3", "CheckMacValue", "TradeStatus"),
]
LIKELY = [
    *("1", "2", "0", "10100073", "3002607", "250", "2026/05/04 10:00:00", "2026/05/04", "EH1", ""),
    *("-1", "²", "٣", "9" * 30, "2026/13/45 99:99:99", "~'!*()%2d", "\ud7ff", "0000/00/00"),
]
words = st.sampled_from(LIKELY) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)
fields = st.dictionaries(st.sampled_from(NAMES) | words, words, max_size=20)
bodies = st.binary(max_size=200) | fields.map(lambda made: urlencode(made).encode())

PAID = {
    "MerchantID": "3002607",
    "MerchantTradeNo": "EH000000000000000001",
    "PaymentDate": "2026/05/04 10:00:00",
    "PaymentType": "Credit_CreditCard",
    "RtnCode": "1",
    "RtnMsg": "Succeeded",
    "SimulatePaid": "0",
    "StoreID": "",
    "TradeAmt": "250",
    "TradeNo": "2605041000000001",
}


# The signature knows no case.
_letters: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str, str.lower, str.upper])


@st.composite
def spellings(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """A notice, and other fields that its signature fits: joined, and in other letters."""
    notice = {**PAID, "SimulatePaid": draw(st.sampled_from("01"))}
    respelt: dict[str, str] = {}
    for name, value in notice.items():
        named = draw(_letters)(name) if draw(st.booleans()) else name
        if respelt and draw(st.integers(0, 9)) == 0:
            respelt[[*respelt][-1]] += f"&{named}={value}"
        else:
            respelt[named] = draw(_letters)(value)
    return notice, respelt


_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["0000", "0110", "0123", "1150", "EH1", "2026-05-04T02:00:00Z", "2026"])
    | st.text(max_size=8)
)
_keys = st.sampled_from(
    [
        *("returnCode", "info", "transactionId", "orderId", "payInfo", "amount", "refundList"),
        *("refundAmount", "paymentUrl", "web", "app", "transactionDate"),
    ]
)
answers = st.binary(max_size=60) | st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=6),
    max_leaves=20,
).map(lambda made: json.dumps(made).encode())


_cells = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["已付款", "250", "EH1", "2026/05/04 10:00:00", "", "1e400", "NaN", "-0", "٣"]),
)
_tables = st.builds(
    lambda body, code: "\n".join(",".join(row) for row in [HEADER, *body]).encode(code, "replace"),
    st.lists(st.lists(_cells, max_size=18), max_size=6),
    st.sampled_from(["utf-8", "utf-16", "cp950"]),
)
_good = [
    write(line(), line(trade="EH2"), line(trade="EH3", result="未付款")),
    xlsx_file.write(HEADER, rows(line())[1:]),
]


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, and perhaps cut off."""
    content = bytearray(draw(st.sampled_from(_good)))
    for _ in range(draw(st.integers(1, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


files = (
    st.binary(max_size=500)
    | st.binary(max_size=500).map(lambda content: ZIP + content)
    | _tables
    | _damaged()
)


def read_notice(body: bytes) -> None:
    """Whatever comes is read, or is said not to be understood; nothing else is raised."""
    try:
        found = ecpay.parse(body)
    except NotUnderstood:
        return
    signed = ecpay.is_signed(found, key=KEY, iv=IV)
    assert not signed, "chance does not find the signature of anything"
    for read in (readings.read_paid, readings.read_issued):
        reading = read(found, merchant_id="3002607", received_at=NOW)
        assert ecpay.MAC not in found or reading.notice.fields[ecpay.MAC] in {"***", ""}
        readings.read_again(reading.notice)


def forge_notice(made: dict[str, str]) -> None:
    """What we sign is accepted; with any change to it, it is not."""
    mac = ecpay.check_mac_value(made, key=KEY, iv=IV)
    whole = {**made, ecpay.MAC: mac}
    assert ecpay.is_signed(whole, key=KEY, iv=IV)
    assert ecpay.parse(urlencode(whole).encode()) == whole
    for name in made:
        if name != ecpay.MAC:
            assert not ecpay.is_signed({**whole, name: made[name] + "1"}, key=KEY, iv=IV)
            break
    assert not ecpay.is_signed(whole, key=KEY, iv=IV[::-1])


def respell_notice(drawn: tuple[dict[str, str], dict[str, str]]) -> None:
    """A notice in any spelling that its signature fits is the same money, or none."""
    notice, respelt = drawn
    signed = {**respelt, ecpay.MAC: ecpay.check_mac_value(notice, key=KEY, iv=IV)}
    assert ecpay.is_signed(signed, key=KEY, iv=IV)
    meaning = readings.read_paid(signed, merchant_id="3002607", received_at=NOW).meaning
    if isinstance(meaning, Captured):
        assert notice["SimulatePaid"] == "0"
        assert meaning.key == ("ecpay", PAID["MerchantTradeNo"], PAID["TradeNo"])
        assert meaning.amount_twd == 250


def sign_with_two_keys(made: dict[str, str], key: str, iv: str) -> None:
    """Another key makes another signature; keys count as little case as ECPay does."""
    ours = ecpay.check_mac_value(made, key=KEY, iv=IV)
    theirs = ecpay.check_mac_value(made, key=key, iv=iv)
    assert len(theirs) == 64
    assert (ours == theirs) == ((key.lower(), iv.lower()) == (KEY.lower(), IV.lower()))


def read_line_pay(answer: bytes) -> None:
    """Whatever LINE Pay answers becomes an answer of ours, and money only where it is named."""
    asyncio.run(_read_line_pay(answer))


def read_file(content: bytes) -> None:
    """Whatever is uploaded as the provider's file is money for certain, a fault, or refused."""
    try:
        table = ecpay_file.read(content, now=NOW)
    except (Unreadable, NotTheFile):
        return
    for one in table.lines:
        assert 0 < one.amount_twd < 10**9
        assert one.trade_number.isascii()
        assert one.trade_number.isalnum()
        assert one.paid_at is None or one.paid_at <= NOW + ecpay_file.CLOCKS_DIFFER
    for fault in table.faults:
        assert fault.fault in ecpay_file.FAULTS
        assert fault.cells.isprintable()
    assert len({one.key for one in table.lines}) == len(table.lines)


async def _read_line_pay(content: bytes) -> None:
    async def call(*_: Any, **__: Any) -> tuple[int, bytes]:
        return 200, content

    way = LinePay("http://x", "v3", "1", SecretStr("s"), "http://y")
    real, wire.call = wire.call, call
    try:
        for number in ("1", None):
            question = Question(
                "EH1", number, 250, NOW, has_instructions=True, may_take=True, now=NOW
            )
            answer = await way.ask(question)
            assert (answer.standing is Standing.PAID) == (answer.money is not None)
            assert answer.money is None or answer.money.amount_twd > 0
        repayment = Repayment("EH1", "1", 250, 192, 0, NOW + timedelta(days=1))
        for reply in (await way.repay(repayment), await way.resume_repayment(repayment)):
            assert reply.repaid in Repaid
    finally:
        wire.call = real
