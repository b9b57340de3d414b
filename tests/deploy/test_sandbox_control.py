"""The sandbox's strings: paying at the counter, counting money, the day's file, and the page."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from deploy.sandbox.clock import TAIPEI
from deploy.sandbox.ecpay import slips
from deploy.sandbox.ecpay.settlement_file import COLUMNS
from tests.deploy.shop import Shop, line_order, open_shop
from tests.sandbox import FROM_ITS_OWN_PAGE

NOON = datetime(2026, 5, 1, 12, tzinfo=TAIPEI)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def post(shop: Shop, path: str, **form: str) -> tuple[int, str]:
    """Send a form of one of the sandbox's own pages; return the page after it."""
    url = f"{shop.sandbox.url}{path}"
    answer = await shop.sandbox.session.post(url, data=form, headers=FROM_ITS_OWN_PAGE)
    return answer.status, await answer.text()


async def get(shop: Shop, path: str) -> str:
    return await (await shop.sandbox.session.get(f"{shop.sandbox.url}{path}")).text()


async def test_the_counter_takes_codes_accounts_and_slips_of_three_barcodes(shop: Shop) -> None:
    for method in ("CVS", "ATM", "BARCODE"):
        number, code = await shop.order(method)
        order = await shop.sandbox.order(number)
        is_slip = method == "BARCODE"
        typed = f"*{order['barcode1']}* *{code}* *{order['barcode3']}*" if is_slip else code
        assert code in await get(shop, "/counter/")
        status, page = await post(shop, "/counter/", code=f" {typed.lower()} ", place="family")
        assert (status, "繳費證明" in page) == (200, True)
        assert ("全家" in page) == (method != "ATM")
        assert code not in await get(shop, "/counter/")
    assert (await shop.sandbox.captured())["captured_twd"] == 750


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"code": "LLL00000000000"}, "nothing to pay"),
        ({"code": ""}, "nothing to pay"),
        ({"amount": "12.5"}, "whole number"),
        ({"amount": "0"}, "the amount"),
        ({"amount": "999999999999999999999999"}, "the amount"),
        ({"amount": "249"}, "the amount"),
    ],
)
async def test_the_counter_says_why_it_takes_nothing(
    shop: Shop, typed: dict[str, str], words: str
) -> None:
    _, code = await shop.order("CVS")
    status, page = await post(shop, "/counter/", **{"code": code, **typed})
    assert status == 422
    assert "錯誤" in page
    assert words in page
    assert (await shop.sandbox.captured())["payments"] == 0


async def test_nothing_is_paid_twice_at_the_counter(shop: Shop) -> None:
    _, code = await shop.order("CVS")
    assert (await post(shop, "/counter/", code=code))[0] == 200
    status, page = await post(shop, "/counter/", code=code)
    assert (status, "paid already" in page) == (422, True)
    assert (await shop.sandbox.captured())["payments"] == 1


async def test_a_card_is_no_matter_for_the_counter(shop: Shop) -> None:
    number, _ = await shop.order("Credit")
    assert (await post(shop, "/counter/", code=number))[0] == 422


async def test_a_misread_slip_is_not_paid(shop: Shop) -> None:
    number, code = await shop.order("BARCODE")
    order = await shop.sandbox.order(number)
    third = order["barcode3"]
    status, page = await post(shop, "/counter/", code=f"{order['barcode1']} {code} {third[:-1]}9")
    assert (status, "misread" in page) == (422, True)
    other = slips.check_characters("1505036EA", code, third[:4] + third[6:])
    never_issued = f"1505036EA {code} {third[:4]}{other}{third[6:]}"
    status, page = await post(shop, "/counter/", code=never_issued)
    assert (status, "nothing to pay" in page) == (422, True)


async def test_an_amount_is_typed_at_a_bank_only(shop: Shop) -> None:
    _, account = await shop.order("ATM")
    status, page = await post(shop, "/counter/", code=account, amount="0")
    assert (status, "Enter an amount" in page) == (422, True)
    status, page = await post(shop, "/counter/", code=account, amount="2500")
    assert (status, "NT$2,500" in page) == (200, True)


