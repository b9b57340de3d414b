"""The sandbox's answers, wrong on demand: slow, broken, or none at all after the work was done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError

from tests.deploy.shop import QUERY, Shop, line_order, open_shop

ACTION = "/CreditDetail/DoAction"
CONFIRMATION = {"amount": 250, "currency": "TWD"}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def approved(shop: Shop) -> tuple[str, str]:
    """Approve a payment at LINE Pay; return the order's number and the path of confirmation."""
    order = line_order()
    info = (await shop.line("POST", "/v3/payments/request", order))["info"]
    await shop.sandbox.approve(info["paymentUrl"]["web"])
    return order["orderId"], f"/v3/payments/{info['transactionId']}/confirm"


async def post_query(shop: Shop, number: str) -> int:
    return (await shop.ask(QUERY, await shop.about(number)))[0]


async def captured(shop: Shop) -> int:
    return int((await shop.sandbox.captured())["captured_twd"])


@pytest.mark.parametrize("done", [True, False])
async def test_an_answer_never_comes_though_the_money_was_taken_or_was_not(
    shop: Shop, *, done: bool
) -> None:
    order_id, path = await approved(shop)
    await shop.sandbox.misbehave("hang", on="confirm", number=order_id, seconds=0, done=done)
    with pytest.raises(ClientError):
        await shop.line("POST", path, CONFIRMATION)
    assert await captured(shop) == (250 if done else 0)
    told = await shop.line("POST", path, CONFIRMATION)
    assert told["returnCode"] == ("1152" if done else "0000")
    assert await captured(shop) == 250


@pytest.mark.parametrize("done", [True, False])
async def test_a_server_error_says_nothing_about_the_money(shop: Shop, *, done: bool) -> None:
    _, path = await approved(shop)
    await shop.sandbox.misbehave("fail", on="confirm", done=done)
    with pytest.raises(AssertionError, match="asked for"):
        await shop.line("POST", path, CONFIRMATION)
    assert await captured(shop) == (250 if done else 0)


@pytest.mark.parametrize(
    ("moment", "code", "done"),
    [
        ("request", "1172", True),
        ("confirm", "1198", True),
        ("confirm", "1152", False),
        ("confirm", "9000", True),
    ],
)
async def test_a_code_can_be_answered_whatever_the_truth_is(
    shop: Shop, moment: str, code: str, *, done: bool
) -> None:
    if moment == "request":
        body: Any = line_order()
        order_id, path = body["orderId"], "/v3/payments/request"
    else:
        body = CONFIRMATION
        order_id, path = await approved(shop)
    await shop.sandbox.misbehave("code", on=moment, code=code, number=order_id, done=done)
    told = await shop.line("POST", path, body)
    assert (told["returnCode"], "info" in told) == (code, False)
    again = await shop.line("POST", path, body)
    truth = {("request", True): "1172", ("confirm", True): "1152", ("confirm", False): "0000"}
    assert again["returnCode"] == truth[moment, done]


async def test_the_same_call_twice_at_once_is_refused_once(shop: Shop) -> None:
    _, path = await approved(shop)
    await shop.sandbox.misbehave("slow", on="confirm", seconds=0.2)
    answers = await asyncio.gather(*(shop.line("POST", path, CONFIRMATION) for _ in range(2)))
    assert sorted(told["returnCode"] for told in answers) == ["0000", "1198"]
    assert await captured(shop) == 250


async def test_a_slow_answer_is_a_true_one(shop: Shop) -> None:
    number, code = await shop.order("CVS")
    await shop.sandbox.pay(code)
    await shop.sandbox.misbehave("slow", on="query", seconds=0.01)
    assert (await shop.query(number))["TradeStatus"] == "1"


async def test_a_question_to_ecpay_can_go_wrong_in_every_way(shop: Shop) -> None:
    number, code = await shop.order("CVS")
    await shop.sandbox.pay(code)
    await shop.sandbox.misbehave("code", on="query", code="10300066")
    assert (await shop.query(number))["TradeStatus"] == "10300066"
    await shop.sandbox.misbehave("fail", on="query")
    assert await post_query(shop, number) == 500
    await shop.sandbox.misbehave("hang", on="query", seconds=0)
    with pytest.raises(ClientError):
        await post_query(shop, number)
    assert (await shop.query(number))["TradeStatus"] == "1"


async def test_a_cards_refund_can_be_lost_on_the_way_back(shop: Shop) -> None:
    number, _ = await shop.order("Credit")
    await shop.sandbox.pay(number)
    trade_no = (await shop.sandbox.order(number))["trade_no"]
    await shop.sandbox.misbehave("hang", on="action", seconds=0)
    asked = {"TradeNo": trade_no, "MerchantTradeNo": number, "Action": "R", "TotalAmount": "192"}
    with pytest.raises(ClientError):
        await shop.ask(ACTION, asked)
    assert (await shop.sandbox.captured())["refunded_twd"] == 192


async def test_the_cashier_can_be_down(shop: Shop) -> None:
    form = shop.form("CVS")
    await shop.sandbox.misbehave("fail", on="checkout", done=False)
    with pytest.raises(AssertionError, match="asked for"):
        await shop.sandbox.check_out(form)
    await shop.sandbox.check_out(form)


async def test_who_waits_for_an_answer_is_let_go_when_the_sandbox_ends() -> None:
    async with open_shop() as shop:
        await shop.sandbox.misbehave("hang", on="query", seconds=3600)
        waiting = asyncio.create_task(post_query(shop, "X"))
        while await shop.sandbox.faults():
            await asyncio.sleep(0)
    with pytest.raises(ClientError):
        await waiting


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "explode"},
        {"kind": "hang", "on": "paid"},
        {"kind": "forged", "on": "query"},
        {"kind": "code", "on": "query"},
        {"kind": "code", "on": "query", "code": "x"},
        {"kind": "late", "seconds": -1},
        {"kind": "late", "minutes": 1},
        {"kind": "silent", "times": 0},
    ],
)
async def test_a_fault_that_cannot_happen_is_not_promised(
    shop: Shop, fault: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError, match="validation error"):
        await shop.sandbox.misbehave(**fault)


async def test_the_shops_own_mistakes_use_up_no_fault(shop: Shop) -> None:
    await shop.sandbox.misbehave("fail", on="query")
    _, _, text = await shop.ask(QUERY, {"MerchantTradeNo": "X"})
    assert text.startswith("0|")
    assert len(await shop.sandbox.faults()) == 1
