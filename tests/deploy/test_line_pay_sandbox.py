"""The sandbox's LINE Pay: requests, the payer's page, confirmation, and what is refused."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from yarl import URL

from tests.deploy.shop import Shop, line_order, open_shop

REQUEST = "/v3/payments/request"
CONFIRMATION = {"amount": 250, "currency": "TWD"}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def request(shop: Shop, order_id: str = "") -> tuple[str, str]:
    """Ask for a payment; return its number and the payer's page."""
    told = await shop.line("POST", REQUEST, line_order(order_id))
    assert told["returnCode"] == "0000", told
    return str(told["info"]["transactionId"]), told["info"]["paymentUrl"]["web"]


async def state(shop: Shop, number: str) -> str:
    told = await shop.line("GET", f"/v3/payments/requests/{number}/check")
    return str(told["returnCode"])


async def confirm(shop: Shop, number: str, **changed: Any) -> str:
    path = f"/v3/payments/{number}/confirm"
    return str((await shop.line("POST", path, {**CONFIRMATION, **changed}))["returnCode"])


async def test_a_payment_is_requested_approved_and_confirmed(shop: Shop) -> None:
    order = line_order()
    told = await shop.line("POST", REQUEST, order)
    number, page = told["info"]["transactionId"], told["info"]["paymentUrl"]["web"]
    assert len(str(number)) == 19
    assert int(float(number)) != number, "it must not pass through a float"
    assert page.startswith(shop.sandbox.url)
    assert "paymentProvider" not in told["info"]
    assert await state(shop, str(number)) == "0000"
    text = await (await shop.sandbox.session.get(page)).text()
    assert "NT$250" in text
    assert "初級認證報名費" in text
    back = URL(await shop.sandbox.approve(page))
    assert back.with_query(None) == URL("https://shop.example/confirm")
    expected = {"language": "en", "transactionId": str(number), "orderId": order["orderId"]}
    assert dict(back.query) == expected
    assert await state(shop, str(number)) == "0110"
    assert (await shop.sandbox.captured())["payments"] == 0, "to approve is not to pay"
    told = await shop.line("POST", f"/v3/payments/{number}/confirm", CONFIRMATION)
    assert (told["returnCode"], told["info"]["orderId"]) == ("0000", order["orderId"])
    assert sum(one["amount"] for one in told["info"]["payInfo"]) == 250
    assert await state(shop, str(number)) == "0123"
    assert (await shop.sandbox.captured())["captured_twd"] == 250


async def test_version_4_has_the_same_paths_and_names_the_provider(shop: Shop) -> None:
    told = await shop.line("POST", "/v4/payments/request", line_order())
    assert told["info"]["paymentProvider"]
    number = told["info"]["transactionId"]
    await shop.sandbox.approve(told["info"]["paymentUrl"]["web"])
    told = await shop.line("POST", f"/v4/payments/{number}/confirm", CONFIRMATION)
    assert told["returnCode"] == "0000"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-LINE-ChannelId": "9999999999"},
        {"X-LINE-ChannelId": ""},
        {"X-LINE-Authorization": ""},
        {"X-LINE-Authorization": base64.b64encode(b"x" * 32).decode()},
        {"X-LINE-Authorization-Nonce": str(uuid4())},
        {"Content-Type": "text/plain"},
    ],
)
async def test_who_does_not_sign_is_nobody(shop: Shop, headers: dict[str, str]) -> None:
    order = line_order()
    assert (await shop.line("POST", REQUEST, order, headers=headers))["returnCode"] == "1106"
    number, page = await request(shop, order["orderId"])  # it was not used up
    await shop.sandbox.approve(page)
    path = f"/v3/payments/{number}/confirm"
    told = await shop.line("POST", path, CONFIRMATION, headers=headers)
    assert told["returnCode"] == "1106"
    assert (await shop.sandbox.captured())["payments"] == 0


@pytest.mark.parametrize(
    "nonce", ["12345", "021a6bb9ed184562b9bdad07a27532f6", "{021a6bb9-ed18-4562-b9bd-ad07a27532f6}"]
)
async def test_a_nonce_is_a_uuid(shop: Shop, nonce: str) -> None:
    told = await shop.line("POST", REQUEST, line_order(), nonce=nonce)
    assert told["returnCode"] == "1106"
    right = "021a6bb9-ed18-4562-b9bd-ad07a27532f6"
    told = await shop.line("POST", REQUEST, line_order(), nonce=right)
    assert told["returnCode"] == "0000"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        *(({"amount": amount}, "2101") for amount in (0, -1, "250", 250.5, True, None)),
        ({"amount": 251}, "1124"),
        ({"currency": "JPY"}, "2101"),
        ({"currency": None}, "2101"),
        ({"orderId": ""}, "2101"),
        ({"orderId": "x" * 101}, "2101"),
        ({"packages": []}, "2101"),
        ({"redirectUrls": {"confirmUrl": "https://shop.example/"}}, "2101"),
        ({"redirectUrls": {"confirmUrl": "/confirm", "cancelUrl": "/cancel"}}, "2101"),
    ],
)
async def test_a_request_that_is_wrong_is_refused(
    shop: Shop, changed: dict[str, Any], code: str
) -> None:
    assert (await shop.line("POST", REQUEST, line_order(**changed)))["returnCode"] == code