async def test_an_expired_code_can_be_forced_to_be_paid(shop: Shop) -> None:
    _, code = await shop.order("CVS")
    await shop.sandbox.set_ahead(timedelta(days=1))
    with pytest.raises(AssertionError, match="time for payment is over"):
        await shop.sandbox.pay(code)
    await shop.sandbox.pay(code, also_expired=True)
    assert (await shop.sandbox.captured())["payments"] == 1


async def test_all_money_is_counted_by_method_and_one_by_one(shop: Shop) -> None:
    for method in ("CVS", "CVS", "ATM"):
        _, code = await shop.order(method)
        await shop.sandbox.pay(code)
    info = (await shop.line("POST", "/v3/payments/request", line_order("EH-L")))["info"]
    await shop.sandbox.approve(info["paymentUrl"]["web"])
    path = f"/v3/payments/{info['transactionId']}"
    await shop.line("POST", f"{path}/confirm", {"amount": 250, "currency": "TWD"})
    await shop.line("POST", f"{path}/refund", {"refundAmount": 192})
    money = await shop.sandbox.captured()
    assert (money["captured_twd"], money["payments"]) == (1000, 4)
    assert (money["refunded_twd"], money["refunds"]) == (192, 1)
    line_pay = {"captured_twd": 250, "payments": 1, "refunded_twd": 192, "refunds": 1}
    assert money["by_method"]["LINE Pay"] == line_pay
    assert money["by_method"]["CVS"]["captured_twd"] == 500
    moves = [(one["kind"], one["number"], one["amount_twd"]) for one in money["movements"]]
    assert moves[-2:] == [("captured", "EH-L", 250), ("refunded", "EH-L", 192)]


@pytest.mark.parametrize(("encoding", "codec"), [("big5", "cp950"), ("utf-8", "utf-8-sig")])
async def test_the_days_file_tells_what_was_paid_that_day(
    shop: Shop, encoding: str, codec: str
) -> None:
    await shop.sandbox.set_time(NOON)
    expected = []
    for method, name, fee in (("CVS", "超商代碼", 30), ("Credit", "信用卡", 7), ("ATM", "ATM", 15)):
        number, code = await shop.order(method)
        await shop.sandbox.pay(code or number, place="ibon")
        expected.append((number, code, "250", name, "已付款", str(250 - fee)))
    await shop.order("CVS")
    url = f"{shop.sandbox.ecpay}/settlement/2026-05-01.csv?encoding={encoding}"
    answer = await shop.sandbox.session.get(url)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="3002607_20260501.csv"'
    rows = list(csv.DictReader(io.StringIO((await answer.read()).decode(codec))))
    assert tuple(rows[0]) == COLUMNS
    names = ("特店訂單編號", "ATM條碼", "交易金額", "付款方式", "付款結果", "應收款項(淨額)")
    assert [tuple(row[name] for name in names) for row in rows] == expected
    assert {row["付款日期"][:15] for row in rows} == {"2026/05/01 12:0"}
    assert rows[0]["款項來源"] == "統一超商"
    assert {row["撥款狀態"] for row in rows} == {"未撥款"}
    next_day = await get(shop, "/ecpay/settlement/2026-05-02.csv?encoding=utf-8")
    assert next_day.count("\n") == 1
    await shop.sandbox.set_time(NOON + timedelta(days=11))
    assert "已撥款,2026/05/11" in await get(shop, "/ecpay/settlement/2026-05-01.csv?encoding=utf-8")


