"""Paying, in every way there is: from the registration to the word that it was paid."""

from pathlib import Path

import pytest

from tests.enrollment.pictures import draw
from tests.journeys.conftest import Arrive, Place
from tests.journeys.devices import DESKTOP, LANGUAGES, PHONE
from tests.journeys.payer import Payer, arrive_to_pay
from tests.journeys.test_registration import reach
from tests.journeys.visitor import in_two_ways

pytestmark = pytest.mark.browser

every_language = pytest.mark.parametrize("language", LANGUAGES)
with_and_without = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
BACK = "a[href*='/payments/orders/']"


@in_two_ways
async def test_a_code_at_a_convenience_store(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    await payer.find_order_by_waiting()
    await payer.choose("convenience_store/code")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for(".eh-code")
    await payer.pay_at_the_counter(await payer.visitor.page.inner_text(".eh-code"))
    await payer.sees_paid()


@in_two_ways
async def test_a_slip_at_a_convenience_store(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    await payer.find_order()
    await payer.choose("convenience_store/slip")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for("main a[href$='/slip.pdf']")
    slip = (await payer.read_paper("/slip.pdf")).split()
    [second] = [word for word in slip if len(word) == 16 and word.isdigit()]
    await payer.pay_at_the_counter(second)
    await payer.sees_paid()


@in_two_ways
async def test_a_transfer_from_a_bank(
    arrive: Arrive, place: Place, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    await payer.find_order()
    await payer.choose("atm")
    await payer.visitor.page.select_option("#bank", "ATM_ESUN")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for(".eh-code")
    bank, account = await payer.visitor.page.locator(".eh-code").all_inner_texts()
    assert bank == "808"
    await payer.pay_at_the_counter(account)
    await payer.sees_paid()


@in_two_ways
async def test_a_card(arrive: Arrive, place: Place, language: str, *, script: bool) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    await payer.find_order()
    await payer.choose("card")
    await payer.press_there("decline")
    await payer.come_back("form[action*='/payments/hooks/ecpay/results/'] button")
    # Declined, told so, and tried again: with the choice on the page itself or behind its link.
    await payer.sees({"en": "The card was declined", "zh-Hant-TW": "刷卡未獲授權"}[language])
    await payer.choose("card")
    await payer.press_there("pay")
    # The form that the cashier's page posts to us comes from another site.
    await payer.come_back("form[action*='/payments/hooks/ecpay/results/'] button")
    await payer.waits_for("main a[href$='/receipt.pdf']")
    await payer.sees_paid()
    assert "NT$250" in await payer.read_paper("/receipt.pdf")


@in_two_ways
async def test_line_pay(arrive: Arrive, place: Place, language: str, *, script: bool) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    page = payer.visitor.page
    await payer.find_order()
    await payer.choose("line_pay")
    picture = page.locator(".eh-on-desktop svg")
    await page.set_viewport_size(PHONE)
    assert not await picture.is_visible(), "a phone is what one would scan it with"
    await page.set_viewport_size(DESKTOP)
    assert await picture.is_visible()
    async with page.expect_navigation():
        await page.click("main a[href*='/line-pay/pay/']")
    await payer.press_there("cancel")
    await page.wait_for_url("**/payments/orders/*")
    await payer.sees({"en": "did not succeed", "zh-Hant-TW": "付款沒有成功"}[language])
    await payer.choose("line_pay")
    async with page.expect_navigation():
        await page.click("main a[href*='/line-pay/pay/']")
    await payer.press_there("approve")
    await page.wait_for_url("**/payments/orders/*")
    await payer.sees_paid()


async def test_line_pay_on_a_phone_while_the_computer_looks_on(
    arrive: Arrive, place: Place
) -> None:
    payer = await arrive_to_pay(arrive, place)
    await payer.find_order()
    await payer.choose("line_pay")
    # What the picture says is opened on another device, and closed there after approving.
    address = await payer.visitor.page.get_attribute("main a[href*='/line-pay/pay/']", "href")
    phone = await arrive()
    await phone.page.goto(address or "")
    await phone.page.click("button[value=approve]")
    await phone.page.wait_for_url(lambda address: "/identity/sign-in" in address)
    await payer.waits_for("main a[href$='/receipt.pdf']")


@with_and_without
async def test_the_way_is_changed(arrive: Arrive, place: Place, *, script: bool) -> None:
    payer = await arrive_to_pay(arrive, place, "en", script=script)
    page = payer.visitor.page
    await payer.find_order()
    await payer.choose("convenience_store/code")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.waits_for(".eh-code")
    await payer.choose("atm")
    await payer.press_there("issue")
    await payer.come_back(BACK)
    await payer.sees("What also still works")
    await page.click("main details summary")
    await payer.visitor.look()
    await payer.choose("card")
    await payer.press_there("pay")
    await payer.come_back(BACK)
    await payer.sees_paid()
    assert await page.locator(".eh-code").count() == 0


async def test_two_clicks_and_the_back_button_are_harmless(arrive: Arrive, place: Place) -> None:
    payer = await arrive_to_pay(arrive, place, "en")
    page = payer.visitor.page
    await payer.find_order()
    await page.check("[name=way][value=card]")
    await page.dblclick("main button[type=submit]")
    await page.wait_for_url("**/ecpay/cashier/*")
    # The page that leads to the cashier by itself does not lead there again from behind. Whether it
    # stays in the history at all is for the browser to say.
    await page.go_back()
    if "/attempts/" in page.url:
        await page.click("main p a[href*='/payments/orders/']")
    await page.wait_for_url("**/payments/orders/*")
    await payer.visitor.look()
    await payer.choose("card")
    await payer.press_there("pay")
    await payer.come_back(BACK)
    await payer.sees_paid()


async def test_without_script_they_are_harmless_too(arrive: Arrive, place: Place) -> None:
    payer = await arrive_to_pay(arrive, place, "en", script=False)
    page = payer.visitor.page
    await payer.find_order()
    await page.check("[name=way][value=card]")
    for address in ("**/attempts/*", "**/ecpay/cashier/*"):
        await page.dblclick("main button[type=submit]")
        await page.wait_for_url(address)
    await page.go_back()
    await page.wait_for_url("**/attempts/*")
    # The cashier's form works once: the page says where to look instead.
    async with page.expect_navigation():
        await page.click("main p a[href*='/payments/orders/']")
    await payer.visitor.look()
    await payer.choose("card")
    await payer.press_there("pay")
    await payer.come_back(BACK)
    await payer.sees_paid()


@every_language
async def test_what_is_not_paid_lapses(arrive: Arrive, place: Place, language: str) -> None:
    payer = await arrive_to_pay(arrive, place, language)
    page = payer.visitor.page
    await payer.find_order()
    form = page.url
    await payer.let_time_pass()
    # Whoever has the page open still, and chooses, is told how it stands.
    await page.check("[name=way][value=card]")
    async with page.expect_navigation():
        await page.click("main button[type=submit]")
    assert page.url == form
    await payer.sees({"en": "Lapsed", "zh-Hant-TW": "已失效"}[language])
    assert await page.locator("main a[href='/enrollment/']").count() == 1
    await payer.visitor.open("/payments/")
    assert {"en": "Lapsed", "zh-Hant-TW": "已失效"}[language] in await payer.visitor.text()


@in_two_ways
async def test_money_is_asked_back(
    arrive: Arrive, place: Place, tmp_path: Path, language: str, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place, language, script=script)
    page = payer.visitor.page
    await payer.find_order()
    await payer.choose("card")
    await payer.press_there("pay")
    await payer.come_back(BACK)
    await payer.sees_paid()
    async with page.expect_navigation():
        await page.click("main a[href^='/payments/applications/']")
    await payer.visitor.look()
    await payer.visitor.press()
    assert await page.locator(".govuk-error-summary li").count() == 5
    proof = tmp_path / "certificate.jpg"
    proof.write_bytes(draw())
    await page.check("[name=reason][value=health]")
    await payer.visitor.fill(
        statement="發燒三十九度",
        payee="王大同",
        postal_code="106209",
        address="臺北市大安區和平東路一段162號",
        phone="0912-345-678",
    )
    await page.set_input_files("#proofs", proof)
    await payer.visitor.press()
    assert payer.visitor.path.startswith("/payments/orders/")
    waiting = {"en": "We are looking at it.", "zh-Hant-TW": "審核中"}[language]
    assert waiting in await payer.visitor.text()
    assert await page.locator("main a[href^='/payments/applications/']").count() == 0


@with_and_without
async def test_who_paid_twice_says_where_the_money_goes(
    arrive: Arrive, place: Place, *, script: bool
) -> None:
    payer = await arrive_to_pay(arrive, place, "en", script=script)
    page = payer.visitor.page
    await payer.find_order()
    codes = []
    for way in ("convenience_store/code", "atm"):
        await payer.choose(way)
        await payer.press_there("issue")
        codes.append(await page.locator(".code").inner_text())
        await payer.come_back(BACK)
        await payer.waits_for(".eh-code")
    for code in codes:
        await payer.pay_at_the_counter(code)
    await payer.sees("NT$192 goes back to you.")
    async with page.expect_navigation():
        await page.click("main a[href$='/payee']")
    await payer.visitor.look()
    await payer.visitor.fill(
        payee="王大同",
        postal_code="106",
        address="臺北市大安區和平東路一段162號",
        phone="02-7749-8207",
    )
    await payer.visitor.press()
    assert "by postal money order to the address you gave" in await payer.visitor.text()


async def test_by_keyboard_alone(arrive: Arrive, place: Place) -> None:
    payer: Payer = await arrive_to_pay(arrive, place, "en")
    page, keyboard = payer.visitor.page, payer.visitor.page.keyboard
    await payer.find_order()
    await reach(payer.visitor, "document.activeElement.name === 'way'")
    await keyboard.press("Space")
    for _ in range(3):
        await keyboard.press("ArrowDown")
    assert await page.is_checked("[name=way][value=card]")
    await keyboard.press("Enter")
    await page.wait_for_url("**/ecpay/cashier/*")
    await payer.press_there("pay")
    await payer.come_back(BACK)
    await payer.sees_paid()
    await reach(payer.visitor, "document.activeElement.href?.endsWith('/receipt.pdf')")
