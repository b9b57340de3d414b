"""The sandbox's ECPay: which orders its cashier takes, what they are paid with, and until when."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from deploy.sandbox.clock import TAIPEI
from deploy.sandbox.ecpay import slips
from deploy.sandbox.ecpay.mac import Merchant
from deploy.sandbox.ecpay.orders import REQUIRED
from deploy.sandbox.rules import MERCHANTS
from tests.deploy.shop import Shop, open_shop
from tests.sandbox import MERCHANT

METHODS = ["Credit", "ATM", "CVS", "BARCODE"]
CODES = ["ATM", "CVS", "BARCODE"]
NOON = datetime(2026, 5, 1, 12, tzinfo=TAIPEI)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def refusal(shop: Shop, form: dict[str, str]) -> str:
    """The page that the browser is shown instead of the cashier."""
    url = f"{shop.sandbox.ecpay}/Cashier/AioCheckOut/V5"
    answer = await shop.sandbox.session.post(url, data=form, allow_redirects=False)
    assert answer.status == 400
    return await answer.text()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("merchant", MERCHANTS.values(), ids=MERCHANTS)
async def test_an_order_in_order_opens_the_cashier(
    shop: Shop, method: str, merchant: Merchant
) -> None:
    form = shop.form_of(merchant, method, ClientBackURL="https://shop.example/?a=1&b=2")
    page = await shop.sandbox.check_out(form)
    answer = await shop.sandbox.session.get(page)
    text = await answer.text()
    assert answer.status == 200
    assert "NT$250" in text
    assert "初級認證報名費" in text
    assert form["MerchantTradeNo"] in text
    assert '<a href="https://shop.example/?a=1&amp;b=2">' in text
    assert "沙盒" in text


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"MerchantID": "3002608"}, "MerchantID"),
        ({"EncryptType": "0"}, "EncryptType"),
        ({"ChoosePayment": "ALL"}, "10200141"),
        ({"ChoosePayment": "WebATM"}, "10200141"),
        ({"PaymentType": "AIO"}, "PaymentType"),
        ({"MerchantTradeNo": "A" * 21}, "MerchantTradeNo"),
        ({"MerchantTradeNo": "EH-1"}, "10200052"),
        ({"MerchantTradeNo": "報名1"}, "10200052"),
        ({"MerchantTradeDate": "2026-05-01 09:30:00"}, "MerchantTradeDate"),
        ({"MerchantTradeDate": "2026/5/1 9:30:00"}, "MerchantTradeDate"),
        ({"MerchantTradeDate": "2026/02/30 09:30:00"}, "MerchantTradeDate"),
        ({"MerchantTradeDate": "2026/05/01 09:30"}, "MerchantTradeDate"),
        ({"TotalAmount": "250.0"}, "TotalAmount"),
        ({"TotalAmount": "0"}, "TotalAmount"),
        ({"TotalAmount": "-250"}, "TotalAmount"),
        ({"TotalAmount": "0250"}, "TotalAmount"),
        ({"TotalAmount": "２５０"}, "TotalAmount"),
        ({"TradeDesc": ""}, "TradeDesc"),
        ({"TradeDesc": "費" * 201}, "TradeDesc"),
        ({"ItemName": "費" * 401}, "ItemName"),
        ({"ItemName": "<b>費</b>"}, "ItemName"),
        ({"ItemName": "費\x07"}, "ItemName"),
        ({"ItemName": "Python course"}, "firewall"),
        ({"TradeDesc": "How to curl"}, "firewall"),
        ({"ReturnURL": "/notices"}, "ReturnURL"),
        ({"ReturnURL": "ftp://shop.example/"}, "ReturnURL"),
        ({"ReturnURL": "https://shop.example:0x/"}, "ReturnURL"),
        ({"ReturnURL": "https://shop.example/" + "x" * 200}, "ReturnURL"),
        ({"ReturnURL": "https://shop.example/", "ClientBackURL": "https://shop.example/"}, "same"),
        ({"CustomField1": "x" * 51}, "CustomField1"),
        ({"Language": "FRA"}, "Language"),
        ({"NeedExtraPaidInfo": "yes"}, "NeedExtraPaidInfo"),
        ({"StoreExpireDays": "3"}, "StoreExpireDays"),
    ],
)
async def test_an_order_that_is_wrong_is_refused_though_it_is_signed(
    shop: Shop, changed: dict[str, str], word: str
) -> None:
    assert word in await refusal(shop, shop.form("CVS", **changed))


@pytest.mark.parametrize("name", sorted(REQUIRED - {"CheckMacValue"}))
async def test_what_is_required_cannot_be_left_out(shop: Shop, name: str) -> None:
    page = await refusal(shop, shop.form("CVS", **{name: ""}))
    assert "10200073" not in page, "it is signed"


async def test_an_order_without_a_signature_is_refused(shop: Shop) -> None:
    form = {name: value for name, value in shop.form("CVS").items() if name != "CheckMacValue"}
    assert "10200073" in await refusal(shop, form)


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        *(("CVS", {"TotalAmount": amount}) for amount in ("32", "6001")),
        *(("BARCODE", {"TotalAmount": amount}) for amount in ("16", "20001")),
        *(("ATM", {"TotalAmount": amount}) for amount in ("10", "50000")),
        *(("CVS", {"StoreExpireDate": minutes}) for minutes in ("0", "43201", "x")),
        *(("BARCODE", {"StoreExpireDate": days}) for days in ("0", "31", "1.5")),
        *(("ATM", {"ExpireDate": days}) for days in ("0", "61")),
        ("ATM", {"StoreExpireDate": "3"}),
        ("CVS", {"ExpireDate": "3"}),
        ("Credit", {"ExpireDate": "3"}),
        ("Credit", {"PaymentInfoURL": "https://shop.example/"}),
        *((method, {"OrderResultURL": "https://shop.example/"}) for method in CODES),
    ],
)
async def test_each_method_has_bounds_of_its_own(
    shop: Shop, method: str, changed: dict[str, str]
) -> None:
    assert next(iter(changed)) in await refusal(shop, shop.form(method, **changed))


@pytest.mark.parametrize(
    ("method", "amount"),
    [
        *(("CVS", "33"), ("CVS", "6000"), ("BARCODE", "17"), ("BARCODE", "20000")),
        *(("ATM", "11"), ("ATM", "49999"), ("Credit", "1")),
    ],
)
async def test_the_bounds_themselves_are_within(shop: Shop, method: str, amount: str) -> None:
    await shop.sandbox.check_out(shop.form(method, TotalAmount=amount))


async def test_a_form_that_was_changed_after_it_was_signed_is_refused(shop: Shop) -> None:
    for name, value in (("TotalAmount", "1"), ("CustomField1", ""), ("CheckMacValue", "0" * 64)):
        assert "10200073" in await refusal(shop, {**shop.form("CVS"), name: value})
    signed_by_another = {**shop.form_of(MERCHANTS["2000132"], "CVS"), "MerchantID": "3002607"}
    assert "10200073" in await refusal(shop, signed_by_another)


async def test_a_number_is_used_once_for_ever_whatever_became_of_it(shop: Shop) -> None:
    form = shop.form("Credit")
    await shop.sandbox.check_out(form)
    assert "10300028" in await refusal(shop, form)
    await shop.sandbox.decline(form["MerchantTradeNo"])
    again = shop.form("CVS", MerchantTradeNo=form["MerchantTradeNo"])
    assert "10300028" in await refusal(shop, again)
    await shop.sandbox.check_out(
        shop.form_of(MERCHANTS["2000132"], "CVS", MerchantTradeNo=form["MerchantTradeNo"])
    )


async def test_a_field_cannot_be_given_twice(shop: Shop) -> None:
    fields = [*shop.form("CVS").items(), ("TotalAmount", "250")]
    answer = await shop.sandbox.session.post(
        f"{shop.sandbox.ecpay}/Cashier/AioCheckOut/V5", data=fields
    )
    assert answer.status == 400
    assert "more than once" in await answer.text()


@pytest.mark.parametrize(
    ("method", "changed", "last"),
    [
        ("CVS", {"StoreExpireDate": "90"}, NOON + timedelta(minutes=90)),
        ("CVS", {"StoreExpireDate": ""}, NOON + timedelta(days=7)),
        ("BARCODE", {"StoreExpireDate": "3"}, NOON + timedelta(days=3)),
        ("ATM", {"ExpireDate": "5"}, datetime(2026, 5, 6, 23, 59, 59, tzinfo=TAIPEI)),
    ],
)
async def test_a_code_can_be_paid_until_it_expires_and_not_a_second_longer(
    shop: Shop, method: str, changed: dict[str, str], last: datetime
) -> None:
    # The clock goes on while the test runs: a minute early is still in time.
    await shop.sandbox.set_time(NOON)
    _, in_time = await shop.order(method, **changed)
    number, late = await shop.order(method, **changed)
    until = datetime.fromtimestamp((await shop.sandbox.order(number))["expires_at"], TAIPEI)
    assert timedelta(0) <= until - last < timedelta(minutes=1)
    await shop.sandbox.set_time(last - timedelta(minutes=1))
    await shop.sandbox.pay(in_time)
    await shop.sandbox.set_time(until + timedelta(seconds=1))
    with pytest.raises(AssertionError, match="time for payment is over"):
        await shop.sandbox.pay(late)
    assert (await shop.sandbox.captured())["payments"] == 1
    assert (await shop.query(number))["TradeStatus"] == "0"


async def test_what_is_issued_looks_like_what_it_is(shop: Shop) -> None:
    await shop.sandbox.set_time(NOON)
    for method in CODES:
        await shop.order(method, StoreExpireDate="2" if method == "BARCODE" else "")
    await shop.sandbox.deliver()
    account, code, slip = shop.heard
    assert all(MERCHANT.has_signed(told) for told in shop.heard)
    assert (account["RtnCode"], account["BankCode"]) == ("2", "004")
    assert (account["PaymentType"], account["ExpireDate"]) == ("ATM_BOT", "2026/05/04")
    assert account["vAccount"].isdecimal()
    assert len(account["vAccount"]) == 16
    assert (code["RtnCode"], code["PaymentType"]) == ("10100073", "CVS_CVS")
    assert code["PaymentNo"].startswith("LLL")
    assert [code[f"Barcode{n}"] for n in (1, 2, 3)] == ["", "", ""]
    segments = [slip[f"Barcode{n}"] for n in (1, 2, 3)]
    assert (slip["RtnCode"], slip["PaymentNo"]) == ("10100073", "")
    assert slips.is_sound(*segments)
    assert segments[0] == "1505036EA", "due on 3 May of the year 115"
    assert segments[2].endswith("000000250")
    assert slip["ExpireDate"].startswith("2026/05/03 12:00")


async def test_a_code_is_issued_once_and_only_while_the_cashier_is_open(shop: Shop) -> None:
    number, _ = await shop.order("CVS")
    page = f"{shop.sandbox.ecpay}/cashier/{(await shop.sandbox.order(number))['trade_no']}"
    with pytest.raises(AssertionError, match="No code can be issued"):
        await shop.sandbox.press(page, "issue")
    form = shop.form("CVS")
    page = await shop.sandbox.check_out(form)
    assert (await shop.query(form["MerchantTradeNo"]))["TradeStatus"] == "0"
    await shop.sandbox.set_time(datetime.now(TAIPEI) + timedelta(minutes=31))
    with pytest.raises(AssertionError, match="No code can be issued"):
        await shop.sandbox.press(page, "issue")
    assert (await shop.query(form["MerchantTradeNo"]))["TradeStatus"] == "10200095"


async def test_only_the_cashiers_own_page_presses_its_buttons(shop: Shop) -> None:
    page = await shop.sandbox.check_out(shop.form("Credit"))
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await shop.sandbox.session.post(page, data={"choice": "pay"}, headers=headers)
        assert answer.status == 403
    assert (await shop.sandbox.captured())["payments"] == 0


async def test_a_card_is_paid_or_declined_once(shop: Shop) -> None:
    result = "https://shop.example/result"
    paid, _ = await shop.order("Credit", OrderResultURL=result)
    page = f"{shop.sandbox.ecpay}/cashier/{(await shop.sandbox.order(paid))['trade_no']}"
    await shop.sandbox.press(page, "pay")
    answer = await shop.sandbox.session.get(page)
    assert "form-action 'self' https://shop.example" in answer.headers["Content-Security-Policy"]
    assert f'<form action="{result}" method="post">' in await answer.text()
    assert 'name="RtnCode" value="1"' in await answer.text()
    declined, _ = await shop.order("Credit")
    await shop.sandbox.decline(declined)
    for number in (paid, declined):
        with pytest.raises(AssertionError, match=r"paid already|cannot be paid"):
            await shop.sandbox.pay(number)
    await shop.sandbox.deliver()
    assert [(told["MerchantTradeNo"], told["RtnCode"]) for told in shop.heard] == [
        (paid, "1"),
        (declined, "10100248"),
    ]
    assert (await shop.query(declined))["TradeStatus"] == "10200095"
    assert (await shop.sandbox.captured())["captured_twd"] == 250