async def test_the_days_file_tells_what_went_back_that_day(shop: Shop) -> None:
    await shop.sandbox.set_time(NOON)
    number, _ = await shop.order("Credit")
    await shop.sandbox.pay(number)
    trade_no = (await shop.sandbox.order(number))["trade_no"]
    await shop.sandbox.set_time(NOON + timedelta(days=1))
    for amount in ("100", "92"):
        asked = {"MerchantTradeNo": number, "TradeNo": trade_no, "Action": "R"}
        await shop.ask("/CreditDetail/DoAction", {**asked, "TotalAmount": amount})
    paid = await get(shop, "/ecpay/settlement/2026-05-01.csv?encoding=utf-8")
    assert paid.count("已付款") == 1
    assert "已退款" not in paid
    back = await get(shop, "/ecpay/settlement/2026-05-02.csv?encoding=utf-8")
    rows = list(csv.DictReader(io.StringIO(back)))
    names = ("綠界交易序號", "特店訂單編號", "交易金額", "付款方式", "付款結果", "應收款項(淨額)")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (trade_no, number, f"-{amount}", "信用卡", "已退款", f"-{amount}") for amount in (100, 92)
    ]
    assert {row["付款日期"][:15] for row in rows} == {"2026/05/02 12:0"}
    assert {row["備註"] for row in rows} == {"退款"}


@pytest.mark.parametrize(
    "path", ["2026-13-01.csv", "2026-05-01.csv?encoding=x", "2026-05-01.csv?merchant=1"]
)
async def test_there_is_no_file_of_a_day_that_does_not_exist(shop: Shop, path: str) -> None:
    answer = await shop.sandbox.session.get(f"{shop.sandbox.ecpay}/settlement/{path}")
    assert answer.status == 400


async def test_faults_and_time_are_set_on_the_page(shop: Shop) -> None:
    status, page = await post(
        shop, "/control/", kind="duplicate", on="", number="EH7", times="2", copies="", done="true"
    )
    assert status == 200
    assert "Notices come many times at once" in page
    [fault] = await shop.sandbox.faults()
    chosen = {name: fault[name] for name in ("kind", "on", "number", "times", "copies")}
    assert chosen == {"kind": "duplicate", "on": "paid", "number": "EH7", "times": 2, "copies": 10}
    await post(shop, "/control/clear")
    assert await shop.sandbox.faults() == []
    await post(shop, "/control/ahead", days="3")
    assert await shop.sandbox.now() > datetime.now(TAIPEI) + timedelta(days=2, hours=23)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/control/", {"kind": "hang", "on": "paid"}),
        ("/control/", {"kind": "late", "seconds": "soon"}),
        ("/control/", {}),
        ("/control/ahead", {"days": "-1"}),
        ("/control/ahead", {"days": "99999"}),
    ],
)
async def test_what_cannot_be_set_is_shown_again(
    shop: Shop, path: str, form: dict[str, str]
) -> None:
    status, page = await post(shop, path, **form)
    assert (status, "錯誤" in page) == (422, True)
    assert await shop.sandbox.faults() == []


@pytest.mark.parametrize("path", ["/control/", "/control/clear", "/control/ahead", "/counter/"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}])
async def test_no_form_of_another_site_is_accepted(
    shop: Shop, path: str, headers: dict[str, str]
) -> None:
    url = f"{shop.sandbox.url}{path}"
    answer = await shop.sandbox.session.post(url, data={"days": "3"}, headers=headers)
    assert answer.status == 403


@pytest.mark.parametrize("what", ["faults", "payments", "declines", "notices"])
async def test_programs_speak_json_which_no_form_can(shop: Shop, what: str) -> None:
    url = f"{shop.sandbox.url}/control/{what}"
    answer = await shop.sandbox.session.post(url, data='{"kind": "silent", "code": "x"}')
    assert answer.status == 415
    answer = await shop.sandbox.session.post(url, json={"unheard": "of"})
    assert answer.status == 422


async def test_the_clock_tells_what_time_it_is_there(shop: Shop) -> None:
    await shop.sandbox.set_time(NOON)
    assert timedelta(0) <= await shop.sandbox.now() - NOON < timedelta(minutes=1)
