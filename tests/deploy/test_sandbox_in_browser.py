"""The cashiers, the counter and the control page, clicked through in a real browser."""

from collections.abc import AsyncIterator

import pytest

from tests.browsers import open_browser
from tests.deploy.shop import Shop, line_order, open_shop
from tests.journeys.devices import Devices
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
async def devices() -> AsyncIterator[Devices]:
    async with open_browser() as browser:
        yield Devices(browser)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as shop:
        yield shop


async def arrive(devices: Devices, shop: Shop, *, script: bool) -> Visitor:
    url = shop.sandbox.url
    return await Visitor.arrive(devices, url, language="zh-Hant-TW", script=script)


async def check_out(visitor: Visitor, shop: Shop, method: str, **changed: str) -> str:
    """Come from the shop's page with its form, as candidates do; return the order's number."""
    form = shop.form(method, ClientBackURL=f"{shop.url}/", **changed)
    shop.page = form, f"{shop.sandbox.ecpay}/Cashier/AioCheckOut/V5"
    await visitor.page.goto(f"{shop.url}/")
    async with visitor.page.expect_navigation():
        await visitor.page.click("button")
    await visitor.look()
    return form["MerchantTradeNo"]


async def press(visitor: Visitor, text: str) -> None:
    async with visitor.page.expect_navigation():
        await visitor.page.locator("main button").filter(has_text=text).first.click()
    await visitor.look()


@SCRIPT
@pytest.mark.parametrize(
    ("method", "button"), [("CVS", "取得代碼"), ("ATM", "取得帳號"), ("BARCODE", "取得條碼")]
)
async def test_from_the_shop_to_a_code_and_to_the_counter(
    devices: Devices, shop: Shop, method: str, button: str, *, script: bool
) -> None:
    visitor = await arrive(devices, shop, script=script)
    number = await check_out(visitor, shop, method)
    await press(visitor, button)
    code = (await shop.sandbox.order(number))["code"]
    assert code in await visitor.text()
    await visitor.follow("到超商或銀行繳費")
    await visitor.fill(code=code)
    await press(visitor, "繳費")
    assert "繳費證明" in await visitor.text()
    await visitor.follow("回到櫃檯")
    assert code not in await visitor.text()
    await shop.sandbox.deliver()
    assert [told["RtnCode"] for told in shop.heard][-1] == "1"


@SCRIPT
async def test_what_waits_at_the_counter_is_paid_with_one_press(
    devices: Devices, shop: Shop, *, script: bool
) -> None:
    for method in ("CVS", "BARCODE", "ATM"):
        await shop.order(method)
    visitor = await arrive(devices, shop, script=script)
    for left in (2, 1, 0):
        await visitor.open("/counter/")
        await press(visitor, "繳這一筆")
        await visitor.follow("回到櫃檯")
        assert await visitor.page.locator("main li form").count() == left
    assert (await shop.sandbox.captured())["payments"] == 3


@SCRIPT
async def test_a_card_is_paid_and_the_browser_brings_the_result_to_the_shop(
    devices: Devices, shop: Shop, *, script: bool
) -> None:
    visitor = await arrive(devices, shop, script=script)
    number = await check_out(visitor, shop, "Credit", OrderResultURL=f"{shop.url}/result")
    await press(visitor, "付款")
    async with visitor.page.expect_navigation():
        await visitor.page.locator("main button").click()
    assert visitor.page.url == f"{shop.url}/result"
    [brought] = shop.heard
    assert (brought["MerchantTradeNo"], brought["RtnCode"]) == (number, "1")


@SCRIPT
async def test_a_card_is_declined_and_one_goes_back_without_paying(
    devices: Devices, shop: Shop, *, script: bool
) -> None:
    visitor = await arrive(devices, shop, script=script)
    await check_out(visitor, shop, "Credit")
    await press(visitor, "讓發卡銀行拒絕")
    assert "授權失敗" in await visitor.text()
    assert await visitor.page.locator("main button").count() == 0
    await check_out(visitor, shop, "Credit")
    async with visitor.page.expect_navigation():
        await visitor.page.click("main a")  # walks away
    assert visitor.page.url == f"{shop.url}/"
    assert (await shop.sandbox.captured())["payments"] == 0


async def test_a_refused_order_says_why(devices: Devices, shop: Shop) -> None:
    visitor = await arrive(devices, shop, script=True)
    await check_out(visitor, shop, "CVS", TotalAmount="6001")
    assert "TotalAmount" in await visitor.text()
    assert (await visitor.page.title()).startswith("錯誤")


@SCRIPT
async def test_line_pay_is_approved_cancelled_or_left(
    devices: Devices, shop: Shop, *, script: bool
) -> None:
    visitor = await arrive(devices, shop, script=script)
    redirects = {"confirmUrl": f"{shop.url}/", "cancelUrl": f"{shop.url}/?cancelled=1"}
    for button, ends_at in (
        ("付款", f"{shop.url}/?transactionId="),
        ("取消", f"{shop.url}/?cancelled=1&transactionId="),
        ("付款後不返回商店", f"{shop.sandbox.line_pay}/pay/"),
        ("模擬餘額不足", f"{shop.sandbox.line_pay}/pay/"),
    ):
        order = line_order(redirectUrls=redirects)
        told = await shop.line("POST", "/v3/payments/request", order)
        await visitor.open(told["info"]["paymentUrl"]["web"])
        async with visitor.page.expect_navigation():
            await visitor.page.locator("main button").filter(has_text=button).first.click()
        assert visitor.page.url.startswith(ends_at)
        if visitor.page.url.startswith(shop.sandbox.url):
            await visitor.look()


@SCRIPT
async def test_the_control_page_lets_things_go_wrong(
    devices: Devices, shop: Shop, *, script: bool
) -> None:
    number, code = await shop.order("CVS")
    visitor = await arrive(devices, shop, script=script)
    await visitor.open("/")
    await visitor.follow("讓它出錯")
    await visitor.page.select_option("#kind", "silent")
    await visitor.fill(number=number)
    await press(visitor, "設定")
    await shop.sandbox.pay(code)
    await shop.sandbox.deliver()
    await visitor.open("/control/")
    assert "NT$250" in await visitor.text()
    assert [told["RtnCode"] for told in shop.heard] == ["10100073"]
    await visitor.page.select_option("#kind", "hang")
    await visitor.page.select_option("#on", "paid")
    await press(visitor, "設定")
    assert await visitor.page.locator("[role=alert]").count() == 1


async def test_by_keyboard_a_card_is_paid(devices: Devices, shop: Shop) -> None:
    visitor = await arrive(devices, shop, script=True)
    await check_out(visitor, shop, "Credit")
    await visitor.page.keyboard.press("Tab")
    async with visitor.page.expect_navigation():
        await visitor.page.keyboard.press("Enter")
    assert (await shop.sandbox.captured())["payments"] == 1
