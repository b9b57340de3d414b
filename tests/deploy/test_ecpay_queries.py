"""The sandbox's ECPay: what servers may ask, how often, and what can be done with a card."""

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta

import pytest

from deploy.sandbox.clock import TAIPEI
from deploy.sandbox.rules import MERCHANTS
from tests.deploy.shop import QUERY, Shop, open_shop
from tests.sandbox import MERCHANT

QUERY_CODE = "/Cashier/QueryPaymentInfo"
ACTION = "/CreditDetail/DoAction"
# A day's evening at which nothing else happens.
EVENING = datetime(2026, 5, 1, 19, tzinfo=TAIPEI)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


@pytest.mark.parametrize("method", ["Credit", "ATM", "CVS", "BARCODE"])
async def test_a_trade_is_0_until_it_is_paid_and_1_from_then_on(shop: Shop, method: str) -> None:
    await shop.sandbox.set_time(EVENING)
    number, code = await shop.order(method, CustomField1="A 1", ItemName="甲#乙")
    before = await shop.query(number)
    assert (before["TradeStatus"], before["PaymentDate"]) == ("0", "")
    await shop.sandbox.pay(code or number)
    after = await shop.query(number)
    assert after["TradeStatus"] == "1"
    assert after["PaymentDate"].startswith("2026/05/01 19:0")
    told = ("TradeAmt", "MerchantTradeNo", "CustomField1", "ItemName")
    assert [after[name] for name in told] == ["250", number, "A 1", "甲#乙"]


async def test_an_unknown_number_is_not_found(shop: Shop) -> None:
    told = await shop.query("NEVERUSED")
    assert (told["TradeStatus"], told["TradeNo"]) == ("10200047", "")
    number, _ = await shop.order("CVS")
    other = MERCHANTS["2000132"]
    _, told, _ = await shop.ask(QUERY, await shop.about(number), signer=other)
    assert told["TradeStatus"] == "10200047", "another shop's numbers are its own"


async def test_a_slip_is_known_to_be_paid_two_days_later() -> None:
    async with open_shop(slip_delay_seconds=2 * 24 * 3600) as shop:
        await shop.sandbox.set_time(EVENING)
        number, code = await shop.order("BARCODE")
        await shop.sandbox.deliver()
        await shop.sandbox.pay(code)
        assert await shop.sandbox.deliver() == []
        assert (await shop.query(number))["TradeStatus"] == "0"
        assert (await shop.sandbox.captured())["captured_twd"] == 250, "the money is there"
        await shop.sandbox.set_time(EVENING + timedelta(days=2, minutes=1))
        assert await shop.sandbox.deliver() == ["200 1|OK"]
        told = await shop.query(number)
        assert told["TradeStatus"] == "1"
        assert told["PaymentDate"].startswith("2026/05/01 19:0"), "when it was paid, not told"


@pytest.mark.parametrize("path", [QUERY, QUERY_CODE])
@pytest.mark.parametrize("seconds", [-181, 200])
async def test_a_time_stamp_is_good_for_three_minutes(shop: Shop, path: str, seconds: int) -> None:
    number, _ = await shop.order("CVS")
    for good in (-170, 0, 170):
        _, told, _ = await shop.ask(path, await shop.about(number, good))
        assert told["MerchantTradeNo"] == number
    _, _, text = await shop.ask(path, await shop.about(number, seconds))
    assert text == "0|TimeStamp Error."


async def test_a_question_that_is_not_in_order_is_answered_in_unsigned_words(shop: Shop) -> None:
    number, _ = await shop.order("CVS")
    asked = await shop.about(number)
    for changed, words in (
        ({"MerchantTradeNo": ""}, "0|MerchantTradeNo Error."),
        ({"TimeStamp": ""}, "0|TimeStamp Error."),
        ({"TimeStamp": asked["TimeStamp"] + "000"}, "0|TimeStamp Error."),
        ({"MerchantTradeNo": "x-1"}, "0|MerchantTradeNo Error."),
        ({"X": "1"}, "0|X Error."),
        ({"MerchantID": "1"}, "0|MerchantID Error."),
    ):
        assert (await shop.ask(QUERY, {**asked, **changed}))[2] == words
    signed = MERCHANT.sign({"MerchantID": MERCHANT.id, **asked})
    answer = await shop.sandbox.session.post(
        f"{shop.sandbox.ecpay}{QUERY}", data={**signed, "MerchantTradeNo": "OTHER"}
    )
    assert await answer.text() == "0|CheckMacValue Error."


async def test_who_asks_too_often_is_shut_out_for_half_an_hour() -> None:
    async with open_shop(most_queries_a_minute=3) as shop:
        asked = await shop.about("X")
        statuses = [(await shop.ask(QUERY, asked))[0] for _ in range(5)]
        assert statuses == [200, 200, 200, 403, 403]
        other = MERCHANTS["2000132"]
        assert (await shop.ask(QUERY, asked, signer=other))[0] == 200, "the others are not"
        for minutes, status in ((29, 403), (31, 200)):
            await shop.sandbox.set_time(datetime.now(TAIPEI) + timedelta(minutes=minutes))
            asked = await shop.about("X")
            assert (await shop.ask(QUERY, asked))[0] == status


