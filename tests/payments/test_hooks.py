"""Notices at the door: every field is verified, and 1|OK means that it is on disk."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from services.payments import ecpay, notices, readings, settlement
from services.payments.methods import Form
from services.payments.order_book import Order
from services.payments.pages import outlook
from shared.db import transaction
from shared.events.payments import OrderPaid
from tests.conftest import MakeDatabase
from tests.payments.till import MORNING, Till, open_till
from tests.sandbox import CREDENTIALS

KEYS = {"key": CREDENTIALS["ecpay_hash_key"], "iv": CREDENTIALS["ecpay_hash_iv"]}
PAID = "/payments/hooks/ecpay/paid"
MINUTE = timedelta(minutes=1)


def notice(trade_number: str, **changed: str) -> dict[str, str]:
    return {
        "MerchantID": CREDENTIALS["ecpay_merchant_id"],
        "MerchantTradeNo": trade_number,
        "StoreID": "",
        "RtnCode": "1",
        "RtnMsg": "交易成功",
        "TradeNo": "2605041000000001",
        "TradeAmt": "250",
        "PaymentDate": "2026/05/04 10:01:00",
        "PaymentType": "Credit_CreditCard",
        "PaymentTypeChargeFee": "7",
        "TradeDate": "2026/05/04 10:00:00",
        "SimulatePaid": "0",
        **changed,
    }


def sign(fields: dict[str, str]) -> dict[str, str]:
    return {**fields, "CheckMacValue": ecpay.check_mac_value(fields, **KEYS)}


async def send(till: Till, fields: dict[str, str] | bytes, path: str = PAID) -> tuple[int, str]:
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    answer = await till.client.post(
        path, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    return answer.status, await answer.text()


async def owe(till: Till) -> tuple[Order, str]:
    order = await till.owe()
    return order, (await till.begin(order, "card")).attempt.trade_number


async def test_a_signed_notice_is_stored_masked_and_pays(till: Till) -> None:
    order, number = await owe(till)
    fields = notice(number, card4no="2222", CustomField1="客")
    assert await send(till, sign(fields)) == (200, "1|OK")
    assert (await till.load(order)).state == "paid"
    [stored] = await till.notices(order)
    assert stored.fields == {**fields, "card4no": "***", "CheckMacValue": "***"}
    assert (stored.reading, stored.provider_number) == ("paid", "2605041000000001")


@pytest.mark.parametrize(
    "changed",
    [
        {"TradeAmt": "1"},
        {"RtnCode": "1 "},
        {"SimulatePaid": "1"},
        {"MerchantTradeNo": "EH000000000000000000"},
        {"CheckMacValue": ""},
        {"CheckMacValue": "0" * 64},
        {"CheckMacValue": "é"},
        {"more": ""},
    ],
)
async def test_a_notice_with_any_field_changed_is_refused(
    till: Till, changed: dict[str, str]
) -> None:
    order, number = await owe(till)
    status, words = await send(till, {**sign(notice(number)), **changed})
    assert status == 400
    assert "1|OK" not in words
    assert (await till.load(order)).state == "open"
    assert await till.kinds() == {}


async def test_a_forger_cannot_fill_the_disk(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST_FORGED_AN_HOUR", 3)
    order, number = await owe(till)
    for _ in range(5):
        await send(till, notice(number))
    assert [each.reading for each in await till.notices(order)] == ["forged"] * 3


@pytest.mark.parametrize("body", [b"", b"a=1&a=2", b"\xff", b"<xml/>", b"a=%00"])
async def test_what_is_no_notice_is_refused(till: Till, body: bytes) -> None:
    assert (await send(till, body))[0] == 400
    assert await till.pool.fetchval("SELECT count(*) FROM captures") == 0


async def test_a_notice_about_another_merchant_is_kept_and_refused(till: Till) -> None:
    order, number = await owe(till)
    assert (await send(till, sign(notice(number, MerchantID="2000132"))))[0] == 400
    assert (await till.load(order)).state == "open"
    assert [each.reading for each in await till.notices(order)] == ["foreign"]


@pytest.mark.parametrize(
    "changed",
    [{"TradeAmt": "2.5"}, {"TradeAmt": "-250"}, {"PaymentDate": "yesterday"}, {"TradeNo": ""},
     {"PaymentDate": "2026/02/30 10:00:00"}, {"TradeAmt": "9" * 12}],
)  # fmt: skip
async def test_a_signed_notice_that_cannot_be_read_is_kept_and_asked_about(
    till: Till, changed: dict[str, str]
) -> None:
    order, number = await owe(till)
    assert await send(till, sign(notice(number, **changed))) == (200, "1|OK")
    assert [each.reading for each in await till.notices(order)] == ["unreadable"]
    assert (await till.load(order)).state == "open"


async def test_a_card_whose_result_is_pending_was_not_declined(
    make_database: MakeDatabase,
) -> None:
    async with open_till(await make_database("payments"), start=datetime.now(UTC)) as till:
        order = await till.owe()
        opened = await till.begin(order, "card")
        number = opened.attempt.trade_number
        assert await send(till, sign(notice(number, RtnCode="10300066"))) == (200, "1|OK")
        assert [each.reading for each in await till.notices(order)] == ["pending"]
        [attempt] = await till.attempts(order)
        assert (attempt.state, attempt.closed_at) == ("unknown", None)
        assert outlook.find(order, [attempt], now=till.now).phase == "waiting"
        assert attempt.ask_at is not None
        assert attempt.ask_at < attempt.created_at + timedelta(minutes=5), "sooner than is usual"
        await till.sandbox.misbehave("silent", number=number)
        await till.pay(opened)
        await till.advance(attempt.ask_at - till.now)
        await till.ask()
        assert (await till.load(order)).state == "paid"


@pytest.mark.parametrize(
    "hidden", [{"simulatepaid": "1"}, {"RtnMsg": "交易成功&SimulatePaid=1"}], ids=["case", "joined"]
)
async def test_a_simulated_payment_cannot_be_made_to_look_real(
    till: Till, hidden: dict[str, str]
) -> None:
    """ECPay joins fields before it signs them, in lower case: its signature fits these, too."""
    order, number = await owe(till)
    altered = {**sign(notice(number, SimulatePaid="1")), **hidden}
    del altered["SimulatePaid"]
    assert ecpay.is_signed(altered, **KEYS)
    assert await send(till, altered) == (200, "1|OK")
    assert [each.reading for each in await till.notices(order)] == ["unreadable"]
    assert (await till.load(order)).state == "open"


async def test_a_payment_is_not_counted_again_under_its_number_in_lower_case(till: Till) -> None:
    """The signature fits both; whoever pays by card sees theirs in the browser."""
    _, number = await owe(till)
    signed = sign(notice(number))
    assert await send(till, signed) == (200, "1|OK")
    altered = {**signed, "MerchantTradeNo": number.lower()}
    assert ecpay.is_signed(altered, **KEYS)
    assert await send(till, altered) == (200, "1|OK")
    assert await till.kinds() == {"order": 1}
    assert await till.undecided() == []


async def test_the_form_we_sign_for_a_browser_is_no_notice(till: Till) -> None:
    order = await till.owe()
    opened = await till.begin(order, "card")
    assert isinstance(opened.page, Form)
    await send(till, dict(opened.page.fields))
    assert [each.reading for each in await till.notices(order)] == ["unreadable"]
    assert [each.state for each in await till.attempts(order)] == ["created"]


async def test_money_for_a_trade_nobody_knows_is_an_orphan(till: Till) -> None:
    unknown = sign(notice("EH123", PaymentType="ATM_BOT"))
    assert await send(till, unknown) == (200, "1|OK")
    assert await send(till, unknown) == (200, "1|OK")
    [orphan] = await till.undecided()
    assert (orphan.kind, orphan.method, orphan.amount_twd) == ("orphan", "atm", 250)
    await till.see_every_dollar(claimed_twd=250)


async def test_the_same_money_told_as_another_amount_changes_nothing_and_is_on_record(
    till: Till,
) -> None:
    order, number = await owe(till)
    await send(till, sign(notice(number, TradeAmt="200")))
    assert await send(till, sign(notice(number, TradeAmt="250"))) == (200, "1|OK")
    assert (await till.load(order)).state == "open"
    assert await till.kinds() == {"wrong_amount": 1}
    assert await acts(till) == ["money_wrong_amount", "money_contradicted"]
    await till.see_every_dollar(claimed_twd=200)


async def test_a_contradiction_does_not_take_the_place_of_true_money(till: Till) -> None:
    order, number = await owe(till)
    other = (await till.begin(order, "card")).attempt.trade_number
    await send(till, sign(notice(number, TradeAmt="200")))
    told = [read(notice(number)), read(notice(other, TradeNo="2605041000000002"))]
    with pytest.raises(settlement.Contradiction):
        async with transaction(till.pool) as tx:
            await readings.act(tx, readings=told, now=till.now)
    for each in told:  # as the group commit goes on, and as these would be sent
        async with transaction(till.pool) as tx:
            await readings.act(tx, readings=[each], now=till.now)
    assert (await till.load(order)).state == "paid"
    assert await till.kinds() == {"wrong_amount": 1, "order": 1}
    await till.see_every_dollar(claimed_twd=450)


def read(fields: dict[str, str]) -> readings.Reading:
    merchant = CREDENTIALS["ecpay_merchant_id"]
    return readings.read_paid(fields, merchant_id=merchant, received_at=MORNING)


async def acts(till: Till) -> list[str]:
    rows = await till.pool.fetch("SELECT act FROM audit_lines ORDER BY id")
    return [row["act"] for row in rows]


async def test_a_notice_that_a_defect_of_ours_keeps_from_being_settled_waits_on_disk(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, number = await owe(till)

    async def break_(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(settlement, "settle", break_)
        assert await send(till, sign(notice(number))) == (200, "1|OK")
        assert (await till.load(order)).state == "open"
        till.now += MINUTE * 10**6  # the hook's clock is the real one
        assert await till.retry_notices() == 1
        assert await till.retry_notices() == 0, "not at once again"
    till.now += MINUTE * 100
    assert await till.retry_notices() == 1
    assert (await till.load(order)).state == "paid"
    assert len(await till.told(OrderPaid)) == 1
    assert await till.retry_notices() == 0
    assert await till.pool.fetchval("SELECT count(*) FROM notices_unsettled") == 0


async def test_without_a_database_nothing_is_acknowledged(till: Till) -> None:
    order, number = await owe(till)
    await till.pool.execute("ALTER TABLE notices RENAME TO gone")
    status, words = await send(till, sign(notice(number)))
    assert status == 500
    assert "1|OK" not in words
    await till.pool.execute("ALTER TABLE gone RENAME TO notices")
    assert await send(till, sign(notice(number))) == (200, "1|OK")
    assert (await till.load(order)).state == "paid"


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE notices SET reading = 'paid'",
        "UPDATE captures SET kind = 'order'",
        "UPDATE ledger_entries SET amount_twd = 1",
        *(f"DELETE FROM {table}" for table in ("notices", "captures", "ledger_entries")),
        *(f"TRUNCATE {table} CASCADE" for table in ("notices", "captures", "ledger_entries")),
    ],
)
async def test_what_is_written_once_stays(till: Till, act: str) -> None:
    _, number = await owe(till)
    await send(till, sign(notice(number)))
    with pytest.raises(asyncpg.RestrictViolationError):
        await till.pool.execute(act)
