"""The sandbox's LINE Pay: what it tells of a payment, and how much of it goes back."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.deploy.shop import Shop, line_order, open_shop

CONFIRMATION = {"amount": 250, "currency": "TWD"}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def paid(shop: Shop) -> tuple[str, str]:
    """Pay; return the order's number and the payment's."""
    order = line_order()
    info = (await shop.line("POST", "/v3/payments/request", order))["info"]
    await shop.sandbox.approve(info["paymentUrl"]["web"])
    number = info["transactionId"]
    told = await shop.line("POST", f"/v3/payments/{number}/confirm", CONFIRMATION)
    assert told["returnCode"] == "0000"
    return order["orderId"], str(number)


async def refund(shop: Shop, number: str, amount: Any = None) -> dict[str, Any]:
    body = {} if amount is None else {"refundAmount": amount}
    raw = json.dumps(body).encode()
    return await shop.line("POST", f"/v3/payments/{number}/refund", raw=raw)


async def details(shop: Shop, query: str) -> dict[str, Any]:
    return await shop.line("GET", f"/v3/payments?{query}")


async def test_a_payment_is_found_by_either_of_its_numbers(shop: Shop) -> None:
    order_id, number = await paid(shop)
    for query in (f"transactionId={number}", f"orderId={order_id}"):
        [found] = (await details(shop, query))["info"]
        assert (found["transactionId"], found["orderId"]) == (int(number), order_id)
        assert found["payInfo"] == [{"method": "BALANCE", "amount": 250}]
        assert "refundList" not in found
    both = f"transactionId={number}&orderId={order_id}"
    assert len((await details(shop, both))["info"]) == 1


async def test_what_was_not_paid_is_not_found(shop: Shop) -> None:
    order = line_order()
    await shop.line("POST", "/v3/payments/request", order)
    assert (await details(shop, f"orderId={order['orderId']}"))["returnCode"] == "1150"
    assert (await details(shop, ""))["returnCode"] == "2101"


async def test_parts_go_back_until_all_is_gone_and_each_is_listed(shop: Shop) -> None:
    order_id, number = await paid(shop)
    first = await refund(shop, number, 192)
    assert first["returnCode"] == "0000"
    assert (await refund(shop, number, 59))["returnCode"] == "1164"
    second = await refund(shop, number, 58)
    assert (await refund(shop, number, 1))["returnCode"] == "1165"
    assert (await refund(shop, number))["returnCode"] == "1165"
    [found] = (await details(shop, f"orderId={order_id}"))["info"]
    assert [
        (one["refundTransactionId"], one["refundAmount"], one["transactionType"])
        for one in found["refundList"]
    ] == [
        (first["info"]["refundTransactionId"], 192, "PARTIAL_REFUND"),
        (second["info"]["refundTransactionId"], 58, "PARTIAL_REFUND"),
    ]
    money = await shop.sandbox.captured()
    assert (money["captured_twd"], money["refunded_twd"], money["refunds"]) == (250, 250, 2)


async def test_without_an_amount_all_of_it_goes_back(shop: Shop) -> None:
    order_id, number = await paid(shop)
    assert (await refund(shop, number))["returnCode"] == "0000"
    [found] = (await details(shop, f"orderId={order_id}"))["info"]
    [back] = found["refundList"]
    assert (back["refundAmount"], back["transactionType"]) == (250, "PAYMENT_REFUND")


async def test_only_what_was_paid_goes_back(shop: Shop) -> None:
    info = (await shop.line("POST", "/v3/payments/request", line_order()))["info"]
    number = str(info["transactionId"])
    assert (await refund(shop, number, 100))["returnCode"] == "1150"
    await shop.sandbox.approve(info["paymentUrl"]["web"])
    assert (await refund(shop, number, 100))["returnCode"] == "1150"
    assert (await refund(shop, "2026050100000000000", 1))["returnCode"] == "1150"


@pytest.mark.parametrize("amount", [0, -1, 1.5])
async def test_an_amount_is_a_whole_number_of_dollars(shop: Shop, amount: float) -> None:
    _, number = await paid(shop)
    assert (await refund(shop, number, amount))["returnCode"] == "2101"
    assert (await shop.sandbox.captured())["refunds"] == 0