@pytest.mark.parametrize("method", ["ATM", "CVS", "BARCODE"])
async def test_an_issued_code_can_be_read_again(shop: Shop, method: str) -> None:
    number, code = await shop.order(method)
    await shop.sandbox.deliver()
    asked = await shop.about(number)
    _, told, _ = await shop.ask(QUERY_CODE, asked)
    assert told == shop.heard[0]
    assert code in told.values()


async def test_no_code_is_read_where_none_was_issued(shop: Shop) -> None:
    form = shop.form("CVS")
    await shop.sandbox.check_out(form)
    for number, code in ((form["MerchantTradeNo"], "10200095"), ("NEVERUSED", "10200047")):
        asked = await shop.about(number)
        _, told, _ = await shop.ask(QUERY_CODE, asked)
        assert told["RtnCode"] == code
        assert MERCHANT.has_signed(told)


class Card:
    """A card's payment of NT$250 on a quiet evening, and what is done with it."""

    def __init__(self, shop: Shop, number: str, trade_no: str) -> None:
        self.shop, self.number, self.trade_no = shop, number, trade_no

    @classmethod
    async def pay(cls, shop: Shop, at: datetime = EVENING) -> "Card":
        await shop.sandbox.set_time(at)
        number, _ = await shop.order("Credit")
        await shop.sandbox.pay(number)
        return cls(shop, number, (await shop.sandbox.order(number))["trade_no"])

    async def act(self, action: str, amount: int | str = 250, **changed: str) -> bool:
        fields = {
            "MerchantTradeNo": self.number,
            "TradeNo": self.trade_no,
            "Action": action,
            "TotalAmount": str(amount),
            **changed,
        }
        _, told, _ = await self.shop.ask(ACTION, fields)
        assert told["TradeNo"] == fields["TradeNo"]
        return told["RtnCode"] == "1"


async def test_until_the_evening_a_whole_payment_is_undone_by_e_then_n(shop: Shop) -> None:
    card = await Card.pay(shop)
    assert not await card.act("N"), "it is due for capture, not only authorised"
    assert not await card.act("R"), "all of it cannot be refunded before it is captured"
    assert await card.act("E")
    assert await card.act("N")
    for action in "CREN":
        assert not await card.act(action), "it is over"
    money = await shop.sandbox.captured()
    assert (money["captured_twd"], money["refunded_twd"]) == (250, 250)


async def test_a_cancelled_capture_can_be_captured_after_all(shop: Shop) -> None:
    card = await Card.pay(shop)
    assert not await card.act("C"), "it is due for capture already"
    assert await card.act("E")
    assert await card.act("C")
    assert not await card.act("N")


async def test_after_the_evening_it_is_refunded_and_never_beyond_what_was_paid(
    shop: Shop,
) -> None:
    card = await Card.pay(shop)
    await shop.sandbox.set_time(EVENING + timedelta(hours=2))
    for action in "CEN":
        assert not await card.act(action), "it is captured"
    assert await card.act("R", 192)
    assert not await card.act("R", 59)
    assert await card.act("R", 58)
    assert not await card.act("R", 1)
    assert (await shop.sandbox.captured())["refunded_twd"] == 250


async def test_part_of_it_is_refunded_also_before_it_is_captured(shop: Shop) -> None:
    card = await Card.pay(shop)
    assert await card.act("R", 192)
    assert not await card.act("E"), "part of it is gone"
    assert (await shop.sandbox.captured())["refunded_twd"] == 192


@pytest.mark.parametrize(
    "changed",
    [
        {"TradeNo": "0" * 20},
        {"MerchantTradeNo": "NEVERUSED"},
        {"Action": "X"},
        {"TotalAmount": "1.5"},
        {"TotalAmount": "0"},
        {"TotalAmount": "251"},
    ],
)
async def test_an_action_must_name_what_it_is_about(shop: Shop, changed: dict[str, str]) -> None:
    card = await Card.pay(shop, EVENING + timedelta(hours=3))
    await shop.sandbox.set_time(EVENING + timedelta(days=2))
    assert not await card.act("R", **changed)
    assert (await shop.sandbox.captured())["refunds"] == 0


async def test_only_paid_cards_can_be_refunded(shop: Shop) -> None:
    for method, pays in (("ATM", True), ("Credit", False)):
        number, code = await shop.order(method)
        if pays:
            await shop.sandbox.pay(code)
        card = Card(shop, number, (await shop.sandbox.order(number))["trade_no"])
        assert not await card.act("R", 100)


async def test_the_daily_closing_is_kept_where_it_was_asked_for() -> None:
    async with open_shop(closes_daily=True) as shop:
        card = await Card.pay(shop)
        for hour, works in ((time(20, 14), True), (time(20, 16), False), (time(20, 31), True)):
            await shop.sandbox.set_time(datetime.combine(EVENING.date(), hour, TAIPEI))
            assert await card.act("R", 10) is works