@pytest.mark.parametrize(
    ("product", "amount", "code"),
    [
        ({"name": "費", "quantity": 2, "price": 250}, 250, "1124"),
        ({"name": "費", "quantity": 1, "price": 250}, 200, "1124"),
        ({"name": "費", "quantity": 0, "price": 250}, 250, "2101"),
        ({"name": "費", "quantity": 1, "price": "250"}, 250, "2101"),
        ({"name": "", "quantity": 1, "price": 250}, 250, "2101"),
        ({"quantity": 1, "price": 250}, 250, "2101"),
    ],
)
async def test_products_add_up_to_packages_and_packages_to_the_amount(
    shop: Shop, product: dict[str, Any], amount: int, code: str
) -> None:
    packages = [{"id": "1", "amount": amount, "name": "認證", "products": [product]}]
    told = await shop.line("POST", REQUEST, line_order(packages=packages))
    assert told["returnCode"] == code


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b'"x"'])
async def test_a_body_must_be_an_object_of_json(shop: Shop, raw: bytes) -> None:
    assert (await shop.line("POST", REQUEST, raw=raw))["returnCode"] in {"2102", "2101"}


async def test_the_signature_is_over_the_bytes_and_not_their_meaning(shop: Shop) -> None:
    spaced = json.dumps(line_order(), ensure_ascii=False, indent=3).encode()
    assert (await shop.line("POST", REQUEST, raw=spaced))["returnCode"] == "0000"


async def test_an_order_number_is_used_once_for_ever(shop: Shop) -> None:
    _, page = await request(shop, "EH-1")
    assert (await shop.line("POST", REQUEST, line_order("EH-1")))["returnCode"] == "1172"
    await shop.sandbox.cancel(page)
    assert (await shop.line("POST", REQUEST, line_order("EH-1")))["returnCode"] == "1172"


async def test_money_is_taken_only_for_what_was_approved_and_only_once(shop: Shop) -> None:
    number, page = await request(shop)
    assert await confirm(shop, number) == "1169", "nobody has approved"
    await shop.sandbox.approve(page)
    assert await confirm(shop, number, amount=249) == "1153"
    assert await confirm(shop, number, currency="JPY") == "2101"
    assert await confirm(shop, number, amount="250") == "2101"
    assert await confirm(shop, number) == "0000"
    assert await confirm(shop, number) == "1152"
    assert await confirm(shop, "2026050100000000000") == "1150"
    assert (await shop.sandbox.captured())["payments"] == 1


async def test_who_closes_the_browser_after_approving_is_found_by_asking(shop: Shop) -> None:
    number, page = await request(shop)
    assert await shop.sandbox.approve(page, comes_back=False) == page
    assert await state(shop, number) == "0110"
    assert await confirm(shop, number) == "0000"


async def test_who_cancels_or_cannot_pay_has_paid_nothing(shop: Shop) -> None:
    cancelled, page = await request(shop)
    back = URL(await shop.sandbox.cancel(page))
    assert (back.path, back.query["transactionId"]) == ("/cancel", cancelled)
    failed, other_page = await request(shop)
    await shop.sandbox.fail(other_page)
    assert [await state(shop, number) for number in (cancelled, failed)] == ["0121", "0122"]
    for number in (cancelled, failed):
        assert await confirm(shop, number) == "1150"
    with pytest.raises(AssertionError, match="Cancelled, or too late"):
        await shop.sandbox.approve(page)


async def test_a_request_that_nobody_confirms_runs_out_after_twenty_minutes(shop: Shop) -> None:
    unseen, _ = await request(shop)
    approved, page = await request(shop)
    await shop.sandbox.approve(page)
    asked_at = await shop.sandbox.now()
    for minutes, states in ((19, ["0000", "0110"]), (21, ["0121", "0121"])):
        await shop.sandbox.set_time(asked_at + timedelta(minutes=minutes))
        assert [await state(shop, number) for number in (unseen, approved)] == states
    assert await confirm(shop, approved) == "1150"


async def test_only_its_own_page_presses_its_buttons(shop: Shop) -> None:
    number, page = await request(shop)
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await shop.sandbox.session.post(page, data={"choice": "approve"}, headers=headers)
        assert answer.status == 403
    assert await state(shop, number) == "0000"
    answer = await shop.sandbox.session.get(page)
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example" in policy


async def test_pages_and_numbers_that_do_not_exist_lead_nowhere(shop: Shop) -> None:
    for path in ("pay/unknown", "v3/payments/1/confirm", "v2/payments/request"):
        answer = await shop.sandbox.session.get(f"{shop.sandbox.line_pay}/{path}")
        assert answer.status in {404, 405}
    assert await state(shop, "2026050100000000000") == "1150"
