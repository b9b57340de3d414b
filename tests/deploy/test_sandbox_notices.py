"""The sandbox's notices: sent until they are acknowledged, or wrongly, if somebody asked for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.deploy.shop import ACKNOWLEDGED, Shop, open_shop
from tests.sandbox import MERCHANT, open_sandbox

NOT_ACKNOWLEDGED = ["", "1|OK\n", "1|ok", '"1|OK"', "OK", "0|Error", "1|OK1|OK"]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def paid_card(shop: Shop, **changed: str) -> str:
    number, _ = await shop.order("Credit", **changed)
    await shop.sandbox.pay(number)
    return number


async def later(shop: Shop, seconds: float) -> list[str]:
    """Let time pass, then send what is due."""
    await shop.sandbox.set_time(await shop.sandbox.now() + timedelta(seconds=seconds))
    return await shop.sandbox.deliver()


async def test_a_notice_is_signed_and_arrives_once(shop: Shop) -> None:
    number = await paid_card(shop, CustomField3="團體 7", StoreID="S1")
    assert await shop.sandbox.deliver() == ["200 1|OK"]
    [told] = shop.heard
    assert MERCHANT.has_signed(told)
    expected = {
        "MerchantID": MERCHANT.id,
        "MerchantTradeNo": number,
        "RtnCode": "1",
        "TradeAmt": "250",
        "PaymentType": "Credit_CreditCard",
        "SimulatePaid": "0",
        "CustomField1": "",
        "CustomField3": "團體 7",
        "StoreID": "S1",
    }
    assert expected.items() <= told.items()
    assert len(told["TradeNo"]) == 20
    assert await later(shop, 3600) == []


async def test_more_is_told_where_more_was_asked_for(shop: Shop) -> None:
    await paid_card(shop, NeedExtraPaidInfo="Y")
    _, code = await shop.order("CVS", NeedExtraPaidInfo="Y", PaymentInfoURL="")
    await shop.sandbox.pay(code, place="hilife")
    await shop.sandbox.deliver()
    card, store = sorted(shop.heard, key=lambda told: told["PaymentType"], reverse=True)
    assert (card["card4no"], card["PayFrom"]) == ("2222", "")
    assert (store["PayFrom"], store["PaymentNo"]) == ("hilife", code)
    assert all(MERCHANT.has_signed(told) for told in shop.heard)


@pytest.mark.parametrize("answer", NOT_ACKNOWLEDGED)
async def test_only_exactly_1_ok_acknowledges(shop: Shop, answer: str) -> None:
    await paid_card(shop)
    shop.answer = answer
    await shop.sandbox.deliver()
    shop.answer = ACKNOWLEDGED
    assert await later(shop, 6) == ["200 1|OK"]
    assert shop.heard[0] == shop.heard[1]
    assert await later(shop, 3600) == []


@pytest.mark.parametrize("status", [201, 302, 400, 500])
async def test_1_ok_counts_only_with_a_200(shop: Shop, status: int) -> None:
    await paid_card(shop)
    shop.status = status
    assert await shop.sandbox.deliver() == [f"{status} 1|OK"]
    assert len(shop.heard) == 1, "nobody is followed elsewhere"
    shop.status = 200
    assert await later(shop, 6) == ["200 1|OK"]


async def test_a_notice_is_tried_five_times_and_then_there_is_silence(shop: Shop) -> None:
    shop.answer = "0|Error"
    await paid_card(shop)
    for wait in (0, 5, 10, 20, 40):
        assert await shop.sandbox.count_waiting() == 1
        assert await later(shop, wait - 1) == []
        assert len(await later(shop, 1.5)) == 1
    assert await shop.sandbox.count_waiting() == 0
    assert await later(shop, 24 * 3600) == []
    [notice] = await shop.sandbox.notices()
    assert (notice["tries"], notice["given_up_at"] is None) == (5, False)


async def test_a_shop_that_is_away_hears_of_it_when_it_is_back(shop: Shop) -> None:
    number, _ = await shop.order("Credit", ReturnURL="http://127.0.0.1:1/notices")
    await shop.sandbox.pay(number)
    [answer] = await shop.sandbox.deliver()
    assert "Connect" in answer
    [notice] = await shop.sandbox.notices()
    assert (notice["tries"], notice["acknowledged_at"], notice["given_up_at"]) == (1, None, None)


async def test_what_was_not_acknowledged_survives_a_restart(tmp_path: Path) -> None:
    async with open_shop(folder=tmp_path) as shop:
        number = await paid_card(shop)
    async with open_sandbox(folder=tmp_path) as again:
        [notice] = await again.notices()
        assert notice["acknowledged_at"] is None
        assert number in notice["body"]
        assert (await again.captured())["captured_twd"] == 250


async def test_by_itself_it_sends_at_once() -> None:
    heard = asyncio.Event()

    async def wait_for(shop: Shop, count: int) -> None:
        while len(shop.heard) < count:
            heard.clear()
            await heard.wait()

    async with open_shop(sends_by_itself=True, retry_seconds=(0.01,)) as shop, asyncio.timeout(20):
        shop.on_heard = heard.set
        shop.answer = "0|Error"
        await paid_card(shop)
        await wait_for(shop, 2)  # the first, and the one after it failed
        shop.answer = ACKNOWLEDGED
        await paid_card(shop)
        await wait_for(shop, 3)


async def test_duplicates_come_all_at_once(shop: Shop) -> None:
    await shop.sandbox.misbehave("duplicate", copies=10)
    await paid_card(shop)
    await paid_card(shop)
    assert await shop.sandbox.deliver() == ["200 1|OK"] * 11
    told = [one["MerchantTradeNo"] for one in shop.heard]
    assert sorted(told.count(number) for number in set(told)) == [1, 10]
    assert (await shop.sandbox.captured())["payments"] == 2


async def test_what_is_late_comes_late(shop: Shop) -> None:
    await shop.sandbox.misbehave("late", seconds=3600)
    await paid_card(shop)
    assert await later(shop, 3500) == []
    assert await later(shop, 101) == ["200 1|OK"]


async def test_what_is_reordered_tells_of_the_code_after_the_payment(shop: Shop) -> None:
    await shop.sandbox.misbehave("reordered")
    number, code = await shop.order("CVS")
    assert await shop.sandbox.deliver() == []
    await shop.sandbox.pay(code)
    await shop.sandbox.deliver()
    assert [told["RtnCode"] for told in shop.heard] == ["1", "10100073"]
    assert {told["MerchantTradeNo"] for told in shop.heard} == {number}


async def test_nothing_is_told_of_what_was_silenced(shop: Shop) -> None:
    await shop.sandbox.misbehave("silent")
    number = await paid_card(shop)
    assert await shop.sandbox.deliver() == []
    assert (await shop.query(number))["TradeStatus"] == "1"


async def test_a_forged_notice_is_right_but_for_its_signature(shop: Shop) -> None:
    await shop.sandbox.misbehave("forged")
    await paid_card(shop)
    await shop.sandbox.deliver()
    [told] = shop.heard
    assert not MERCHANT.has_signed(told)
    assert (told["RtnCode"], len(told["CheckMacValue"])) == ("1", 64)
    assert MERCHANT.has_signed({**told, **MERCHANT.sign(told)})


async def test_a_wrong_amount_is_really_paid(shop: Shop) -> None:
    await shop.sandbox.misbehave("wrong_amount", amount=25)
    number = await paid_card(shop)
    _, account = await shop.order("ATM")
    await shop.sandbox.pay(account, amount=300)
    await shop.sandbox.deliver()
    assert sorted(t["TradeAmt"] for t in shop.heard if t["RtnCode"] == "1") == ["25", "300"]
    assert (await shop.query(number))["TradeAmt"] == "25"
    assert (await shop.sandbox.captured())["captured_twd"] == 325


async def test_a_simulated_payment_moves_no_money(shop: Shop) -> None:
    await shop.sandbox.misbehave("simulated")
    number = await paid_card(shop)
    await shop.sandbox.deliver()
    [told] = shop.heard
    assert (told["SimulatePaid"], told["RtnCode"]) == ("1", "1")
    assert MERCHANT.has_signed(told)
    assert (await shop.query(number))["TradeStatus"] == "0"
    assert (await shop.sandbox.captured())["payments"] == 0


@pytest.mark.parametrize(
    ("kind", "signed", "simulated"),
    [("forged", False, "0"), ("simulated", True, "1"), ("true", True, "0")],
)
async def test_a_notice_can_be_made_up(
    shop: Shop, kind: str, *, signed: bool, simulated: str
) -> None:
    number, _ = await shop.order("ATM", PaymentInfoURL="")
    await shop.sandbox.claim_paid(number, kind=kind, amount=7)
    await shop.sandbox.deliver()
    [told] = shop.heard
    assert (told["RtnCode"], told["TradeAmt"], told["SimulatePaid"]) == ("1", "7", simulated)
    assert MERCHANT.has_signed(told) is signed
    assert (await shop.sandbox.captured())["payments"] == 0


async def test_a_fault_is_for_the_order_it_names_and_happens_as_often_as_it_says(
    shop: Shop,
) -> None:
    mine, _ = await shop.order("Credit")
    await shop.sandbox.misbehave("silent", number=mine)
    await paid_card(shop)
    assert len(await shop.sandbox.deliver()) == 1
    await shop.sandbox.pay(mine)
    assert await shop.sandbox.deliver() == []
    await shop.sandbox.misbehave("silent", times=2)
    for expected in (0, 0, 1):
        await paid_card(shop)
        assert len(await shop.sandbox.deliver()) == expected


async def test_good_behaviour_can_be_had_back(shop: Shop) -> None:
    await shop.sandbox.misbehave("silent", times=100)
    await shop.sandbox.behave()
    await paid_card(shop)
    assert len(await shop.sandbox.deliver()) == 1


async def test_an_order_that_names_nobody_to_tell_is_issued_quietly(shop: Shop) -> None:
    await shop.order("CVS", PaymentInfoURL="")
    assert await shop.sandbox.deliver() == []


async def test_time_does_not_pass_backwards_for_what_is_due(shop: Shop) -> None:
    await paid_card(shop)
    assert await later(shop, -timedelta(days=1).total_seconds()) == []
    assert await later(shop, timedelta(days=1).total_seconds() + 1) == ["200 1|OK"]
